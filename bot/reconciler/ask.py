"""The one way to ask a provider: with which account, for how long, and what its answer, or silence, means.

Every provider error ends here and becomes one of four answers. The caller decides what to do with them.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar
from weakref import WeakValueDictionary

import structlog

from bot.domain.accounts import REPEATED_SECONDS, Account
from bot.domain.audit import AuditEntry
from bot.domain.plan import backoff
from bot.messages.texts import problems
from bot.output.transcript import Board
from bot.providers import base
from bot.providers.base import Access, Credential, Provider
from bot.reconciler.runtimes import LONGEST_ASKED, News, Numbers, Runtime
from bot.services import accounts
from bot.services.context import Context
from bot.store.pauses import Calls
from bot.store.store import Store
from bot.support import errors
from bot.support.vault import row_key
from bot.support.windows import Window, freely, leaving_by

log = structlog.get_logger(__name__)


_T = TypeVar("_T")

#: A refused credential has to be changed by somebody; until then there is no point in asking.
REFUSED_WAIT: Final = 60.0
#: The access for calls with the connection's own secret, which the provider holds.
_OWN: Final = Access("", Credential.of_connection("admin"))
#: The causes of waiting because the provider asked for a pause, or because it refused the sign-in.
LIMITED: Final = "rate_limited"
HELD: Final = frozenset({"approval_ended", "renamed", "sign_in_refused"})
#: The one call that is made with the secret of a link that has ended.
REVOKE: Final = "revoke"
#: The cause of not asking for an account that was unlinked.
UNLINKED: Final = "unlinked"
#: The cause of an unreadable answer; after this many failures in a row it isn't a transient error page.
_UNREADABLE: Final = "bad_answer"
_UNREADABLE_TIMES: Final = 3
#: Refusals of several people that began within this many seconds, while nobody was accepted, are an outage.
TOGETHER: Final = 600.0
#: After these errors the provider, or a proxy in front of it, may have acted.
_AMBIGUOUS: Final = (errors.UnknownOutcome, errors.ServerFailed, errors.BadAnswer)


@dataclass(frozen=True, slots=True)
class Done(Generic[_T]):
    """The provider answered."""

    value: _T


@dataclass(frozen=True, slots=True)
class Later:
    """It certainly wasn't done, and may be retried after ``wait`` seconds.

    ``sentence`` says what is holding it up, None if that isn't worth mentioning; ``cause`` is its key
    in ``bot.messages.texts.problems``. ``attempts`` is the number of failures in a row so far; calls that
    weren't sent don't count.
    """

    wait: float
    sentence: str | None
    attempts: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been done: check before retrying, after ``wait`` seconds. Fields as in ``Later``."""

    wait: float
    sentence: str
    attempts: int
    cause: str

    @property
    def is_unreadable(self) -> bool:
        """Return whether it answers, but still unreadably after several attempts."""
        return self.cause == _UNREADABLE and self.attempts >= _UNREADABLE_TIMES


@dataclass(frozen=True, slots=True)
class Refused:
    """Retrying won't help. ``cause`` and ``sentence`` say why, as in ``Later``."""

    error: errors.ProviderError | errors.SecretError
    cause: str
    sentence: str

    @property
    def word(self) -> str:
        """Return the kind of refusal, without the provider's words."""
        return problems.word_of(self.cause)

    @property
    def needs_credential(self) -> bool:
        """Return whether it waits for another credential: the refusal then isn't about the request itself."""
        return isinstance(self.error, (errors.CredentialRefused, errors.SecretError))


NotDone: TypeAlias = Later | Unknown | Refused
Answer: TypeAlias = Done[_T] | NotDone


