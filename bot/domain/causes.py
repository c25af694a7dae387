"""Causes: the stored reason why something ended or can't go on.

A cause is a word, or a word with the provider's own message after a colon (``invalid: disk too small``), or
a word with a sentence of ours after two colons, which is shown unchanged. ``bot.messages`` writes the texts.
"""

import re
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from bot.support import errors

#: Characters of a provider's own message that are repeated to people.
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

#: Words in a refusal that is about the token. Another token of the same account may have the right.
_TOKEN: Final = re.compile(r"\btokens?\b|\bscopes?\b|\b(?:api|access) keys?\b", re.IGNORECASE)
#: Words in a refusal that asks for a sign-in elsewhere. Another token doesn't help.
_SIGN_ON: Final = re.compile(r"\bsingle sign-?on\b|\bsso\b|\bsaml\b", re.IGNORECASE)
#: Words in a message about a limit of money. Stopping something doesn't free any of that.
_MONEY: Final = re.compile(
    r"\bspend(?:ing)?\b|\bspent\b|\bbilling\b|\bbudget\b|\bpayments?\b|\bcredits?\b|\bfunds\b|\binvoices?\b",
    re.IGNORECASE,
)
#: Words in a refusal that is about permissions.
_PERMISSION: Final = re.compile(r"permission|privilege|authori[sz]|access denied", re.IGNORECASE)

#: Words of causes that the provider's message may follow.
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
#: Word of the cause of an overdue request. Its person is then asked whether they still want it. A
#: ``StaleReason``, a time and the hold (``bot.domain.holds``) follow.
STALE: Final = "stale"
#: Word of the cause of a planned start that wasn't sent in time. The hold follows.
MISSED_CAUSE: Final = "missed"


class StaleReason(StrEnum):
    """Reasons for asking a person again whether they want something."""

    #: They asked for it at that time, and it was never sent.
    ASKED = "asked"
    #: They asked for it at that time, and every attempt was refused.
    TRIED = "tried"
    #: The request was restored from a backup of that time.
    RESTORED = "restored"


def make_stale_cause(reason: StaleReason, at: float, hold: str = "") -> str:
    """Return the cause of a request that isn't sent unless its person confirms it."""
    return f"{STALE}: {reason} {at} {hold}".rstrip()


def make_missed_cause(hold: str) -> str:
    """Return the cause of a planned start that wasn't sent in time."""
    return f"{MISSED_CAUSE}: {hold}" if hold else MISSED_CAUSE


def to_cause(error: BaseException) -> str:
    """Return the cause to store for an error: a word, with the provider's message if that helps."""
    word = next((word for kind, word in _ERRORS if isinstance(error, kind)), "internal")
    if isinstance(error, errors.ProviderError) and word in {"forbidden", "not_found"} and error.is_quoted:
        # The provider's words say what is missing, the status alone doesn't.
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
    """Return the cause's word for a refusal, by whether the token, the account or something else lacks it."""
    if _SIGN_ON.search(message):
        return "refused"
    if _TOKEN.search(message):
        return "token_lacks"
    return "forbidden" if _PERMISSION.search(message) else "refused"


def get_cause_word(cause: str | None) -> str:
    """Return the word of a cause, without the message."""
    return (cause or "").removeprefix("policy.").partition(": ")[0].rstrip(":")
