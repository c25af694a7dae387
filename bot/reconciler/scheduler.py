"""The loops around the steps: woken at once by writes, and by a tick of APScheduler.

APScheduler keeps its jobs in memory and only fires ticks; due work, daily work included, is in Usher's rows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bot.domain.plan import backoff
from bot.domain.tasks import TaskKind
from bot.reconciler import Reconciler
from bot.reconciler.streams import AT_ONCE as STREAMS
from bot.services.context import Wake, nobody
from bot.slack.notifier import Notifier
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
READS_REST = 0.05
#: Everything that anybody writes wakes the loop of Homes, and few of them are open.
HOMES_REST = 0.2
#: How long to wait before waking the other loops, so that much work ending together wakes them once.
SOON = 0.1


async def _rest() -> None:
    """Do nothing on a beat."""


class Loop:
    """Run a step repeatedly: at once while there is work, else when woken. Errors never end the loop."""

    def __init__(
        self,
        name: str,
        step: Callable[[Pool], Awaitable[int]],
        size: int,
        ids: Ids,
        clock: Clock,
        on_work: Wake,
        rest: float = REST,
        *,
        is_endless: bool = False,
    ) -> None:
        self.name = name
        #: Its work doesn't end by itself, and cancelling it loses nothing.
        self.is_endless = is_endless
        self._step = step
        self._ids = ids
        self._clock = clock
        self._on_work = on_work
        self._rest = rest
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self.pool = Pool(size, self._has_room)
        #: When the step last ended, by the injected monotonic clock.
        self.beat = clock.monotonic()

    def wake(self) -> None:
        """Run the step soon."""
        self._woken.set()

    def _has_room(self) -> None:
        self.wake()
        self._on_work()

    def stop(self) -> None:
        """Stop claiming work."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Run until stopped."""
        failures = 0
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                claimed = await self._step(self.pool)
            except Exception as error:
                failures += 1
                about = {"loop": self.name, "reference": self._ids.reference(), "problem": error}
                log.exception("loop failed", **about, exc_info=not isinstance(error, StoreError))
                await self._pause(backoff(failures, 0.5))
                continue
            failures = 0
            self.beat = self._clock.monotonic()
            if claimed:
                self._on_work()
            else:
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

    It is created before them, because they and all writers wake it; until ``drive`` that has no effect.
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
        self._waking: asyncio.TimerHandle | None = None
        self._ticker = Ticker(clock)
        #: What else is done every night, by name; it returns the problem, if there is one.
        self.nightly: dict[str, Callable[[], Awaitable[str | None]]] = {}

    def drive(self, reconciler: Reconciler, notifier: Notifier) -> None:
        """Create the loops for their steps; call it once, before ``start``."""
        self._reconciler = reconciler
        ids, clock = self._ids, self._clock
        self._loops = [
            Loop("operations", reconciler.operations.step, 200, ids, clock, self.work_left),
            # Most reads change nothing; those that do wake the other loops themselves.
            Loop("reads", reconciler.reads.step, 1_000, ids, clock, nobody, READS_REST),
            Loop("tasks", reconciler.step_tasks, 50, ids, clock, self.work_left),
            Loop("jobs", reconciler.runs.step, 200, ids, clock, self.work_left),
            Loop("streams", reconciler.streams.step, STREAMS, ids, clock, nobody, is_endless=True),
            Loop("clockwork", reconciler.clockwork.step, 1, ids, clock, self.work_left),
            Loop("notices", notifier.step_notices, 50, ids, clock, self.work_left),
            Loop("cards", notifier.step_cards, 20, ids, clock, self.work_left),
            Loop("homes", notifier.step_homes, 10, ids, clock, nobody, HOMES_REST),
            Loop("outputs", notifier.step_outputs, 10, ids, clock, self.work_left),
        ]

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

    def wake(self) -> None:
        """Make every loop look for work now; cheap to call often."""
        for loop in self._loops:
            loop.wake()

    def turn_in(self, seconds: float) -> None:
        """Wake the operations' loop after ``seconds``."""
        asyncio.get_running_loop().call_later(min(seconds, 60.0), self._loops[0].wake)

    def work_left(self) -> None:
        """Make every loop look for work soon; work that ends together wakes them once."""
        if self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(SOON, self._wake_now)

    def _wake_now(self) -> None:
        self._waking = None
        self.wake()

    @property
    def stalled(self) -> list[str]:
        """Return the names of loops that ended or haven't finished a step for a minute (for readiness)."""
        now = self._clock.monotonic()
        ended = {task.get_name() for task in self._running if task.done()}
        return [loop.name for loop in self._loops if loop.name in ended or now - loop.beat > 60.0]

    async def drain(self, seconds: float = 10.0) -> int:
        """Stop claiming, let running work end within the time and cancel the rest; return how many that was.

        Cancelling loses nothing: a call is found as *unknown* and read, a notice is searched for in Slack.
        """
        end = self._clock.monotonic() + seconds
        await self._ticker.stop()
        for loop in self._loops:
            loop.stop()
        if self._waking is not None:
            self._waking.cancel()
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
                self.wake()
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
