"""The results of calls to providers: every provider error becomes one of them, and their callers decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from bot.domain import causes
from bot.domain.holds import Hold
from bot.support import errors

_T = TypeVar("_T")

#: The cause of an unreadable answer; after this many failures in a row it isn't a transient error page.
_UNREADABLE_CAUSE: Final = "bad_answer"
_MIN_UNREADABLE_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Succeeded(Generic[_T]):
    """The provider answered."""

    value: _T


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The call certainly had no effect, and may be retried after ``wait`` seconds.

    ``hold`` says why, None if that isn't worth mentioning; ``cause`` is its key
    in ``bot.messages.texts.problems``. ``attempts`` is the number of failures in a row so far; calls that
    weren't sent don't count.
    """

    wait: float
    hold: Hold | None
    attempts: int
    cause: str = ""
    #: The credential was refused for the call itself.
    is_unauthorized: bool = False


@dataclass(frozen=True, slots=True)
class ProviderBusy(RetryLater):
    """The provider said that it is busy: ``wait`` is the pause that it asked for, and nothing failed.

    ``is_own_limit``: the requests of this account are used up, as ``hold`` says, with the time that ends.
    """

    is_own_limit: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The call may have had its effect: check before a retry. Fields as in ``RetryLater``."""

    wait: float
    hold: Hold
    attempts: int
    cause: str

    @property
    def is_unreadable(self) -> bool:
        """Return whether it answers, but still unreadably after several attempts."""
        return self.cause == _UNREADABLE_CAUSE and self.attempts >= _MIN_UNREADABLE_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Rejected:
    """Retrying won't help. ``cause`` and ``hold`` say why, as in ``RetryLater``."""

    error: errors.ProviderError | errors.SecretError
    cause: str
    hold: Hold

    @property
    def word(self) -> str:
        """Return the kind of refusal, without the provider's words."""
        return causes.get_cause_word(self.cause)

    @property
    def is_unauthorized(self) -> bool:
        """Return whether the credential was refused for the call itself."""
        return isinstance(self.error, errors.CredentialRefused) and self.error.status is not None

    def call_cause(self, *, makes: bool = False) -> str:
        """Return the cause if nothing but the call was refused: that nothing is there isn't proven by it.

        A call that ``makes`` something may be asked for in another way, any other one may not.
        """
        word, separator, words = self.cause.partition(":")
        is_about_call = word == "not_found" or (word == "invalid" and not (makes or words.startswith(":")))
        return f"refused{separator}{words}" if is_about_call else self.cause

    @property
    def needs_credential(self) -> bool:
        """Return whether it waits for another credential: the refusal then isn't about the request itself."""
        return isinstance(self.error, (errors.CredentialRefused, errors.SecretError))


CallFailure: TypeAlias = RetryLater | OutcomeUnknown | Rejected
CallResult: TypeAlias = Succeeded[_T] | CallFailure
