"""The one way to ask a provider: in whose name, for how long, and what its answer, or none, means.

Every error of a provider ends here and becomes one of four answers. What is done with one, its asker decides.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import structlog

from bot.domain.plan import backoff
from bot.messages.texts import problems
from bot.providers.base import Access, Credential
from bot.reconciler.runtimes import LONGEST_ASKED
from bot.support.errors import (
    BadAnswer,
    CredentialRefused,
    ProviderError,
    RateLimited,
    SecretError,
    SentTooLate,
    ServerFailed,
    TemporaryError,
    UnknownOutcome,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.domain.models import Account
    from bot.reconciler.keys import Became, Keys
    from bot.reconciler.runtimes import Runtime

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

#: A credential that is refused is somebody's to change: until then asking is of no use.
REFUSED_WAIT: Final = 60.0
#: How the connection's own secret asks: the provider has it.
_OWN: Final = Access("", Credential.of_connection("admin"))
#: The causes of what waits because a pause was asked for, or because the sign-in was refused.
LIMITED: Final = "rate_limited"
SUSPECTED: Final = "credential_suspected"
#: The cause of what was answered, and can't be read; it is no passing page after so many failures in a row.
_UNREADABLE: Final = "bad_answer"
_UNREADABLE_TIMES: Final = 3
#: What waits for a suspected credential is woken when that is accepted again; it comes back so late at most.
SUSPECTED_WAIT: Final = 30.0
#: After these the provider, or what stands before it, may have acted.
_AMBIGUOUS: Final = (UnknownOutcome, ServerFailed, BadAnswer)


@dataclass(frozen=True, slots=True)
class Done(Generic[_T]):
    """The provider answered."""

    value: _T


@dataclass(frozen=True, slots=True)
class Later:
    """It certainly was not done, and may be asked for again after ``wait`` seconds.

    ``sentence`` tells a person what holds it up, None for nothing worth telling; ``cause`` is a word of
    ``bot.messages.texts.problems`` for it. ``attempts`` is the number
    of failures in a row by now: what was not tried does not count as one.
    """

    wait: float
    sentence: str | None
    attempts: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been done: look before asking again, after ``wait`` seconds. Fields as in ``Later``."""

    wait: float
    sentence: str
    attempts: int
    cause: str

    @property
    def is_unreadable(self) -> bool:
        """Say whether it does answer, but after several tries still with what can't be read."""
        return self.cause == _UNREADABLE and self.attempts >= _UNREADABLE_TIMES


@dataclass(frozen=True, slots=True)
class Refused:
    """Asking again changes nothing. ``cause`` and ``sentence`` say why, as in ``Later``."""

    error: ProviderError | SecretError
    cause: str
    sentence: str

    @property
    def word(self) -> str:
        """Return the kind of it, without what the provider said."""
        return self.cause.partition(": ")[0]

    @property
    def needs_credential(self) -> bool:
        """Say whether it waits for another credential: then nothing is said about what was asked for."""
        return isinstance(self.error, (CredentialRefused, SecretError))


NotDone: TypeAlias = Later | Unknown | Refused
Answer: TypeAlias = Done[_T] | NotDone


