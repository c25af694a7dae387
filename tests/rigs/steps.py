"""The steps of the bot's loops, run in turn until there is nothing left to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import cycle, islice
from typing import Any

from bot.reconciler import Reconciler
from bot.reconciler.scheduler import Scheduler
from bot.slack.notifier import Notifier

Step = Callable[[], Awaitable[int]]
Steps = Mapping[str, Step]

#: Number of rounds after which the steps are assumed to go on forever.
TURNS = 500


class Looks:
    """Finds the steps that have something to do, as a process's scheduler does.

    A step that finds nothing to do takes as long as a small test, and most steps would while a test moves the
    clock.
    """

    def __init__(self, scheduler: Scheduler, store: Any, clock: Any) -> None:
        self._scheduler = scheduler
        self._engine = store.engine
        self._clock = clock
        #: Whether every step is run each time, because its queries are being counted.
        self.takes_all = False
        self._changes = -1
        #: How far the wall clock is ahead of the monotonic clock.
        self._is_set = 0.0
        #: Whether nothing else writes to the database, so its count of changes shows whether anything was
        #: written.
        self._is_alone = hasattr(self._engine, "changes")

    @classmethod
    def of(cls, store: Any, clock: Any, ids: Any, reconciler: Reconciler, notifier: Notifier) -> Looks:
        """Create this for a process that doesn't have a scheduler."""
        scheduler = Scheduler(store, clock, ids)
        scheduler.drive(reconciler, notifier)
        return cls(scheduler, store, clock)

    @property
    def names(self) -> Collection[str]:
        """Return the names of the loops."""
        return {loop.name for loop in self._scheduler._loops}

    @property
    def is_old(self) -> bool:
        """Return whether something was written since the last check, as far as that is known."""
        return self._is_alone and not self.takes_all and self._engine.changes != self._changes

    async def due(self) -> Collection[str]:
        """Return the names of the steps that have something to do."""
        if self.takes_all:
            return self.names
        scheduler, is_set = self._scheduler, round(self._clock.now() - self._clock.monotonic(), 2)
        if self.is_old or is_set != self._is_set:
            # Any write or clock change may make more steps due.
            scheduler.wake()
        elif not self._is_alone:
            scheduler.wake()
        self._changes, self._is_set = self._engine.changes if self._is_alone else 0, is_set
        if scheduler._changed:
            # This query isn't part of the work being counted.
            watch = getattr(self._engine, "watch", None)
            self._engine.watch = None
            await scheduler._query_due_times(scheduler._loops[0].pool)
            self._engine.watch = watch
        loops = scheduler._loops
        return {one.name for one in loops if not scheduler.due.isdisjoint(one.kinds) or one.is_restless()}

    def timed(self, reconciler: Reconciler) -> Step:
        """Return the step for scheduled work, limited to the kinds that are due."""
        return lambda: reconciler.scheduled_work.step(None, None if self.takes_all else self._scheduler.due)


async def until_idle(steps: Steps, look: Looks) -> bool:
    """Run one step after the other until none of them has anything left to do.

    Return whether any step did something. Steps that belong to no loop always run.
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