class Asker:
    """Ask providers, and update credentials and the connections' health from their answers."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        numbers: Numbers,
        jitter: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._monotonic = monotonic
        self._store = store
        self._keys = keys
        self._numbers = numbers
        self._jitter = jitter

    def backoff(self, attempts: int) -> float:
        """Return the seconds to wait after ``attempts`` failures in a row."""
        return backoff(attempts, self._jitter())

    def open(self, account: Account) -> Access | Refused:
        """Return the access that an account's calls are made with."""
        try:
            return self._keys.open(account)
        except errors.SecretError as error:
            log.exception("a stored secret does not open", connection=account.connection, account=account.id)
            return Refused(error, "secret", problems.sentence("secret"))

    async def admit(
        self, runtime: Runtime, account: Account | None, attempts: int = 0, *, starts: bool = False
    ) -> Access | Later | Refused:
        """Return the access for a call that may be sent now, else the answer to give without sending it."""
        if account is None:
            return _OWN
        if account.is_held and (left := account.tried_in(await self._store.now())) > 0:
            return await self._held(runtime, account, left, attempts)
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
        is_gated: bool = False,
        began: float | None = None,
        may_leave: Callable[[], bool] = freely,
    ) -> Answer[_T]:
        """Ask once, for ``seconds`` at most. ``what`` names it in the log; ``attempts`` failed before it.

        ``account`` None uses the connection's own secret. ``starts``: the call starts something, and such
        calls have a rate limit of their own. Errors that aren't the provider's (the store's, Usher's own) are
        raised.

        Nothing is sent for an account that was unlinked, by whichever process: its row is read first, and
        again while a call takes long, as it may consist of many requests. ``is_gated``: its row came with a
        claim of the poll gate, which drops what would leave late.

        Nothing leaves later than ``seconds`` after it ``began`` (monotonic; now, unless it was committed to
        before): a process that stood still meanwhile may have lost the row to another one. ``may_leave`` is
        asked right before anything does, too.
        """
        within = self._numbers.call_seconds if seconds is None else seconds
        until = (self._monotonic() if began is None else began) + within
        if account is not None and not is_gated:
            current = await self._current(account, what)
            if current is None or current.state == "refused":
                return _ended(runtime, UNLINKED if current is None else current.refusal)
            account = current
        access = await self._let(runtime, account, attempts, starts=starts)
        if not isinstance(access, Access):
            return access
        if self._monotonic() > until or not may_leave():
            return Later(0.0, None, attempts)
        limit = asyncio.timeout(None)
        watch = Watch(limit, within, account, self._current, self._numbers.watch)
        try:
            async with limit:
                with watch, leaving_by(Window(until, may_leave)):
                    value = await send(access)
        except TimeoutError:
            if watch.is_unlinked:
                return _ended(runtime, UNLINKED)
            failure: errors.ProviderError = errors.UnknownOutcome("no answer in time")
        except errors.ProviderError as error:
            failure = error
            if isinstance(error, errors.SentTooLate) and (self._monotonic() > until or not may_leave()):
                # An earlier request of the same call may have left in time.
                failure = errors.UnknownOutcome("not sent in time")
        else:
            await self._worked(runtime, account, access)
            return Done(value)
        return await self.judge(runtime, account, what, failure, attempts, starts=starts)

    async def _current(self, account: Account, what: str = "") -> Account | None:
        """Return an account as it is now; None if it was unlinked, but for its revocation."""
        if account.state == "revoking":
            return account if what == REVOKE else None
        current = await self._store.account_by_id(account.id)
        return None if current is None or current.state == "revoking" else current

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
        """Read a stream to its end. One that breaks off after sending data doesn't count as a failure.

        Whoever follows it reads the run's row every second, and ends it when its account is unlinked.
        """
        access = await self._let(runtime, account, attempts)
        if not isinstance(access, Access):
            return access
        spoke = False
        stream = begin(access)
        try:
            async for each in stream:
                if not spoke:
                    spoke = True
                    await self._worked(runtime, account, access)
                await take(each)
        except TimeoutError:
            return await self.judge(
                runtime, account, what, errors.UnknownOutcome("no answer in time"), attempts, spoke=spoke
            )
        except errors.ProviderError as error:
            return await self.judge(runtime, account, what, error, attempts, spoke=spoke)
        finally:
            close: Any = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        await self._worked(runtime, account, access)
        return Done(None)

    async def _let(
        self, runtime: Runtime, account: Account | None, attempts: int, *, starts: bool = False
    ) -> Access | Later | Refused:
        """Return as ``admit``, for a call sent now: only one at a time tries what is refused."""
        access = await self.admit(runtime, account, attempts, starts=starts)
        if account is None or not account.is_held or not isinstance(access, Access):
            return access
        if await self._store.try_refused(account):
            return access
        return await self._held(runtime, account, REPEATED_SECONDS, attempts)

    async def _held(
        self, runtime: Runtime, account: Account, wait: float, attempts: int, cause: str = ""
    ) -> Later:
        has_ended = account.has_ended(await self._store.now())
        cause = cause or ("approval_ended" if has_ended else account.refusal)
        is_out = cause == "sign_in_refused" and self._keys.people_out.get(runtime.name) is not None
        sentence = problems.sentence("people_out" if is_out else cause, runtime.title)
        return Later(wait, sentence, attempts, cause)

    async def _worked(self, runtime: Runtime, account: Account | None, access: Access) -> None:
        runtime.health.worked()
        if account is not None:
            self._keys.worked(account, access)
            await self._accepted(account)

    async def _accepted(self, account: Account) -> None:
        """Let everything go on that waited for a refused account to be accepted."""
        if not account.is_held:
            return
        try:
            if await self._store.accept_again(account):
                log.info("credential accepted again", connection=account.connection, account=account.id)
        except errors.StoreError as error:
            # What the provider did is known, and isn't lost with this; the next call says so again.
            log.warning("acceptance not written", connection=account.connection, problem=error)

    async def judge(
        self,
        runtime: Runtime,
        account: Account | None,
        what: str,
        error: errors.ProviderError,
        attempts: int = 0,
        *,
        spoke: bool = False,
        starts: bool = False,
    ) -> Later | Unknown | Refused:
        """Return what a provider's error means, and record it. ``spoke``: part of an answer had arrived."""
        if isinstance(error, errors.SentTooLate):
            # Nothing was sent, so nothing failed; the poll gate decides when to retry.
            return Later(0.0, None, attempts)
        who = account.id if account is not None else ""
        log.info("not done", connection=runtime.name, call=what, account=who, problem=error)
        if isinstance(error, errors.CredentialRefused):
            runtime.health.worked(error)
            return await self._refused(runtime, account, error, attempts)
        if not isinstance(error, errors.TemporaryError):
            runtime.health.worked(error)
            if account is not None:
                # Whatever the refusal was for, the sign-in was accepted.
                await self._accepted(account)
            cause = problems.cause_of(error)
            return Refused(error, cause, problems.sentence(cause, runtime.title))
        attempts += 1
        # Retry even if a longer pause was requested, so that nobody's work is stuck for an hour.
        wait = min(max(self.backoff(attempts), error.retry_after or 0.0), LONGEST_ASKED)
        if isinstance(error, errors.RateLimited):
            runtime.health.worked(error)
            is_shared = account is None or self._is_shared(runtime, account, what)
            await self._pause(runtime, who, wait, "start" if starts else "any", is_shared=is_shared)
            return Later(wait, runtime.health.asked(wait), attempts, LIMITED)
        if not spoke:
            runtime.health.failed(error)
            with suppress(errors.StoreError):
                # Before anybody is told; ``Outages`` writes a second later what couldn't be written now.
                await runtime.health.answering.write(self._store)
        cause, sentence = problems.cause_of(error), runtime.health.sentence(error)
        if isinstance(error, _AMBIGUOUS):
            if starts and error.retry_after:
                # Its result is looked for first; it isn't sent again before that.
                await self._pause(runtime, who, wait, "start", is_shared=False)
            return Unknown(wait, sentence, attempts, cause)
        return Later(wait, sentence, attempts, cause)

    async def _pause(self, runtime: Runtime, who: str, wait: float, calls: Calls, *, is_shared: bool) -> None:
        """Note that the provider asked for a pause: here at once, in the rows for other processes."""
        seconds = runtime.limits_of(calls).note(who, wait, is_shared=is_shared)
        try:
            await self._store.note_pauses(runtime.name, calls, seconds)
        except errors.StoreError as error:
            log.warning("pause not written", connection=runtime.name, problem=error)

    def _is_shared(self, runtime: Runtime, account: Account, what: str) -> bool:
        """Return whether a call uses a secret that other people's calls use as well."""
        access = self.open(account)
        return isinstance(access, Access) and runtime.provider.acts(access, what) != "person"

    async def _refused(
        self, runtime: Runtime, account: Account | None, error: errors.CredentialRefused, attempts: int
    ) -> Later | Refused:
        """Handle a refused credential; the request had no effect."""
        if account is None:
            self._keys.locked_out(runtime.name)
            became: Became = "locked"
        else:
            became = await self._keys.refused(account, runtime, error)
        match became:
            case "changed":
                return Later(0.0, None, attempts)
            case "later":
                return Later(self.backoff(attempts + 1), None, attempts)
            case "held":
                # It counts like any failing call: a credential may be good for every call but one.
                assert account is not None, "no person's own is locked"
                cause = "renamed" if isinstance(error, errors.Renamed) else ""
                return await self._held(runtime, account, REPEATED_SECONDS, attempts + 1, cause)
            case "locked":
                cause = "connection_refused"
            case _:
                cause = "credential_refused"
        return Refused(error, cause, problems.sentence(cause, runtime.title))


