"""The reconciler: the only part that asks providers for work, step by step.

Why: ``docs/rules.md``, "Only the reconciler asks providers for work".
"""

import random
from collections.abc import Callable, Collection
from typing import Any

from bot.output.transcript import Board
from bot.reconciler.ask import Asker
from bot.reconciler.clockwork import Clockwork
from bot.reconciler.context import EngineContext
from bot.reconciler.keys import Keys
from bot.reconciler.lists import Lists
from bot.reconciler.operations import Operations
from bot.reconciler.outages import Outages
from bot.reconciler.pauses import Pauses
from bot.reconciler.reads import Reads
from bot.reconciler.runs import Runs
from bot.reconciler.runtimes import News, Numbers, Observer, Replay, Runtime
from bot.reconciler.streams import Streams
from bot.reconciler.tasks import Tasks
from bot.services.classes import CLASSES
from bot.services.context import Context
from bot.services.due import Due
from bot.services.expiries import EXPIRIES
from bot.services.hours import HOURS, NEEDED
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
        news: News,
        observer: Observer,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        runtimes = {
            name: Runtime(name, provider, context.clock, jitter, observer, news)
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
        self.tasks = Tasks(engine, self.lists, replay)
        # The step of each returns how much there was to do.
        self.operations, self.runs = Operations(engine), Runs(engine)
        self.reads = Reads(engine)
        self.streams = Streams(engine)
        kinds: list[Due[Any]] = [CLASSES, MEMBERS, HOURS, TIMERS, EXPIRIES, REMINDERS, NEEDED, WAITS]
        self.clockwork = Clockwork(context, kinds)

    async def step_outages(self, due: Collection[str] = ("outages",)) -> int:
        """Learn of pauses, report outages; return how many. Rows of either are read where they are due."""
        if "outages" in due:
            await self._pauses.step()
        return await self.outages.step(reads="outages" in due)
