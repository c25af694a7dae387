"""Causes: why something ended, or can't go on, as it is stored.

A word, or a word and the provider's own message after a colon (``invalid: disk too small``), or a word and a
sentence of ours after two colons, which is shown as it is. ``messages`` put them into words.
"""

import re
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from bot.support import errors

#: The longest part of a provider's own message that is repeated to people.
MESSAGE_LIMIT: Final = 300

_ERRORS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (errors.StoreUnsure, "unsure"),
    (errors.StoreError, "store_unavailable"),
    (errors.SecretError, "secret"),
    (errors.SlackFailed, "slack"),
    (errors.UntrustedCertificate, "untrusted_certificate"),
    (errors.Unreachable, "unreachable"),
    (errors.UnknownOutcome, "no_answer"),
    (errors.RateLimited, "rate_limited"),
    (errors.ServerFailed, "server_failed"),
    (errors.BadAnswer, "bad_answer"),
    (errors.SentTooLate, "sent_too_late"),
    (errors.TemporaryError, "unreachable"),
    (errors.AccountRenamed, "renamed"),
    (errors.CredentialRefused, "credential_refused"),
    (errors.Forbidden, "forbidden"),
    (errors.NotFound, "not_found"),
    (errors.Conflict, "conflict"),
    (errors.InvalidRequest, "invalid"),
    (errors.Misconfigured, "misconfigured"),
    (errors.NoCapacity, "no_room"),
    (errors.LimitReached, "limit"),
    (errors.Untrusted, "untrusted"),
    (errors.OutcomeNotReported, "untold"),
    (errors.ProviderError, "invalid"),
)

#: How a refusal reads that is about the token: what its account may do, another token may.
_TOKEN: Final = re.compile(r"\btokens?\b|\bscopes?\b|\b(?:api|access) keys?\b", re.IGNORECASE)
#: How a refusal reads that is about signing in elsewhere: no other token is any better.
_SIGN_ON: Final = re.compile(r"\bsingle sign-?on\b|\bsso\b|\bsaml\b", re.IGNORECASE)
#: How a limit reads that is one of money: stopping something gives none of it back.
_MONEY: Final = re.compile(
    r"\bspend(?:ing)?\b|\bspent\b|\bbilling\b|\bbudget\b|\bpayments?\b|\bcredits?\b|\bfunds\b|\binvoices?\b",
    re.IGNORECASE,
)
#: How a refusal reads that is a matter of permission.
_PERMISSION: Final = re.compile(r"permission|privilege|authori[sz]|access denied", re.IGNORECASE)

#: The words that are followed by what the provider said.
QUOTING: Final = frozenset(
    {
        "conflict",
        "forbidden",
        "invalid",
        "limit",
        "lost_track",
        "misconfigured",
        "no_room",
        "provider_failed",
        "refused",
        "spent",
        "token_lacks",
    }
)
#: The word of causes after which the person is asked whether they still want it. A ``StaleReason``, a time
#: and what held it up (``bot.domain.holds``) follow.
STALE: Final = "stale"
#: The word of the cause of a start by a plan that wasn't sent in time; what held it up follows.
MISSED_CAUSE: Final = "missed"


class StaleReason(StrEnum):
    """Why a person is asked again; the time after it is what they know it by."""

    #: Asked for so long ago, and never sent.
    ASKED = "asked"
    #: The same, and refused each time.
    TRIED = "tried"
    #: Restored by a backup of that time.
    RESTORED = "restored"


def make_stale_cause(reason: StaleReason, at: float, hold: str = "") -> str:
    """Return the cause for what isn't sent any more unless its person wants it."""
    return f"{STALE}: {reason} {at} {hold}".rstrip()


def make_missed_cause(hold: str) -> str:
    """Return the cause for a plan's start that wasn't sent in time."""
    return f"{MISSED_CAUSE}: {hold}" if hold else MISSED_CAUSE


def to_cause(error: BaseException) -> str:
    """Return the cause to be stored for an error: a word, with the provider's message where it helps."""
    word = next((word for kind, word in _ERRORS if isinstance(error, kind)), "internal")
    if isinstance(error, errors.ProviderError) and word in {"forbidden", "not_found"} and error.is_quoted:
        # The status alone doesn't say what is missing, and the words do.
        word = _find_refusal_word(error.message) if word == "forbidden" else "refused"
    if isinstance(error, errors.UnknownOutcome) and error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        word = "answered_error"
    if isinstance(error, errors.LimitReached) and _MONEY.search(error.message):
        word = "spent"
    if not isinstance(error, errors.ProviderError) or word not in QUOTING:
        return word
    if not error.message or not (error.is_ours or error.is_quoted):
        return word
    return f"{word}{':: ' if error.is_ours else ': '}{error.message[:MESSAGE_LIMIT]}"


def _find_refusal_word(message: str) -> str:
    """Return the cause's word for a right that the token, the account or something else lacks."""
    if _SIGN_ON.search(message):
        return "refused"
    if _TOKEN.search(message):
        return "token_lacks"
    return "forbidden" if _PERMISSION.search(message) else "refused"


def get_cause_word(cause: str | None) -> str:
    """Return the word of a cause, without the message."""
    return (cause or "").removeprefix("policy.").partition(": ")[0].rstrip(":")
