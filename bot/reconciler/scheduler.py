"""The loops around the steps: each runs when a look at the rows finds something due for it.

A look follows each commit, for the kinds whose tables it wrote, and each tick of APScheduler, for those that
time may have made due. APScheduler keeps its jobs in memory and only fires ticks; due work, daily work
included, is in Usher's rows.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import structlog

from bot.domain.plan import backoff
from bot.domain.tasks import TaskKind
from bot.reconciler import Reconciler
from bot.reconciler.streams import AT_ONCE as STREAMS
from bot.slack.notifier import Notifier
from bot.store.look import KINDS, kinds_of
from bot.store.store import Store
from bot.store.tasks import NewTask
from bot.support.clock import Clock, Ids, Ticker
from bot.support.errors import StoreError
from bot.support.pool import Pool, contained

log = structlog.get_logger(__name__)

SWEEP: Final = "sweep"
#: The second of the day, in UTC, from which daily work is due.
DAY: Final = 86_400.0
NIGHT: Final = 3 * 3600.0 + 17 * 60.0
#: How often a tiny write checks that the store is writable and what its clock says.
BEAT_SECONDS: Final = 30.0
#: How often some lists are read again, in seconds.
LISTS_EVERY: Final = 120.0
#: The subject of the task that reads everybody again: only one at a time.
EVERYBODY = "everybody"
#: The pause between two claims of a loop, in seconds: work that becomes due meanwhile is claimed together.
REST = 0.05
HOMES_REST = 0.2
#: The pause between two looks, in seconds: what is written together is looked at together.
SOON = 0.1
#: For how many seconds a look asks ahead: a kind of which nothing will be due is left alone for so long,
#: unless its tables are written. Where other processes may write them it doesn't.
AHEAD = 5.0


async def _rest() -> None:
    """Do nothing on a beat."""


Step = Callable[[Pool], Awaitable[int]]


class Loop:
    """Run a step repeatedly: at once while there is much to do, else when woken. Errors never end the loop.

    ``is_restless`` says that there is more to do than rows say.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        size: int,
        ids: Ids,
        clock: Clock,
        rest: float = REST,
        *,
        is_restless: Callable[[], bool] = bool,
        is_endless: bool = False,
    ) -> None:
        self.name = name
        #: Those whose rows it steps.
        self.kinds: Collection[str] = {name}
        self.is_restless = is_restless
        #: Its work doesn't end by itself, and cancelling it loses nothing.
        self.is_endless = is_endless
        self._step = step
        self._ids = ids
        self._clock = clock
        self._rest = rest
        self._is_busy = False
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._size = size
        self.pool = Pool(size, self._has_room)
        #: Since when a step has been under way, or failing, by the injected monotonic clock.
        self.began = math.inf

    def wake(self) -> None:
        """Run the step soon."""
        self._woken.set()

    def _has_room(self) -> None:
        # What was only just claimed would be looked for in vain.
        if self._is_busy:
            self.wake()

    def stop(self) -> None:
        """Stop claiming work."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Run until stopped."""
        failures = 0
        while not self._stopping.is_set():
            self._woken.clear()
            self.began = min(self.began, self._clock.monotonic())
            try:
                claimed = await self._step(self.pool)
            except Exception as error:
                failures += 1
                about = {"loop": self.name, "reference": self._ids.reference(), "problem": error}
                log.exception("loop failed", **about, exc_info=not isinstance(error, StoreError))
                await self._pause(backoff(failures, 0.5))
                continue
            failures = 0
            self.began = math.inf
            self._is_busy = claimed > 1 or (self._is_busy and self.pool.room < self._size)
            # After a single one there is mostly nothing left, which a look finds out for all loops at once.
            if claimed <= 1:
                await self._woken.wait()
            await self._pause(self._rest)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


