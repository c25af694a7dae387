"""The scheduler: one loop for each kind of work. Each loop sleeps until its first row is due.

Each row stores when it is due. A process looks up the next due time of a kind of work after each commit to
the kind's tables, after each of the loop's steps, and when another process reports a change. If other
processes write to the same database, it also does so once a second. A single timer wakes the loops at the
first due time.

APScheduler keeps its jobs in memory, so it is used only to run things at intervals. All other work that
becomes due, including daily work, is recorded in the database.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog

from bot.domain.plan import backoff
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import EXPIRY_WARNING_SECONDS
from bot.reconciler import Reconciler, lists
from bot.reconciler.streams import MAX_STREAMS
from bot.services.owners import Owners
from bot.slack.notifier import Notifier
from bot.store import due_work, links, maintenance, schema, sweeping, tasks
from bot.store.due_work import list_kinds
from bot.store.queues import KINDS_BY_TABLE
from bot.store.store import Store
from bot.store.tasks import NewTask
from bot.support.clock import Clock, Ids, Ticker
from bot.support.errors import StoreError
from bot.support.pool import Pool, contain_errors

log = structlog.get_logger(__name__)

SWEEP: Final = "sweep"
DAY_SECONDS: Final = 86_400.0
#: Time at which daily work becomes due (03:17 UTC), in seconds after midnight.
NIGHT_SECOND_OF_DAY: Final = 3 * 3600.0 + 17 * 60.0
#: Interval, in seconds, between the tiny writes that test whether the store is writable and read its clock.
BEAT_SECONDS: Final = 30.0
#: Interval, in seconds, at which Usher looks for outdated lists of workspaces and reads them again.
LIST_REFRESH_SECONDS: Final = 120.0
#: Subject of the task that reads everyone from Slack. Tasks with the same subject never run concurrently.
EVERYBODY = "everybody"
#: How long a loop pauses between two claims, in seconds. Rows that become due during the pause are claimed
#: together.
LOOP_REST_SECONDS = 0.05
#: Pause between two claims of due reads, in seconds. It has to be short, because each claim takes no more
#: reads than the connection has free request slots. With 51 free slots, reading 10,000 starting workspaces
#: every 10.5 s takes 19 claims a second. ``LOOP_REST_SECONDS`` would allow at most 20, even if the claims
#: themselves took no time.
READS_REST_SECONDS = 0.03
#: Minimum time between queries of due times, in seconds, so that several writes in quick succession need only
#: one query.
QUERY_REST_SECONDS = 0.1
#: How long a loop pauses, in seconds, if two claims in a row found nothing although rows were due. Other
#: processes have probably claimed these rows. A single empty claim is no reason to pause, because a loop may
#: be woken once more after it has claimed the last due rows itself.
EMPTY_CLAIM_REST_SECONDS = 1.0
#: The timer is set only for due times less than this many seconds away. Later ones can wait, because each
#: heartbeat queries the due times again.
MAX_TIMER_SECONDS = 3_600.0


Step = Callable[[Pool], Awaitable[int]]


class Loop:
    """Repeats a step: immediately if there is plenty to do, otherwise when it is woken.

    Errors never end it. ``is_restless`` returns whether there is work that no row shows as due.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        size: int,
        ids: Ids,
        clock: Clock,
        rest: float = LOOP_REST_SECONDS,
        *,
        is_restless: Callable[[], bool] = bool,
        is_endless: bool = False,
    ) -> None:
        self.name = name
        #: The kinds of work whose rows this loop processes.
        self.kinds: frozenset[str] = frozenset({name})
        self.is_restless = is_restless
        #: Whether the loop's work runs until it is cancelled. When Usher shuts down, it cancels such work at
        #: once, which does no harm.
        self.is_endless = is_endless
        self._step = step
        self._ids = ids
        self._clock = clock
        self._rest = rest
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self.pool = Pool(size, self._on_room)
        #: Monotonic time at which the current step began. If the step fails, this stays unchanged until a
        #: step succeeds.
        self.began = math.inf
        #: Monotonic time until which the loop pauses, because its last two claims found no rows.
        self.rests_until = -math.inf
        #: Callback that runs after each step.
        self.on_step: Callable[[], None] = lambda: None

    def wake(self) -> None:
        """Wake the loop, so that it runs its next step soon."""
        self._woken.set()

    def _on_room(self) -> None:
        # If the last step had room to spare, claiming again immediately would find nothing.
        if self.pool.was_filled:
            self.wake()

    def stop(self) -> None:
        """Make the loop stop claiming work."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Run steps until the loop is stopped."""
        failures = empty_claims = 0
        while not self._stopping.is_set():
            self._woken.clear()
            self.pool.was_filled = False
            self.began = min(self.began, self._clock.monotonic())
            try:
                claimed = await self._step(self.pool)
            except Exception as error:
                failures += 1
                about = {"loop": self.name, "reference": self._ids.reference(), "problem": error}
                log.exception("loop failed", **about, exc_info=not isinstance(error, StoreError))
                with suppress(TimeoutError):
                    async with asyncio.timeout(backoff(failures, 0.5)):
                        await self._stopping.wait()
                continue
            failures = 0
            self.began = math.inf
            empty_claims = 0 if claimed else empty_claims + 1
            rests_for = EMPTY_CLAIM_REST_SECONDS if empty_claims > 1 else -math.inf
            self.rests_until = self._clock.monotonic() + rests_for
            self.on_step()
            # If there was room to spare, nothing else was due, so rest until woken. Then one query of due
            # times serves all loops.
            if not (claimed and self.pool.was_filled):
                await self._woken.wait()
            await asyncio.sleep(self._rest)


