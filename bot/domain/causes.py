"""Causes: the stored reasons why something ended or can't continue.

A cause is a word. It may be followed by a colon and the provider's own message (``invalid: disk too small``),
or by two colons and a sentence from Usher, which is shown unchanged. ``bot.messages`` puts causes into words.
"""

import re
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from bot.domain.failure_causes import OWN_LIMITS, find_reason
from bot.support import errors

#: Maximum length, in characters, of a provider's own message as shown to users.
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
    (errors.RefusedInFront, "in_front"),
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

#: Matches words for tokens and what they allow. If a refusal contains such a word, the user is advised to
#: link again with another token.
_TOKEN: Final = re.compile(r"\btokens?\b|\bscopes?\b|\b(?:api|access) keys?\b", re.IGNORECASE)
#: Matches words for single sign-on. A refusal that contains one tells the user to sign in elsewhere, so
#: linking again with another token wouldn't help.
_SIGN_ON: Final = re.compile(r"\bsingle sign-?on\b|\bsso\b|\bsaml\b", re.IGNORECASE)
#: Matches words for money. A message that contains one is about a spending limit, so stopping a workspace or
#: run wouldn't help.
_MONEY: Final = re.compile(
    r"\bspend(?:ing)?\b|\bspent\b|\bbilling\b|\bbudget\b|\bpayments?\b|\bcredits?\b|\bfunds\b|\binvoices?\b",
    re.IGNORECASE,
)
#: HTTP statuses that refuse a request for reasons other than its values. The cause is then ``refused`` rather
#: than ``invalid``, because correcting the values wouldn't help.
_CIRCUMSTANCE_STATUSES: Final = frozenset({405, 407, 412, 421, 424, 426, 428, 431, 451})
#: Matches words that show that a refusal is about permissions.
_PERMISSION: Final = re.compile(r"permission|privilege|authori[sz]|access denied", re.IGNORECASE)

#: Causes that may be followed by the provider's own message.
QUOTING: Final = frozenset(
    {
        "answered_error",
        "conflict",
        "forbidden",
        "gave_up",
        "invalid",
        "limit",
        "lost_track",
        "misconfigured",
        "no_room",
        "provider_failed",
        "refused",
        "server_failed",
        "spent",
        "token_lacks",
    }
)
#: First word of the cause of a request that will be sent only if the user confirms it. A ``StaleReason`` and
#: a time follow. If a hold (a stored reason for waiting) blocked the request, the hold comes last.
STALE: Final = "stale"
#: First word of the cause of a planned start that Usher couldn't send in time. If a hold (a stored reason for
#: waiting) delayed the start, the hold follows.
MISSED_CAUSE: Final = "missed"


class StaleReason(StrEnum):
    """Reasons for asking users whether they still want something that they requested earlier."""

    #: The request became too old before Usher could send it. The time in the cause is when the user made the
    #: request, or the time for which they planned it.
    ASKED = "asked"
    #: The request became too old because the provider was busy each time Usher sent it. The time in the cause
    #: is when the user made the request, or the time for which they planned it.
    TRIED = "tried"
    #: The request comes from a restored backup, so the user may no longer want it. The time in the cause is
    #: when the backup was made.
    RESTORED = "restored"


def make_stale_cause(reason: StaleReason, at: float, hold: str = "") -> str:
    """Return the cause of a request that will be sent only if the user confirms it."""
    return f"{STALE}: {reason} {at} {hold}".rstrip()


def make_missed_cause(hold: str) -> str:
    """Return the cause of a planned start that wasn't sent in time."""
    return f"{MISSED_CAUSE}: {hold}" if hold else MISSED_CAUSE


def to_cause(error: BaseException) -> str:
    """Return the cause to store for an error. It includes the provider's message if that helps."""
    word = next((word for kind, word in _ERRORS if isinstance(error, kind)), "internal")
    if isinstance(error, errors.ProviderError) and word in {"forbidden", "not_found"} and error.is_quoted:
        # Only the provider's message says what is missing. The status alone doesn't.
        word = _find_refusal_word(error.message) if word == "forbidden" else "refused"
    if isinstance(error, errors.UnknownOutcome) and (
        error.status == HTTPStatus.INTERNAL_SERVER_ERROR or error.is_quoted
    ):
        word = "answered_error"
    if isinstance(error, errors.LimitReached) and _is_about_money(error):
        word = "spent"
    if isinstance(error, errors.InvalidRequest) and error.status in _CIRCUMSTANCE_STATUSES:
        word = "refused"
    if not isinstance(error, errors.ProviderError) or word not in QUOTING:
        return word
    if not error.message or not (error.is_ours or error.is_quoted):
        return word
    return f"{word}{':: ' if error.is_ours else ': '}{error.message[:MESSAGE_LIMIT]}"


def _is_about_money(error: errors.LimitReached) -> bool:
    is_payment = error.status == HTTPStatus.PAYMENT_REQUIRED and find_reason(error.message) not in OWN_LIMITS
    return is_payment or _MONEY.search(error.message) is not None


def _find_refusal_word(message: str) -> str:
    if _SIGN_ON.search(message):
        return "refused"
    if _TOKEN.search(message):
        return "token_lacks"
    return "forbidden" if _PERMISSION.search(message) else "refused"


def get_cause_word(cause: str | None) -> str:
    """Return the first word of a cause, which identifies it, without any message after it."""
    return (cause or "").removeprefix("policy.").partition(": ")[0].rstrip(":")
