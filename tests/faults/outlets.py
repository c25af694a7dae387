"""A process's outgoing calls, with a fuse that makes the N-th one fail or kills the process at that point."""

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

from bot.app import Outlets
from bot.slack.web_api import WebApi
from bot.store.sqlite import SqliteEngine
from bot.store.store import Store
from bot.store.transaction import Priority
from bot.support.errors import SlackUnknownOutcome, StoreBusy, UnknownOutcome
from bot.support.http import Http
from tests.reconciler.fuse import Killed
from tests.rigs.engine import EngineWithoutThread


class Fuse:
    """A fuse that lets ``at - 1`` calls through, and fails the next one before or after its effect.

    If it kills, no later call gets through. With ``at=0`` it never blows. ``count`` is the number of calls so
    far. If ``done`` is given, it returns how many rows have been written: until that changes, repeated calls
    from one place count once, as idle loops make the same calls over and over.
    """

    def __init__(
        self,
        at: int = 0,
        *,
        after: bool = False,
        is_kill: bool = False,
        done: Callable[[], int] | None = None,
    ) -> None:
        self._at = at
        self._after = after
        self._is_kill = is_kill
        self._done = done
        self._was_done = -1
        self._made: set[str] = set()
        self.count = 0
        self.is_blown = False
        self.what = ""

    @property
    def is_dead(self) -> bool:
        return self.is_blown and self._is_kill

    @contextmanager
    def point(self, what: str, error: Exception, *, may_fail_after: bool = True):
        """Wrap one call. ``may_fail_after`` is False if the call can't fail once it is done."""
        if self.is_dead:
            raise Killed
        counts = self._counts(what)
        self.count += counts
        is_mine = counts and self.count == self._at
        if is_mine and not self._after:
            self._blow(what, error)
        yield
        if is_mine and self._after and (self._is_kill or may_fail_after):
            self._blow(what, error)
        if self.is_dead:
            raise Killed

    def _counts(self, what: str) -> bool:
        if self._done is None:
            return True
        if (done := self._done()) != self._was_done:
            self._was_done = done
            self._made.clear()
        place = f"{what} from {_caller()}"
        is_first = place not in self._made
        self._made.add(place)
        return is_first

    def _blow(self, what: str, error: Exception) -> None:
        self.is_blown = True
        self.what = what
        raise Killed if self._is_kill else error


#: Files that only pass work on to the store.
_BETWEEN = ("/tests/faults/outlets.py", "/bot/store/store.py", "/bot/store/transaction.py", "/contextlib.py")


def _caller() -> str:
    """Return the file and line from which the store is called."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.endswith(_BETWEEN) and frame.f_back is not None:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class Breaker:
    """The current fuse, which every call checks.

    With ``patience`` the store has its queue and thread. Without it, everything happens on the injected
    clock.
    """

    def __init__(self, patience: Mapping[Priority, float] | None = None) -> None:
        self.fuse = Fuse()
        self._patience = patience
        self._engine: SqliteEngine | None = None

    def done(self) -> int:
        """Return how many rows the process has changed so far."""
        engine = self._engine
        return engine.changes if isinstance(engine, EngineWithoutThread) else 0

    def outlets(self) -> Outlets:
        """Return the outgoing interfaces, wrapped with the fuse."""

        async def store(url: str, clock: Any, ids: Any) -> Store:
            path = url.removeprefix("sqlite:///")
            if self._patience is None:
                engine: SqliteEngine = EngineWithoutThread(path, clock, ids)
            else:
                engine = SqliteEngine(path, clock, ids, patience=self._patience)
            await engine.open()
            self._engine = engine
            return Store(_Engine(engine, self))

        def http(session: Any, monotonic: Any) -> Http:
            return _Http(session, monotonic, self)

        def slack(token: str, base_url: str, session: Any, clock: Any) -> _Slack:
            return _Slack(WebApi(token, base_url, session, clock), self)

        return Outlets(store=store, http=http, slack=slack)


class _Engine:
    """A store's engine whose errors only come before the work.

    Work that the engine gives up has no effect, so it can't fail afterwards.
    """

    def __init__(self, engine: Any, breaker: Breaker) -> None:
        self._engine = engine
        self._breaker = breaker

    async def read(self, *arguments: Any, **keys: Any) -> Any:
        return await self._through("read", arguments, keys)

    async def write(self, *arguments: Any, **keys: Any) -> Any:
        return await self._through("write", arguments, keys)

    async def migrate(self, **keys: Any) -> Any:
        return await self._through("migrate", (), keys)

    async def _through(self, name: str, arguments: Any, keys: Any) -> Any:
        busy = StoreBusy("not committed in time")
        with self._breaker.fuse.point(f"store {name}", busy, may_fail_after=False):
            return await getattr(self._engine, name)(*arguments, **keys)

    async def tidy(self) -> None:
        await self._through("tidy", (), {})

    @property
    def is_exclusive(self) -> bool:
        return bool(self._engine.is_exclusive)

    def serves(self) -> None:
        self._engine.serves()

    @property
    def is_shared(self) -> bool:
        return self._engine.is_shared

    @property
    def clock(self) -> Any:
        return self._engine.clock

    @property
    def changes(self) -> int:
        return self._engine.changes

    @property
    def has_jumped(self) -> bool:
        return self._engine.has_jumped

    def report_to(self, on_write: Any) -> None:
        self._engine.report_to(on_write)

    def end_on_migration(self, end: Any) -> None:
        self._engine.end_on_migration(end)

    async def listen(self, on_write: Any, is_wanted: Any) -> None:
        await self._engine.listen(on_write, is_wanted)

    def clock_reading(self) -> Any:
        return self._engine.clock_reading()

    def now(self) -> float:
        return self._engine.now()

    def end_within(self, seconds: float) -> None:
        self._engine.end_within(seconds)

    async def close(self) -> None:
        await self._engine.close()


class _Http(Http):
    def __init__(self, session: Any, monotonic: Any, breaker: Breaker) -> None:
        super().__init__(session, monotonic)
        self._breaker = breaker

    @asynccontextmanager
    async def stream(self, method: str, url: str, **options: Any):
        with self._point(method, url):
            async with super().stream(method, url, **options) as opened:
                yield opened

    def _point(self, method: str, url: str) -> AbstractContextManager[None]:
        path = url.partition("://")[2].partition("/")[2]
        return self._breaker.fuse.point(f"{method} {path}", UnknownOutcome("no answer in time"))


class _Slack:
    def __init__(self, slack: WebApi, breaker: Breaker) -> None:
        self._slack = slack
        self._breaker = breaker

    async def call(self, method: str, arguments: Any) -> Any:
        with self._breaker.fuse.point(method, SlackUnknownOutcome(method, "no_answer")):
            return await self._slack.call(method, arguments)

    async def upload(self, url: str, pieces: Any, size: int) -> None:
        with self._breaker.fuse.point("upload", SlackUnknownOutcome("upload_url", "no_answer")):
            await self._slack.upload(url, pieces, size)