class Scheduler:
    """The scheduler of the reconciler and the notifier. ``tick`` and ``beat`` are intervals in seconds.

    It is created before the reconciler and the notifier, because they wake it. Waking it has no effect until
    ``drive`` is called. ``on_beat`` is called on each beat, and may raise only StoreError. If several
    processes share a database, only the leading one starts work as soon as it is due. The others wait a
    little (``Owners.leaves_for``) and then do whatever it hasn't started, so that additional processes don't
    repeat its work.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        tick: float = 1.0,
        beat: float = BEAT_SECONDS,
        on_beat: Callable[[], Awaitable[None]] | None = None,
        owners: Owners | None = None,
    ) -> None:
        self._on_beat = on_beat
        self._owners = owners or Owners()
        self._store = store
        self._clock = clock
        self._ids = ids
        self._tick = tick
        self._beats_every = beat
        self._loops: list[Loop] = []
        self._running: list[asyncio.Task[None]] = []
        #: Kinds of work whose due times must be queried, each with a delay in seconds. During the delay,
        #: another process may claim the due rows. ``_due_at`` maps each kind to the monotonic time at which
        #: its first row is due, plus the delay.
        self._changed: dict[str, float] = {}
        self._due_at: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._ticker = Ticker(clock)
        #: Functions for additional nightly work, keyed by the name of the work. Each is told whether its work
        #: is due, and returns "" if it succeeded, a description of the problem if it failed, or None if there
        #: was nothing to do.
        self.nightly: dict[str, Callable[[bool], Awaitable[str | None]]] = {}

    def drive(self, reconciler: Reconciler, notifier: Notifier) -> None:
        """Create the loops for the reconciler and the notifier. Call this once, before ``start``."""
        self._engine, timed = reconciler.engine, reconciler.scheduled_work
        outages, board = reconciler.outages, self._engine.board
        served = reconciler.tasks.handlers
        self._by = self._engine.connections, served, EXPIRY_WARNING_SECONDS

        def loop(name: str, step: Step, size: int, rest: float = LOOP_REST_SECONDS, **keys: Any) -> Loop:
            return Loop(name, step, size, self._ids, self._clock, rest, **keys)

        scheduled_work = loop("scheduled_work", lambda pool: timed.step(pool, self.due), 1)
        scheduled_work.kinds = frozenset(timed.names)
        self._loops = [
            loop("due", self._query_due_times, 1, QUERY_REST_SECONDS),
            loop("operations", reconciler.operations.step, 200),
            loop("reads", reconciler.reads.step, 1_000, READS_REST_SECONDS),
            loop("tasks", reconciler.tasks.step, 50),
            loop("outages", lambda _: outages.step(self.due), 1, is_restless=outages.is_restless),
            loop("jobs", reconciler.runs.step, 200),
            loop("streams", reconciler.streams.step, MAX_STREAMS, is_restless=board.is_used, is_endless=True),
            scheduled_work,
            loop("notices", notifier.step_notices, 50, is_restless=notifier.is_restless),
            loop("cards", notifier.step_cards, 20),
            loop("outputs", notifier.step_outputs, 10, is_restless=board.is_used),
        ]
        for one in self._loops[1:]:
            one.on_step = partial(self._on_step, one.kinds)
        self._store.engine.report_to(self.on_written)

    def call_every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Call ``work`` at intervals, once ``start`` has been called. ``work`` must not raise."""
        self._ticker.every(seconds, work)

    def start(self) -> None:
        """Start the loops on the running event loop. Any work left open by an earlier process is resumed.

        If ``drive`` wasn't called, there are no loops, so only the heartbeat and the work given to
        ``call_every`` run.
        """
        if self._loops:
            self._ticker.every(self._tick, self._on_tick)
            self._ticker.every(LIST_REFRESH_SECONDS, self._refresh_lists)
            self._ticker.every(60.0, self._empty_links, at_once=True)
            self._ticker.at_night(self._run_daily)
        self._ticker.every(self._beats_every, self._write_heartbeat)
        self._ticker.start()
        self._running = [asyncio.create_task(loop.run(), name=loop.name) for loop in self._loops]
        self.wake()

    def wake(self) -> None:
        """Schedule a query that finds out when each kind of work is due."""
        self._note_changed(list_kinds(), self._owners.leaves_for)

    def on_written(self, tables: Collection[str] | None) -> None:
        """Schedule a query of due times for the kinds of work whose tables were written (None: all kinds)."""
        written = KINDS_BY_TABLE.keys() if tables is None else KINDS_BY_TABLE.keys() & tables
        kinds = set[str]().union(*(KINDS_BY_TABLE[table] for table in written))
        for loop in self._loops:
            if not loop.kinds.isdisjoint(kinds):
                loop.rests_until = -math.inf
        self._note_changed(kinds)

    def _on_step(self, kinds: Collection[str]) -> None:
        # A claim isn't reported as a write, so after each step the loop's due kinds are queried again.
        self._note_changed(self.due.intersection(kinds), self._owners.leaves_for)

    async def _on_tick(self) -> None:
        """Detect clock jumps, and writes by other processes."""
        if self._store.engine.has_jumped or self._store.engine.is_shared:
            self.wake()
        for loop in self._loops:
            if loop.is_restless():
                loop.wake()
        self._wake_due()

    def _note_changed(self, kinds: Collection[str], left_for: float = 0.0) -> None:
        for kind in kinds:
            self._changed[kind] = min(self._changed.get(kind, left_for), left_for)
        if kinds and self._loops:
            self._loops[0].wake()

    async def _query_due_times(self, _pool: Pool) -> int:
        """Find out when each kind of work that may have changed is due next, and wake the loops."""
        if self._store.engine.has_jumped:
            # After a clock jump, the next write adjusts the stored times, so write something.
            await self._store.perform(schema.write_heartbeat)
        kinds, self._changed = self._changed, {}
        if not kinds:
            return 0
        due_in = dict.fromkeys(kinds, 0.0)
        try:
            due_in = await self._store.read(due_work.find_next_due, kinds.keys(), *self._by)
        except StoreError as error:
            # If due times can't be queried, all these kinds count as due, and each loop checks for itself.
            log.warning("nothing could be looked for", problem=str(error))
        now = self._clock.monotonic()
        self._due_at |= {kind: now + seconds + kinds[kind] for kind, seconds in due_in.items()}
        self._wake_due()
        return 0

    @property
    def due(self) -> set[str]:
        """Return the kinds of work for which a row is due."""
        now = self._clock.monotonic()
        return {kind for kind, at in self._due_at.items() if at <= now}

    def _wake_due(self) -> None:
        """Wake the loops that have due rows, and set the timer for the next due time."""
        due, now = self.due, self._clock.monotonic()
        times = [at for kind, at in self._due_at.items() if kind not in due]
        for loop in self._loops:
            if due.isdisjoint(loop.kinds):
                continue
            if loop.rests_until <= now:
                loop.wake()
            else:
                times.append(loop.rests_until)
        if self._timer is not None:
            self._timer.cancel()
        seconds = min(times, default=math.inf) - now
        if self._running and seconds < MAX_TIMER_SECONDS:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._wake_due)

    @property
    def stalled(self) -> list[str]:
        """Return the names of loops that have ended or haven't finished a step for a minute."""
        latest = self._clock.monotonic() - 60.0
        ended = {task.get_name() for task in self._running if task.done()}
        return [loop.name for loop in self._loops if loop.name in ended or loop.began < latest]

    async def drain(self, seconds: float = 10.0) -> int:
        """Stop claiming, and give running work ``seconds`` to finish. Cancel the rest and return its count.

        Cancelling loses nothing. Usher later asks the provider whether a cancelled call took effect, and
        searches Slack for a cancelled notice.
        """
        end = self._clock.monotonic() + seconds
        await self._ticker.stop()
        if self._timer is not None:
            self._timer.cancel()
        for loop in self._loops:
            loop.stop()
        cancelled = 0
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            cancelled = len(late)
        seconds_left = max(end - self._clock.monotonic(), 0.0)
        drains = [loop.pool.drain(0.0 if loop.is_endless else seconds_left) for loop in self._loops]
        cancelled += sum(await asyncio.gather(*drains))
        log.info("drained", cancelled=cancelled)
        return cancelled

    # -- daily work ----------------------------------------------------------------------------------------

    async def _run_daily(self) -> None:
        """Do the nightly work that hasn't been done since last night, even if Usher was down at that time."""
        async with contain_errors("reading people", self._ids):
            if await self._is_due(TaskKind.SYNC_PEOPLE):
                # The task itself records its completion.
                await self._store.write(tasks.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
        for name, work in {SWEEP: self._sweep, **self.nightly}.items():
            async with contain_errors(name, self._ids):
                if (problem := await work(await self._is_due(name))) is not None:
                    await self._store.write(maintenance.note_daily_work, name, problem)

    async def _sweep(self, is_due: bool) -> str | None:
        if not is_due:
            return None
        await self._store.perform(sweeping.sweep)
        return ""

    async def _is_due(self, work: str) -> bool:
        now, last = await self._store.now(), await self._store.read(maintenance.find_last_done, work)
        return last is None or last < now - (now - NIGHT_SECOND_OF_DAY) % DAY_SECONDS

    async def _write_heartbeat(self) -> None:
        try:
            await self._store.perform(schema.write_heartbeat)
            # Query all due times again, in case a write by another process went unnoticed.
            self.wake()
            if self._on_beat is not None:
                await self._on_beat()
        except StoreError as error:
            log.warning("nothing can be written", problem=str(error))

    async def _empty_links(self) -> None:
        async with contain_errors("links", self._ids):
            await self._store.perform(links.clear_ended_links)

    async def _refresh_lists(self) -> None:
        async with contain_errors("lists", self._ids):
            await lists.refresh(self._engine)
