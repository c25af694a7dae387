"""The results of calls to providers. Each provider error becomes one of them; the caller acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from bot.domain import causes
from bot.domain.holds import Hold
from bot.support import errors

_T = TypeVar("_T")

#: Cause of an unreadable answer, and the failures in a row after which it isn't just a transient error page.
_UNREADABLE_CAUSE: Final = "bad_answer"
_MIN_UNREADABLE_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Succeeded(Generic[_T]):
    """The provider answered."""

    value: _T


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The call certainly had no effect, and may be retried after ``wait`` seconds.

    ``hold`` is the reason to show to people, None to show nothing; ``cause`` is its key in
    ``bot.messages.texts.problems``. ``attempts`` is the number of failures in a row so far; calls that
    weren't sent don't count.
    """

    wait: float
    hold: Hold | None
    attempts: int
    cause: str = ""
    #: Whether the credential was refused for this very call.
    is_unauthorized: bool = False


@dataclass(frozen=True, slots=True)
class ProviderBusy(RetryLater):
    """The provider said that it is busy; ``wait`` is the pause that it asked for. This is no failure.

    With ``is_own_limit``, this account has used up its requests; ``hold`` then has the time when that ends.
    """

    is_own_limit: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The call may have had its effect, so check before a retry. Fields are as in ``RetryLater``."""

    wait: float
    hold: Hold
    attempts: int
    cause: str

    @property
    def is_unreadable(self) -> bool:
        """Return whether the provider's answers are still unreadable after several attempts."""
        return self.cause == _UNREADABLE_CAUSE and self.attempts >= _MIN_UNREADABLE_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused the call, and retrying won't help; ``cause`` and ``hold`` as in ``RetryLater``."""

    error: errors.ProviderError | errors.SecretError
    cause: str
    hold: Hold

    @property
    def word(self) -> str:
        """Return the kind of refusal, without the provider's words."""
        return causes.get_cause_word(self.cause)

    @property
    def is_unauthorized(self) -> bool:
        """Return whether the credential was refused for this very call."""
        return isinstance(self.error, errors.CredentialRefused) and self.error.status is not None

    def call_cause(self, *, makes: bool = False) -> str:
        """Return the cause with "not_found", or an invalid request, replaced by "refused".

        The refusal of a single call doesn't prove that the workspace is gone. An invalid request stays one
        for a call that ``makes`` something, as the person can ask for something else.
        """
        word, separator, words = self.cause.partition(":")
        is_about_call = word == "not_found" or (word == "invalid" and not (makes or words.startswith(":")))
        return f"refused{separator}{words}" if is_about_call else self.cause

    @property
    def needs_credential(self) -> bool:
        """Return whether the credential was refused, and not the request itself."""
        return isinstance(self.error, (errors.CredentialRefused, errors.SecretError))


CallFailure: TypeAlias = RetryLater | OutcomeUnknown | Rejected
CallResult: TypeAlias = Succeeded[_T] | CallFailure
