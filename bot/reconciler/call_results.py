"""Results of provider calls. Each provider error becomes one of these types, which the caller handles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from bot.domain import causes
from bot.domain.holds import Hold
from bot.support import errors

_T = TypeVar("_T")

#: Cause recorded once ``_MIN_UNREADABLE_ATTEMPTS`` answers in a row couldn't be read. Fewer may just be
#: temporary error pages.
_UNREADABLE_CAUSE: Final = "bad_answer"
_MIN_UNREADABLE_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Succeeded(Generic[_T]):
    """The call succeeded. ``value`` is what the provider returned."""

    value: _T


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The call certainly had no effect, and may be retried after ``wait`` seconds.

    ``hold`` is the reason shown to people, or None to show none. ``cause`` is its key in
    ``bot.messages.texts.problems``. ``attempts`` is the number of consecutive failures so far, not counting
    calls that weren't sent.
    """

    wait: float
    hold: Hold | None
    attempts: int
    cause: str = ""
    #: Whether the provider refused the call's credential, or answered 401 although the credential is valid.
    is_unauthorized: bool = False


@dataclass(frozen=True, slots=True)
class ProviderBusy(RetryLater):
    """The provider said that it is busy, which isn't a failure. ``wait`` is the pause that it asked for.

    If ``is_own_limit`` is set, this account has reached its own request limit. In that case, ``hold`` says
    when requests will be allowed again.
    """

    is_own_limit: bool = False


class OutcomeUnknown(NamedTuple):
    """The call may have taken effect, so check before retrying. The fields are as in ``RetryLater``."""

    wait: float
    hold: Hold
    attempts: int
    cause: str

    @property
    def is_unreadable(self) -> bool:
        """Return whether the provider's responses are still unreadable after several attempts in a row."""
        return self.cause == _UNREADABLE_CAUSE and self.attempts >= _MIN_UNREADABLE_ATTEMPTS


class Rejected(NamedTuple):
    """The call was rejected, so retrying won't help. ``cause`` and ``hold`` are as in ``RetryLater``."""

    error: errors.ProviderError | errors.SecretError
    cause: str
    hold: Hold

    @property
    def word(self) -> str:
        """Return the kind of refusal, which is its cause without the provider's own wording."""
        return causes.get_cause_word(self.cause)

    @property
    def is_unauthorized(self) -> bool:
        """Return whether the provider refused the credential for this call only."""
        return isinstance(self.error, errors.CredentialRefused) and self.error.status is not None

    def call_cause(self, *, makes: bool = False) -> str:
        """Return the cause. If it is "not_found" or an invalid request, use "refused" instead."""
        word, separator, words = self.cause.partition(":")
        is_about_call = word == "not_found" or (word == "invalid" and not (makes or words.startswith(":")))
        return f"refused{separator}{words}" if is_about_call else self.cause

    @property
    def needs_credential(self) -> bool:
        """Return whether the provider refused the credential rather than the request itself."""
        return isinstance(self.error, (errors.CredentialRefused, errors.SecretError))


CallFailure: TypeAlias = RetryLater | OutcomeUnknown | Rejected
CallResult: TypeAlias = Succeeded[_T] | CallFailure
