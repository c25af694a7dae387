"""The reconciler: the only part that asks providers for work, step by step.

Why: ``docs/internals/rules.md``, "Only the reconciler asks providers for work".
"""

import math
import random
from collections.abc import Callable, Collection
from typing import Any

from bot.domain.people import Principal
from bot.domain.tasks import Task, TaskKind
from bot.output.transcript import Board
from bot.reconciler.approvals import Approvals
from bot.reconciler.ask import Asker
from bot.reconciler.clockwork import Clockwork
from bot.reconciler.context import EngineContext
from bot.reconciler.keys import Keys
from bot.reconciler.lists import Lists
from bot.reconciler.operations import Operations
from bot.reconciler.outages import Outages
from bot.reconciler.pauses import Pauses
from bot.reconciler.people import People
from bot.reconciler.reads import Reads
from bot.reconciler.renewals import Renewals
from bot.reconciler.revocations import Revocations
from bot.reconciler.runs import Runs
from bot.reconciler.runtimes import Numbers, Observer, Replay, Runtime
from bot.reconciler.schedules import Schedules
from bot.reconciler.snapshots import Snapshots
from bot.reconciler.streams import Streams
from bot.reconciler.tasks import Tasks, Work
from bot.services.classes import CLASSES
from bot.services.context import Context
from bot.services.due import Due
from bot.services.expiries import EXPIRIES
from bot.services.hours import HOURS, NEEDED
from bot.services.lesson_times import LESSONS
from bot.services.lessons import MEMBERS
from bot.services.reminders import REMINDERS
from bot.services.timers import TIMERS
from bot.services.waits import WAITS

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
        replay: Replay,
        observer: Observer,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        runtimes = {
            name: Runtime(name, provider, context.clock, jitter, observer)
            for name, provider in context.connections.items()
        }
        keys = Keys(context)
        asker = Asker(context.store, keys, numbers, jitter, context.clock.monotonic)
        engine = EngineContext.over(
            context,
            runtimes=runtimes,
            keys=keys,
            asker=asker,
            numbers=numbers,
            jitter=jitter,
            board=board,
        )
        self.engine = engine
        self.lists = Lists(engine)
        self.outages = Outages(engine)
        self._pauses = Pauses(engine)
        workers = (self.lists, Snapshots(engine), Schedules(engine), Approvals(engine), People(engine))
        works = {
            kind: work
            for one in (*workers, Revocations(engine), Renewals(engine))
            for kind, work in one.works().items()
        }
        self._replay = replay
        works[TaskKind.REPLAY] = Work(do=self._replayed, tries=3)
        works[TaskKind.FOLLOW] = Work(do=engine.store.go_on, tries=math.inf)
        self.tasks = Tasks(engine, works)
        # The step of each returns how much there was to do.
        self.operations, self.runs = Operations(engine), Runs(engine)
        self.reads = Reads(engine)
        self.streams = Streams(engine)
        kinds: list[Due[Any]] = [CLASSES, MEMBERS, HOURS, LESSONS, TIMERS, EXPIRIES, REMINDERS, NEEDED, WAITS]
        self.clockwork = Clockwork(context, kinds)

    async def _replayed(self, task: Task) -> None:
        principal = Principal.from_key(str(task.payload["principal"]))
        # The task's id distinguishes a retry of the same command from a second command.
        await self._replay(principal, {**task.payload["command"], "task": task.id})

    async def step_outages(self, due: Collection[str] = ("outages",)) -> int:
        """Learn of pauses, report outages; return how many. Rows of either are read where they are due."""
        if "outages" in due:
            await self._pauses.step()
        return await self.outages.step(reads="outages" in due)
