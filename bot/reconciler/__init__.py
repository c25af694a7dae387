"""The reconciler: the only part that asks providers for work, step by step.

Why: ``docs/rules.md``, "Only the reconciler asks providers for work".
"""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from bot.domain.models import ClaimedOperation, ClaimedRun, NoticeKind
from bot.reconciler.ask import Asker
from bot.reconciler.classes import Classes
from bot.reconciler.context import EngineContext, Numbers, Unheard, Unobserved
from bot.reconciler.early_looks import EarlyLooks
from bot.reconciler.expiries import Expiries
from bot.reconciler.keys import Keys
from bot.reconciler.lists import Lists
from bot.reconciler.operation_calls import OperationCalls
from bot.reconciler.operations import Operations
from bot.reconciler.outages import Outages
from bot.reconciler.preconditions import Preconditions
from bot.reconciler.reads import Reads
from bot.reconciler.run_calls import RunCalls
from bot.reconciler.run_reads import RunReads, is_waited_for
from bot.reconciler.runs import Runs
from bot.reconciler.runtimes import Runtime
from bot.reconciler.streams import Streams
from bot.reconciler.suspicions import Suspicions
from bot.reconciler.tasks import Tasks
from bot.reconciler.timers import Timers
from bot.reconciler.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.output import Board
    from bot.reconciler.context import News, Observer, Replay
    from bot.services.context import Context
    from bot.support.pool import Pool

__all__ = ["Numbers", "Reconciler"]


class Reconciler:
    """Move the actual state towards what people asked for: claim, plan, call, write.

    A step returns when everything it claimed is done or, given a pool, as soon as that has begun there. It
    keeps nothing that must survive a restart: slots, locks, health and outputs belong to this process.
    ``board`` receives the outputs that it follows, for the notifier to show.
    """

    def __init__(
        self,
        context: Context,
        numbers: Numbers,
        board: Board,
        replay: Replay | None = None,
        news: News | None = None,
        jitter: Callable[[], float] = random.random,
        observer: Observer | None = None,
    ) -> None:
        seen, heard = observer or Unobserved(), news or Unheard()
        runtimes = {
            name: Runtime(name, provider, context.clock, jitter, seen, heard)
            for name, provider in context.connections.items()
        }
        keys = Keys(context)
        asker = Asker(keys, numbers.call_seconds, jitter)
        engine = EngineContext.over(
            context,
            news=heard,
            runtimes=runtimes,
            keys=keys,
            asker=asker,
            numbers=numbers,
            jitter=jitter,
            board=board,
        )
        store = context.store
        preconditions = Preconditions(engine)
        operations = Updates[ClaimedOperation](store, store.save_step, NoticeKind.WAITING)
        early = EarlyLooks()
        calls = OperationCalls(engine, operations, early)
        self._operations = Operations(engine, operations, preconditions, calls, early)
        runs = Updates[ClaimedRun](
            store,
            store.save_run_step,
            NoticeKind.JOB_WAITING,
            tells=partial(is_waited_for, store),
            held_seconds=context.deadline_seconds,
        )
        self._runs = Runs(engine, runs, preconditions, RunCalls(engine, runs), RunReads(engine, runs))
        self._reads = Reads(engine)
        self._lists = Lists(engine)
        self._suspicions = Suspicions(engine)
        self._outages = Outages(engine, self._suspicions.outages)
        self._ends = Expiries(engine)
        self._timers = Timers(engine)
        self._classes = Classes(engine)
        self._streams = Streams(engine)
        self._tasks = Tasks(engine, self._lists, replay)

    async def step_operations(self, pool: Pool | None = None) -> int:
        """Step the operations that are due; return how many there were."""
        return await self._operations.step(pool)

    async def step_reads(self, pool: Pool | None = None) -> int:
        """Send the reads that the poll gate grants; return how many there were."""
        return await self._reads.step(pool)

    async def step_tasks(self, pool: Pool | None = None) -> int:
        """Do due tasks, check suspected credentials and report outages; return how many there were."""
        looks = await self._suspicions.step(pool)
        return looks + await self._outages.step() + await self._tasks.step(pool)

    async def step_runs(self, pool: Pool | None = None) -> int:
        """Step the runs of jobs that are due; return how many there were."""
        return await self._runs.step(pool)

    async def step_streams(self, pool: Pool | None = None) -> int:
        """Open the output streams that are due; return how many there were."""
        return await self._streams.step(pool)

    async def step_classes(self, _pool: Pool | None = None) -> int:
        """Process the class cards that are due; return how many there were."""
        return await self._classes.step()

    async def step_timers(self) -> int:
        """Warn of and carry out the timers that are due; return how many there were."""
        return await self._timers.step()

    async def warn_of_ends(self) -> int:
        """Warn owners of workspaces that will soon end by themselves; return how much there was to do."""
        return await self._ends.step()

    async def refresh_lists(self) -> int:
        """Request fresh lists for accounts whose lists are old; return for how many."""
        return await self._lists.refresh()