def _ended(runtime: Runtime, cause: str) -> Refused:
    """Return the answer for an account whose credential isn't used any more."""
    return Refused(errors.CredentialRefused(), cause, problems.sentence(cause, runtime.title))


#: ``locked``: it is the connection's own secret that is refused.
#: An error says why a renewal gave no usable credential.
_Unrenewed = Literal["later", "locked"] | errors.PermanentError
#: What became of a refused credential; see ``Keys.refused``.
Became = Literal["changed", "held", "refused", "locked", "later"]


#: Short, because a step that refreshes has already made a call, and its lease covers both.
REFRESH_SECONDS = 10.0
#: Minting with the connection's secret takes more requests: a login link, a session, the token, its owner.
MINT_SECONDS = 14.0
#: How long a decrypted secret is cached, so that a poll every ten seconds doesn't decrypt it each time.
OPEN_SECONDS = 60.0
MOST_OPEN = 5_000


class Keys:
    """Decrypt accounts' secrets, and react when a provider refuses one."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._vault = context.vault
        self._clock = context.clock
        #: Decrypted accesses by what they were decrypted from; all are dropped together when they expire.
        self._opened: dict[tuple[str, str, str], Access] = {}
        self._open_until = 0.0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: The secret from a refresh, by account, until a call with it succeeds.
        self._unproven: dict[str, str] = {}
        #: Since when connections' own secrets have been refused, in epoch seconds; None once accepted again.
        #: Connections about which nothing is known yet are absent.
        self.lockouts: dict[str, float | None] = {}
        #: The same of connections that refuse several people at once; and when a person was last accepted.
        self.people_out: dict[str, float | None] = {}
        self._accepted_at: dict[str, float] = {}

    def open(self, account: Account) -> Access:
        """Return the access for an account's calls; raise SecretError if its secret can't be decrypted."""
        now = self._clock.monotonic()
        if now >= self._open_until or len(self._opened) >= MOST_OPEN:
            self._opened.clear()
            self._open_until = now + OPEN_SECONDS
        key = (row_key(account.principal.key, account.connection), account.username, account.secret)
        access = self._opened.get(key)
        if access is None:
            sealed = self._vault.open(key[0], account.secret)
            access = self._opened[key] = Access(account.username, Credential.from_mapping(sealed))
        return access

    def worked(self, account: Account, access: Access) -> None:
        """Note that a provider accepted the credential, by the access that the call was made with."""
        self._unproven.pop(account.id, None)
        is_persons = access.credential.acts == "person"
        if is_persons:
            self._accepted_at[account.connection] = self._clock.monotonic()
        refusals = self.people_out if is_persons else self.lockouts
        if refusals.get(account.connection, 0.0) is not None:
            refusals[account.connection] = None

    async def refused(self, account: Account, runtime: Runtime, refusal: errors.CredentialRefused) -> Became:
        """Handle a refused credential: refresh it once if possible.

        ``changed``: there is a new secret, continue with it. ``held``: everything waits, and its person is
        told if the refusal repeats. ``refused``: the link is gone. ``locked``: the operator's own secret is
        refused, which linking again can't fix; it must be replaced in the settings. ``later``: the refresh
        got no answer.
        """
        lock = self._locks.setdefault(account.id, asyncio.Lock())
        async with lock:
            current = await self._store.account_by_id(account.id)
            if current is None or current.state != "active":
                return "refused"
            if current.secret != account.secret:
                return "changed"
            fresh = await self._refreshed(current, runtime.provider)
            if isinstance(fresh, Credential):
                sealed = self._vault.seal(
                    row_key(current.principal.key, current.connection), fresh.as_mapping()
                )
                if await self._store.save_secret(
                    current.id, current.secret, sealed, is_fresh=True, ends_at=fresh.ends_at
                ):
                    self._unproven[current.id] = sealed
                    await self._note_renewal(current, fresh)
                return "changed"
            if fresh == "locked":
                self.locked_out(account.connection)
                return "locked"
            if fresh == "later":
                return "later"
            accepted = self._clock.monotonic() - self._accepted_at.get(account.connection, -math.inf)
            hold = partial(
                accounts.hold,
                account=current,
                cause=problems.cause_of(fresh),
                renamed=refusal.message if isinstance(refusal, errors.Renamed) else "",
                lately=min(accepted, TOGETHER),
            )
            if await self._store.carry_out(hold) and self.people_out.get(account.connection) is None:
                log.warning("connection refuses several people", connection=account.connection)
                self.people_out[account.connection] = self._clock.now()
            return "held"

    def locked_out(self, connection: str) -> None:
        """Note that a connection's own secret is refused; logged once until it is accepted again."""
        if self.lockouts.get(connection) is None:
            log.warning("the connection's own secret is refused", connection=connection)
            self.lockouts[connection] = self._clock.now()

    def _is_of_connection(self, account: Account) -> bool:
        try:
            return self.open(account).credential.acts != "person"
        except errors.SecretError:
            return False

    async def _refreshed(self, account: Account, provider: Provider) -> Credential | _Unrenewed:
        of_connection = self._is_of_connection(account)
        refusal: _Unrenewed = "locked" if of_connection else errors.CredentialRefused()
        if not isinstance(provider, base.Renewal) or self._unproven.get(account.id) == account.secret:
            return refusal
        try:
            access = self.open(account)
            if not access.credential.is_renewable:
                return refusal
            async with asyncio.timeout(MINT_SECONDS if of_connection else REFRESH_SECONDS):
                return await provider.refresh(access)
        except errors.CredentialRefused:
            return refusal
        except (errors.ProviderError, errors.SecretError, TimeoutError) as error:
            log.info("refresh failed", connection=account.connection, problem=error)
            # The connection's secret is valid, but no longer gives access to this account.
            return error if of_connection and isinstance(error, errors.PermanentError) else "later"

    async def _note_renewal(self, account: Account, fresh: Credential) -> None:
        if fresh.acts == "admin":
            detail = {"connection": account.connection, "username": account.username, "acts": "admin"}
            await self._store.append_audit([AuditEntry("usher", "account.renew", account.id, "ok", detail)])


