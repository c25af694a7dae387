"""The work of the bot's loops, done in turn until nothing is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import cycle, islice
from typing import Any

from bot.reconciler import Reconciler
from bot.reconciler.scheduler import Scheduler
from bot.slack.notifier import Notifier

Step = Callable[[], Awaitable[int]]
Steps = Mapping[str, Step]

#: So many turns of all steps are taken for no end.
TURNS = 500


class Looks:
    """Say which steps have something to do, as the scheduler of a process finds out.

    To take a step in vain costs as much as a small test, and most steps in moved time would be.
    """

    def __init__(self, scheduler: Scheduler, store: Any, clock: Any) -> None:
        self._scheduler = scheduler
        self._engine = store.engine
        self._clock = clock
        #: Have every step taken each time: what they ask of the store is counted.
        self.takes_all = False
        self._changes = -1
        #: How far the wall clock is from the other one.
        self._is_set = 0.0
        #: Nobody else writes to its database, which tells how much has been written.
        self._is_alone = hasattr(self._engine, "changes")

    @classmethod
    def of(cls, store: Any, clock: Any, ids: Any, reconciler: Reconciler, notifier: Notifier) -> Looks:
        """Look for a process without a scheduler of its own."""
        scheduler = Scheduler(store, clock, ids)
        scheduler.drive(reconciler, notifier)
        return cls(scheduler, store, clock)

    @property
    def names(self) -> Collection[str]:
        """Return the names of the loops."""
        return {loop.name for loop in self._scheduler._loops}

    @property
    def is_old(self) -> bool:
        """Return whether anybody wrote since the last look, if that is known."""
        return self._is_alone and not self.takes_all and self._engine.changes != self._changes

    async def due(self) -> Collection[str]:
        """Return the names of the steps that have something to do."""
        if self.takes_all:
            return self.names
        scheduler, is_set = self._scheduler, round(self._clock.now() - self._clock.monotonic(), 2)
        if self.is_old or is_set != self._is_set:
            # Whoever wrote, and wherever the clock was set: what was not due for long may be.
            scheduler.wake()
        elif not self._is_alone:
            scheduler.wake()
        self._changes, self._is_set = self._engine.changes if self._is_alone else 0, is_set
        if scheduler._changed:
            # Whoever counts what a process asks of its store doesn't count this.
            watch = getattr(self._engine, "watch", None)
            self._engine.watch = None
            await scheduler._query_due_times(scheduler._loops[0].pool)
            self._engine.watch = watch
        loops = scheduler._loops
        return {one.name for one in loops if not scheduler.due.isdisjoint(one.kinds) or one.is_restless()}

    def timed(self, reconciler: Reconciler) -> Step:
        """Return the step of what time does, of the kinds that are due."""
        return lambda: reconciler.scheduled_work.step(None, None if self.takes_all else self._scheduler.due)


async def until_idle(steps: Steps, look: Looks) -> bool:
    """Do one step after the other until each, since anything was done, has found nothing to do.

    Return whether anything was. What no loop does is done whatever the look says.
    """
    idle, names = 0, look.names
    due: Collection[str] | None = None
    for number, (name, step) in enumerate(islice(cycle(steps.items()), TURNS * len(steps)), 1):
        if due is None or look.is_old:
            due = await look.due()
        idle = 0 if (name in due or name not in names) and await step() else idle + 1
        if idle == 0:
            due = None
        if idle == len(steps):
            return number > idle
    raise AssertionError("the steps find no end")