class Asker:
    """Ask providers, and see to credentials and to the connections' health by what they answer."""

    def __init__(self, keys: Keys, call_seconds: float, jitter: Callable[[], float]) -> None:
        self._keys = keys
        self._call_seconds = call_seconds
        self._jitter = jitter

    def backoff(self, attempts: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        return backoff(attempts, self._jitter())

    def open(self, account: Account) -> Access | Refused:
        """Return in whose name an account asks."""
        try:
            return self._keys.open(account)
        except SecretError as error:
            log.exception("a stored secret does not open", connection=account.connection, account=account.id)
            return Refused(error, "secret", problems.sentence("secret"))

    def admit(
        self,
        runtime: Runtime,
        account: Account | None,
        attempts: int = 0,
        *,
        starts: bool = False,
        tries_suspected: bool = False,
    ) -> Access | Later | Refused:
        """Return in whose name it may be asked now; what is answered without asking otherwise."""
        if account is None:
            return _OWN
        # One that is unlinked is asked about once more, to have its credential ended.
        is_suspected = account.refused_since is not None and account.state == "active"
        if is_suspected and not tries_suspected:
            sentence = problems.sentence(SUSPECTED, runtime.title)
            return Later(SUSPECTED_WAIT, sentence, attempts, SUSPECTED)
        wait = runtime.limits.wait(account.id)
        if starts:
            wait = max(wait, runtime.start_limits.wait(account.id))
        if wait > 0:
            return Later(wait, runtime.health.asked(wait), attempts, LIMITED)
        return self.open(account)

    async def ask(
        self,
        runtime: Runtime,
        account: Account | None,
        what: str,
        send: Callable[[Access], Awaitable[_T]],
        *,
        attempts: int = 0,
        seconds: float | None = None,
        starts: bool = False,
        tries_suspected: bool = False,
    ) -> Answer[_T]:
        """Ask once, for ``seconds`` at most. ``what`` names it in the log; ``attempts`` failed before it.

        ``account`` None asks with the connection's own secret. ``starts`` says that it makes something run:
        such calls have a limit of their own. ``tries_suspected`` finds out whether a credential is taken
        again. Errors that are no provider's (the store's, ours) are raised.
        """
        access = self.admit(runtime, account, attempts, starts=starts, tries_suspected=tries_suspected)
        if not isinstance(access, Access):
            return access
        try:
            async with asyncio.timeout(self._call_seconds if seconds is None else seconds):
                value = await send(access)
        except TimeoutError:
            failure: ProviderError = UnknownOutcome("no answer in time")
        except ProviderError as error:
            failure = error
        else:
            self._worked(runtime, account)
            return Done(value)
        return await self.judge(runtime, account, what, failure, attempts, starts=starts)

    async def follow(
        self,
        runtime: Runtime,
        account: Account,
        what: str,
        begin: Callable[[Access], AsyncIterator[_T]],
        take: Callable[[_T], Awaitable[None]],
        *,
        attempts: int = 0,
    ) -> Answer[None]:
        """Read a stream to its end. One that breaks off after it spoke says nothing about the connection."""
        access = self.admit(runtime, account, attempts)
        if not isinstance(access, Access):
            return access
        spoke = False
        stream = begin(access)
        try:
            async for each in stream:
                if not spoke:
                    spoke = True
                    self._worked(runtime, account)
                await take(each)
        except TimeoutError:
            return await self.judge(
                runtime, account, what, UnknownOutcome("no answer in time"), attempts, spoke=spoke
            )
        except ProviderError as error:
            return await self.judge(runtime, account, what, error, attempts, spoke=spoke)
        finally:
            close: Any = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        self._worked(runtime, account)
        return Done(None)

    def _worked(self, runtime: Runtime, account: Account | None) -> None:
        runtime.health.worked()
        if account is not None:
            self._keys.worked(account)

    async def judge(
        self,
        runtime: Runtime,
        account: Account | None,
        what: str,
        error: ProviderError,
        attempts: int = 0,
        *,
        spoke: bool = False,
        starts: bool = False,
    ) -> Later | Unknown | Refused:
        """Return what an error of a provider means, and note it. ``spoke``: an answer had begun to come."""
        if isinstance(error, SentTooLate):
            # Nothing was sent, so nothing failed: the poll gate says when it may go.
            return Later(0.0, None, attempts)
        who = account.id if account is not None else ""
        log.info("not done", connection=runtime.name, call=what, account=who, problem=type(error).__name__)
        if isinstance(error, CredentialRefused):
            runtime.health.worked(error)
            return await self._refused(runtime, account, error, attempts)
        if not isinstance(error, TemporaryError):
            runtime.health.worked(error)
            cause = problems.cause_of(error)
            return Refused(error, cause, problems.sentence(cause, runtime.title))
        attempts += 1
        # Whoever asks for longer is asked again, so that nothing of a person's stands still for an hour.
        wait = min(max(self.backoff(attempts), error.retry_after or 0.0), LONGEST_ASKED)
        if isinstance(error, RateLimited):
            runtime.health.worked(error)
            is_shared = account is None or self._is_shared(runtime, account, what)
            limits = runtime.start_limits if starts else runtime.limits
            limits.note(who, wait, is_shared=is_shared)
            return Later(wait, runtime.health.asked(wait), attempts, LIMITED)
        if not spoke:
            runtime.health.failed(error)
        cause, sentence = problems.cause_of(error), runtime.health.sentence(error)
        if isinstance(error, _AMBIGUOUS):
            if starts and error.retry_after:
                # It is looked for meanwhile, and not sent again before that.
                runtime.start_limits.note(who, wait, is_shared=False)
            return Unknown(wait, sentence, attempts, cause)
        return Later(wait, sentence, attempts, cause)

    def _is_shared(self, runtime: Runtime, account: Account, what: str) -> bool:
        """Say whether a call is made with a secret that others' calls are made with, too."""
        access = self.open(account)
        return isinstance(access, Access) and runtime.provider.acts(access, what) != "person"

    async def _refused(
        self, runtime: Runtime, account: Account | None, error: CredentialRefused, attempts: int
    ) -> Later | Refused:
        """See to a credential that is refused; whatever was asked for did not happen."""
        if account is None:
            self._keys.locked_out(runtime.name)
            became: Became = "locked"
        else:
            became = await self._keys.refused(account, runtime)
        match became:
            case "changed":
                return Later(0.0, None, attempts)
            case "later":
                return Later(self.backoff(attempts + 1), None, attempts)
            case "suspected":
                # Tried as often as any call that fails: a credential may be good for all but one of them.
                sentence = problems.sentence(SUSPECTED, runtime.title)
                return Later(SUSPECTED_WAIT, sentence, attempts + 1, SUSPECTED)
            case "locked":
                cause = "connection_refused"
            case _:
                cause = "credential_refused"
        return Refused(error, cause, problems.sentence(cause, runtime.title))