class Watch:
    """End a call by its ``limit``: after ``seconds``, or once its account is unlinked.

    ``current`` returns an account as it is now, None if it was unlinked. It is asked ``every`` few seconds;
    most calls are over before the first time. All that costs one timer, as there are many calls.
    """

    def __init__(
        self,
        limit: asyncio.Timeout,
        seconds: float,
        account: Account | None,
        current: Callable[[Account], Awaitable[Account | None]],
        every: float,
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        # An account that is being revoked is unlinked, and this is the call to revoke its credential.
        self._account = account if account is not None and account.state != "revoking" else None
        self._current = current
        self._every = seconds if self._account is None else every
        self._watching: asyncio.Task[None] | None = None
        self.is_unlinked = False

    def __enter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._ends_at = now + self._seconds
        self._timer = self._loop.call_at(min(now + self._every, self._ends_at), self._tick)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        if now >= self._ends_at:
            self._end()
            return
        self._timer = self._loop.call_at(min(now + self._every, self._ends_at), self._tick)
        if self._account is not None and (self._watching is None or self._watching.done()):
            self._watching = asyncio.create_task(self._watch(self._account))

    async def _watch(self, account: Account) -> None:
        # Without an answer of the store, the next look may tell.
        with suppress(errors.StoreError):
            self.is_unlinked = await self._current(account) is None
        if self.is_unlinked:
            self._timer.cancel()
            self._end()

    def _end(self) -> None:
        if not self._limit.expired():
            self._limit.reschedule(self._loop.time())


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext(Context):
    """Add to the context what the parts of one reconciler share.

    ``runtimes`` are this process's connections; followed outputs are written to the ``board``.
    """

    runtimes: Mapping[str, Runtime]
    keys: Keys
    asker: Asker
    numbers: Numbers
    jitter: Callable[[], float]
    board: Board
    news: News

    @classmethod
    def over(cls, context: Context, **parts: Any) -> EngineContext:
        """Return the context extended by the engine's own parts."""
        return cls(**{field.name: getattr(context, field.name) for field in fields(Context)}, **parts)


class EnginePart:
    """Hold what most parts of a reconciler use of its context."""

    def __init__(self, engine: EngineContext) -> None:
        self._context = engine
        self._store = engine.store
        self._clock = engine.clock
        self._ids = engine.ids
        self._owners = engine.owners
        self._installation = engine.installation
        self._runtimes = engine.runtimes
        self._asker = engine.asker
        self._numbers = engine.numbers
