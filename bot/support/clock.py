"""Clocks and ids, which are injected so that tests neither sleep nor patch, and the ticks of loops.

APScheduler computes a job's next run from the wall clock. If the clock is set back, every job would pause for
that long. If it is set ahead, APScheduler would count all the runs that it seems to have missed. ``Ticker``
keeps the jobs on schedule.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final, Protocol

import structlog
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from bot.support.environment import read_variable

log = structlog.get_logger(__name__)


_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Tell the time, in seconds."""

    def now(self) -> float:
        """Return epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""
        ...

    def boot(self) -> str:
        """Return the id of the machine's boot, as ``monotonic`` restarts with each; "" if unknown."""
        ...


class SystemClock:
    """Tell the machine's time."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def boot(self) -> str:
        """Return Linux's id of this boot of the machine; "" on other systems.

        A systemd unit that hides the file passes the id in ``BOOT_ID``.
        """
        if given := read_variable("BOOT_ID").strip():
            return given.replace("-", "")
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip().replace("-", "")
        except (OSError, UnicodeDecodeError):
            return ""


class Ids(Protocol):
    """Make ids that nobody can guess."""

    def new(self, prefix: str) -> str:
        """Return a fresh id such as ``operation_3f…``."""
        ...

    def reference(self) -> str:
        """Return a short id to read aloud and to find in the log, such as ``K7QX-2MPA``."""
        ...


#: Letters and digits, without those that are easily confused.
_READABLE_CHARACTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class SystemIds:
    """Make ids from the machine's random source."""

    def new(self, prefix: str) -> str:
        """Return the prefix and 96 random bits in hex."""
        return f"{prefix}_{secrets.token_hex(12)}"

    def reference(self) -> str:
        """Return eight readable characters in two groups."""
        # One draw for all, as each call to the random source costs as much as everything else here.
        number, letters = secrets.randbelow(len(_READABLE_CHARACTERS) ** 8), ""
        for _ in range(8):
            number, place = divmod(number, len(_READABLE_CHARACTERS))
            letters += _READABLE_CHARACTERS[place]
        return f"{letters[:4]}-{letters[4:]}"


#: Seconds between comparisons of the clocks. With a tick, a changed clock costs less than two seconds.
COMPARE_INTERVAL_SECONDS: Final = 0.5
#: Seconds of difference up to which the clock is only being slewed.
MAX_DRIFT_SECONDS: Final = 0.5


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler 3.11 brings no types
    """Fire at a fixed interval, counted from the last run. Missed runs are not made up for."""

    def __init__(self, seconds: float) -> None:
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next time after ``now``."""
        return now + self._pause


class Ticker:
    """Jobs that run at fixed intervals. APScheduler reads the wall clock in ``timezone``."""

    def __init__(
        self, clock: Clock, *, every: float = COMPARE_INTERVAL_SECONDS, timezone: tzinfo = UTC
    ) -> None:
        self._clock = clock
        self._every = every
        self._timezone = timezone
        self._guard: asyncio.Task[None] | None = None
        self._jobs = AsyncIOScheduler(
            timezone=timezone,
            jobstores={"default": MemoryJobStore()},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )

    def every(self, seconds: float, work: Callable[[], Awaitable[None]], *, at_once: bool = False) -> None:
        """Schedule work at a fixed interval, first after one interval, or right away."""
        first: dict[str, Any] = {"next_run_time": datetime.now(self._timezone)} if at_once else {}
        self._jobs.add_job(work, Every(seconds), **first)

    def at_night(self, work: Callable[[], Awaitable[None]]) -> None:
        """Schedule work right away and every ten minutes from 3:17 to 3:57 UTC."""
        night = CronTrigger(hour=3, minute="17-57/10", timezone=self._timezone)
        self._jobs.add_job(work, night, next_run_time=datetime.now(self._timezone))

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
        """Reschedule every job if the wall clock was changed. The event loop itself counts monotonic time."""
        armed = self._ahead()
        while True:
            await asyncio.sleep(self._every)
            moved = self._ahead() - armed
            if abs(moved) > MAX_DRIFT_SECONDS:
                armed += moved
                log.warning("wall clock moved", seconds=round(moved, 1))
                for job in self._jobs.get_jobs():
                    job.reschedule(job.trigger)

    def _ahead(self) -> float:
        return self._clock.now() - self._clock.monotonic()
