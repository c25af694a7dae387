"""The reconciler: the only one that calls providers for work, step by step.

Why: ``docs/rules.md``, "Only the reconciler asks providers for work".
"""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from bot.domain.models import ClaimedJob, ClaimedOperation, NoticeKind
from bot.output import Board
from bot.reconciler.approvals import Approved
from bot.reconciler.ask import Asker
from bot.reconciler.classes import Classes
from bot.reconciler.expiries import Expiries
from bot.reconciler.job_calls import JobCalls
from bot.reconciler.job_reads import JobReads, is_waited_for
from bot.reconciler.jobs import Runs
from bot.reconciler.keys import Keys
from bot.reconciler.lists import Lists
from bot.reconciler.operation_calls import OperationCalls
from bot.reconciler.operations import Operations
from bot.reconciler.outages import Outages
from bot.reconciler.ports import Numbers, Observer, PeopleBook, Replay, Unobserved
from bot.reconciler.preconditions import Preconditions
from bot.reconciler.reads import Reads
from bot.reconciler.runtimes import Runtime
from bot.reconciler.streams import Streams
from bot.reconciler.suspicions import Suspicions
from bot.reconciler.tasks import Tasks
from bot.reconciler.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.providers.base import Provider
    from bot.store.store import Store
    from bot.support.clock import Clock, Ids
    from bot.support.pool import Pool
    from bot.support.vault import Vault

__all__ = ["Numbers", "Observer", "PeopleBook", "Reconciler", "Replay"]


class Reconciler:
    """Bring what is towards what people ask for: claim, plan, call, write.

    A step returns when all that it claimed is done, or, given a pool, as soon as it has begun there.
    Keeps nothing that a restart must not lose: slots, locks, health and outputs are this process's own.
    ``board`` is where the outputs that it follows are written down, for the notifier to show.
    """

    def __init__(
        self,
        store: Store,
        connections: Mapping[str, Provider],
        vault: Vault,
        people: PeopleBook,
        clock: Clock,
        ids: Ids,
        numbers: Numbers,
        replay: Replay | None = None,
        jitter: Callable[[], float] = random.random,
        observer: Observer | None = None,
        *,
        board: Board | None = None,
    ) -> None:
        seen = observer or Unobserved()
        runtimes = {
            name: Runtime(name, provider, clock, jitter, seen) for name, provider in connections.items()
        }
        keys = Keys(store, vault, clock)
        asker = Asker(keys, numbers.call_seconds, jitter)
        self.connections = tuple(runtimes)
        preconditions = Preconditions(runtimes, people, numbers)
        operations = Updates[ClaimedOperation](store, store.save_step, NoticeKind.WAITING)
        calls = OperationCalls(store, asker, operations, numbers)
        self._operations = Operations(store, operations, preconditions, calls, ids, numbers)
        self._reads = Reads(store, runtimes, keys, asker, clock, ids, numbers)
        self._lists = Lists(store, runtimes, asker, numbers)
        self._suspicions = Suspicions(store, runtimes, asker)
        self._outages = Outages(store, runtimes, numbers, keys.lockouts, self._suspicions.outages)
        self._ends = Expiries(store, runtimes, numbers)
        self._classes = Classes(store, runtimes, clock, ids, numbers)
        self._runtimes = tuple(runtimes.values())
        approved = Approved(store, runtimes, asker, vault, ids)
        board = board or Board(clock.monotonic)
        runs = Updates[ClaimedJob](
            store,
            store.save_job_step,
            NoticeKind.JOB_WAITING,
            tells=partial(is_waited_for, store),
            held_seconds=numbers.deadline_seconds,
        )
        job_calls = JobCalls(store, asker, runs, numbers)
        job_reads = JobReads(store, asker, runs, board, clock, numbers)
        self._runs = Runs(store, runs, preconditions, job_calls, runtimes, job_reads, ids, numbers)
        self._streams = Streams(store, runtimes, asker, board, clock, ids)
        self._tasks = Tasks(
            store, runtimes, asker, self._lists, approved, people, replay, ids, numbers, jitter
        )

    def on_news(self, listener: Callable[[], None]) -> None:
        """Have somebody told when reads left work for others: most change nothing but a time."""
        self._reads.on_news(listener)

    def on_turn(self, listener: Callable[[float], None]) -> None:
        """Have somebody told after how many seconds an operation has its turn: no tick is as fine as that."""
        for runtime in self._runtimes:
            runtime.start_queue.wake_in = listener

    async def step_operations(self, pool: Pool | None = None) -> int:
        """Step the operations that are due; return how many there were."""
        return await self._operations.step(pool)

    async def step_reads(self, pool: Pool | None = None) -> int:
        """Send the reads that the poll gate grants; return how many there were."""
        return await self._reads.step(pool)

    async def step_tasks(self, pool: Pool | None = None) -> int:
        """Do due tasks, look at suspected credentials, tell of outages; return how many there were."""
        looks = await self._suspicions.step(pool)
        return looks + await self._outages.step() + await self._tasks.step(pool)

    async def step_jobs(self, pool: Pool | None = None) -> int:
        """Step the runs of jobs that are due; return how many there were."""
        return await self._runs.step(pool)

    async def step_streams(self, pool: Pool | None = None) -> int:
        """Begin the streams of outputs that are due; return how many there were."""
        return await self._streams.step(pool)

    async def step_classes(self, _pool: Pool | None = None) -> int:
        """See to the class cards that are due; return how many there were."""
        return await self._classes.step()

    async def warn_of_ends(self) -> int:
        """Tell owners of what ends by itself soon; return how much there was to do."""
        return await self._ends.step()

    async def refresh_lists(self) -> int:
        """Ask for fresh lists where they are old; return for how many accounts."""
        return await self._lists.refresh()