class Scheduler:
    """Drive the reconciler and the notifier until drained. ``tick`` and ``beat`` are in seconds.

    It is created before them, because they wake it; until ``drive`` that has no effect.
    ``on_beat`` is called on each beat and may raise only StoreError.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        tick: float = 1.0,
        beat: float = BEAT_SECONDS,
        on_beat: Callable[[], Awaitable[None]] = _rest,
    ) -> None:
        self._on_beat = on_beat
        self._store = store
        self._clock = clock
        self._ids = ids
        self._tick = tick
        self._beats_every = beat
        self._loops: list[Loop] = []
        self._running: list[asyncio.Task[None]] = []
        #: The kinds to look for next, those that were due when last looked for, until when others won't be.
        self._asked: set[str] = set()
        self._due: set[str] = set()
        self._quiet: dict[str, float] = {}
        self._ahead = 0.0 if store.engine.is_shared else AHEAD
        self._ticker = Ticker(clock)
        #: What else is done every night, by name; it returns the problem, if there is one.
        self.nightly: dict[str, Callable[[], Awaitable[str | None]]] = {}

    def drive(self, reconciler: Reconciler, notifier: Notifier) -> None:
        """Create the loops for their steps; call it once, before ``start``."""
        self._reconciler, engine, timed = reconciler, reconciler.engine, reconciler.clockwork
        outages, board = reconciler.step_outages, engine.board
        served = reconciler.tasks.works
        self._by = engine.owners.name, engine.connections, served, notifier.card_interval, engine.warn_seconds

        def loop(name: str, step: Step, size: int, rest: float = REST, **keys: Any) -> Loop:
            return Loop(name, step, size, self._ids, self._clock, rest, **keys)

        clockwork = loop("clockwork", lambda pool: timed.step(pool, self._due), 1)
        clockwork.kinds = timed.names
        self._loops = [
            loop("look", self._look, 1, SOON),
            loop("operations", reconciler.operations.step, 200),
            loop("reads", reconciler.reads.step, 1_000),
            loop("tasks", reconciler.tasks.step, 50),
            loop("outages", lambda _: outages(self._due), 1, is_restless=reconciler.outages.is_restless),
            loop("jobs", reconciler.runs.step, 200),
            loop("streams", reconciler.streams.step, STREAMS, is_restless=board.is_used, is_endless=True),
            clockwork,
            loop("notices", notifier.step_notices, 50, is_restless=notifier.is_restless),
            loop("cards", notifier.step_cards, 20),
            loop("homes", notifier.step_homes, 10, HOMES_REST),
            loop("outputs", notifier.step_outputs, 10, is_restless=board.is_used),
        ]
        self._store.engine.report_to(self.written)

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do something else as often, from ``start`` on; it must not raise."""
        self._ticker.every(seconds, work)

    def start(self) -> None:
        """Start the loops on the running event loop; work left open by an earlier process resumes.

        Without any, only what ``every`` was given runs.
        """
        if self._loops:
            self._ticker.every(self._tick, self.wake)
            self._ticker.every(LISTS_EVERY, self._lists)
            self._ticker.every(60.0, self._links, at_once=True)
            self._ticker.every(600.0, self._daily, at_once=True)
        self._ticker.every(self._beats_every, self._beat)
        self._ticker.start()
        self._running = [asyncio.create_task(loop.run(), name=loop.name) for loop in self._loops]
        self.wake()

    def wake(self) -> None:
        """Look for whatever time may have made due; cheap to call often."""
        now, quiet = self._clock.monotonic(), {} if self._store.engine.has_jumped else self._quiet
        self._ask([kind for kind in KINDS if now >= quiet.get(kind, now)])
        for loop in self._loops:
            if loop.is_restless():
                loop.wake()

    def written(self, tables: Collection[str] | None) -> None:
        """Look for what these tables may have made due; ``None`` stands for all."""
        self._ask(KINDS if tables is None else {kind for table in tables for kind in kinds_of(table)})

    def _ask(self, kinds: Collection[str]) -> None:
        self._asked.update(kinds)
        if kinds and self._loops:
            self._loops[0].wake()

    def turn_in(self, seconds: float) -> None:
        """Look for operations after ``seconds``."""
        asyncio.get_running_loop().call_later(min(seconds, 60.0), self._ask, ["operations"])

    async def _look(self, _pool: Pool) -> int:
        """Look for what was asked about, and wake the loops for which something is due."""
        if self._store.engine.has_jumped:
            # Only a write moves times along with the clock.
            await self._store.beat()
        asked, self._asked = self._asked, set()
        now, due, quiet = self._clock.monotonic(), asked, set[str]()
        try:
            due, quiet = await self._store.look(asked, self._ahead, self._by)
        except StoreError as error:
            # Each loop finds out for itself.
            log.warning("nothing could be looked for", problem=str(error))
        self._due = self._due - asked | due
        self._quiet.update({kind: now + self._ahead * (kind in quiet) for kind in asked})
        for loop in self._loops:
            if not due.isdisjoint(loop.kinds):
                loop.wake()
        return 0

    @property
    def stalled(self) -> list[str]:
        """Return the names of loops that ended or haven't finished a step for a minute (for readiness)."""
        latest = self._clock.monotonic() - 60.0
        ended = {task.get_name() for task in self._running if task.done()}
        return [loop.name for loop in self._loops if loop.name in ended or loop.began < latest]

    async def drain(self, seconds: float = 10.0) -> int:
        """Stop claiming, let running work end within the time and cancel the rest; return how many that was.

        Cancelling loses nothing: a call is found as *unknown* and read, a notice is searched for in Slack.
        """
        end = self._clock.monotonic() + seconds
        await self._ticker.stop()
        for loop in self._loops:
            loop.stop()
        cancelled = 0
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            cancelled = len(late)
        left = max(end - self._clock.monotonic(), 0.0)
        drains = [loop.pool.drain(0.0 if loop.is_endless else left) for loop in self._loops]
        cancelled += sum(await asyncio.gather(*drains))
        log.info("drained", cancelled=cancelled)
        return cancelled

    # -- daily work ----------------------------------------------------------------------------------------

    async def _daily(self) -> None:
        """Do the daily work that hasn't been done since last night, also after a downtime."""
        async with contained("reading people", self._ids):
            if await self._is_due(TaskKind.SYNC_PEOPLE):
                # The task itself records its completion.
                await self._store.add_tasks([NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
        for name, work in {SWEEP: self._store.sweep, **self.nightly}.items():
            async with contained(name, self._ids):
                if await self._is_due(name):
                    await self._store.did_daily(name, await work() or "")

    async def _is_due(self, work: str) -> bool:
        now, last = await self._store.now(), await self._store.last_did(work)
        return last is None or last < now - (now - NIGHT) % DAY

    async def _beat(self) -> None:
        try:
            await self._store.beat()
            await self._on_beat()
        except StoreError as error:
            log.warning("nothing can be written", problem=str(error))

    async def _links(self) -> None:
        async with contained("links", self._ids):
            await self._store.empty_links()

    async def _lists(self) -> None:
        async with contained("lists", self._ids):
            await self._reconciler.lists.refresh()
