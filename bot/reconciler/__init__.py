"""The reconciler: the only part that asks providers for work, step by step.

Why: ``docs/internals/rules.md``, "Only the reconciler asks providers for work".
"""

import math
import random
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from bot.domain.people import Principal
from bot.domain.tasks import Task, TaskKind
from bot.domain.transcript import Board
from bot.reconciler.context import EngineContext
from bot.reconciler.keys import Keys
from bot.reconciler.lists import ListReader
from bot.reconciler.operations import Operations
from bot.reconciler.outages import Outages
from bot.reconciler.pauses import Pauses
from bot.reconciler.people import PeopleTasks
from bot.reconciler.provider_calls import ProviderCaller
from bot.reconciler.reads import Reads
from bot.reconciler.revocations import Revocations
from bot.reconciler.runs import RunStepper
from bot.reconciler.runtimes import Numbers, Observer, Replay, Runtime
from bot.reconciler.scheduled_work import Clockwork
from bot.reconciler.snapshots import Snapshots
from bot.reconciler.streams import Streams
from bot.reconciler.tasks import Tasks, TaskWorker, Work
from bot.services.context import Context
from bot.services.due_timers import TIMERS
from bot.services.scheduled_work import ScheduledWork
from bot.store import fan_out

__all__ = ["Numbers", "Reconciler"]


class EngineFeature(Protocol):
    """The parts of a feature that the engine drives: kinds of due rows, and workers for kinds of tasks."""

    @property
    def due(self) -> Sequence[ScheduledWork[Any]]:
        """Return the kinds of rows that come due."""
        ...

    @property
    def workers(self) -> Sequence[Callable[[EngineContext], TaskWorker]]:
        """Return the classes that do tasks."""
        ...


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
        replay: Replay,
        observer: Observer,
        jitter: Callable[[], float] = random.random,
        *,
        features: Sequence[EngineFeature],
    ) -> None:
        runtimes = {
            name: Runtime(name, provider, context.clock, jitter, observer)
            for name, provider in context.connections.items()
        }
        keys = Keys(context)
        provider_caller = ProviderCaller(context.store, keys, numbers, jitter, context.clock.monotonic)
        engine = EngineContext.over(
            context,
            runtimes=runtimes,
            keys=keys,
            provider_caller=provider_caller,
            numbers=numbers,
            jitter=jitter,
            board=board,
        )
        self.engine = engine
        self.lists = ListReader(engine)
        self.outages = Outages(engine)
        self._pauses = Pauses(engine)
        workers: list[TaskWorker] = [self.lists, Snapshots(engine), PeopleTasks(engine), Revocations(engine)]
        workers += [make(engine) for feature in features for make in feature.workers]
        works = {kind: work for worker in workers for kind, work in worker.works().items()}
        self._replay = replay
        works[TaskKind.REPLAY] = Work(do=self._replayed, tries=3)
        works[TaskKind.FOLLOW] = Work(
            do=lambda task: engine.store.perform(fan_out.go_on, task), tries=math.inf
        )
        self.tasks = Tasks(engine, works)
        # The step of each returns how much there was to do.
        self.operations, self.runs = Operations(engine), RunStepper(engine)
        self.reads = Reads(engine)
        self.streams = Streams(engine)
        kinds = [TIMERS, *(kind for feature in features for kind in feature.due)]
        self.clockwork = Clockwork(context, sorted(kinds, key=lambda kind: kind.order))

    async def _replayed(self, task: Task) -> None:
        principal = Principal.from_key(str(task.payload["principal"]))
        # The task's id distinguishes a retry of the same command from a second command.
        await self._replay(principal, {**task.payload["command"], "task": task.id})

    async def step_outages(self, due: Collection[str] = ("outages",)) -> int:
        """Learn of pauses, report outages; return how many. Rows of either are read where they are due."""
        if "outages" in due:
            await self._pauses.step()
        return await self.outages.step(reads="outages" in due)
