"""APScheduler, kept on schedule however the wall clock is changed.

It computes a job's next run from the wall clock. Setting the clock back would silence every job for that
long, and setting it ahead would make it count all the runs that it thinks it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

import structlog
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.support.clock import Clock

log = structlog.get_logger(__name__)

#: How often the clocks are compared; together with a tick, a changed clock costs less than two seconds.
LOOKS_EVERY: Final = 0.5
#: Smaller differences come from a clock being slewed.
MOVED: Final = 0.5


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler 3.11 brings no types
    """Fire at a fixed interval, counted from the last run: missed runs are not made up for."""

    def __init__(self, seconds: float) -> None:
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next time after ``now``."""
        return now + self._pause


class Ticker:
    """Run jobs at fixed intervals. ``timezone`` is where APScheduler takes its wall clock from."""

    def __init__(self, clock: Clock, *, looks_every: float = LOOKS_EVERY, timezone: tzinfo = UTC) -> None:
        self._clock = clock
        self._looks_every = looks_every
        self._timezone = timezone
        self._guard: asyncio.Task[None] | None = None
        self._jobs = AsyncIOScheduler(
            timezone=timezone,
            jobstores={"default": MemoryJobStore()},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )

    def every(
        self, seconds: float, work: Callable[[], Awaitable[None] | None], *, at_once: bool = False
    ) -> None:
        """Schedule work at a fixed interval, first after one interval, or right away."""
        first: dict[str, Any] = {"next_run_time": datetime.now(self._timezone)} if at_once else {}
        self._jobs.add_job(work, Every(seconds), **first)

    def start(self) -> None:
        """Start; call it on the running event loop."""
        self._jobs.start()
        self._guard = asyncio.create_task(self._watch(), name="clock-guard")

    async def stop(self) -> None:
        """Start no more jobs."""
        if self._guard is None:
            return
        self._jobs.shutdown(wait=False)
        self._guard.cancel()
        await asyncio.gather(self._guard, return_exceptions=True)
        self._guard = None

    async def _watch(self) -> None:
        """Re-arm every job if the wall clock was changed. The event loop itself counts monotonic seconds."""
        armed = self._ahead()
        while True:
            await asyncio.sleep(self._looks_every)
            moved = self._ahead() - armed
            if abs(moved) > MOVED:
                armed += moved
                log.warning("wall clock moved", seconds=round(moved, 1))
                for job in self._jobs.get_jobs():
                    job.reschedule(job.trigger)

    def _ahead(self) -> float:
        return self._clock.now() - self._clock.monotonic()
