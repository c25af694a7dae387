"""The clock, new ids, and a ticker that runs periodic jobs.

Callers are given the clock and the ids, so tests can replace them instead of sleeping or patching functions.

APScheduler computes a job's next run from the wall clock. If the clock is set back by an hour, every job
pauses for an hour. If it is set ahead, APScheduler treats all runs in the skipped time as missed.
``Ticker`` prevents both, and keeps the jobs on schedule.
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
    """A source of wall-clock time and monotonic time."""

    def now(self) -> float:
        """Return the time in epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return the number of seconds since an arbitrary moment. It never decreases."""
        ...

    def boot(self) -> str:
        """Return the id of the machine's current boot, or "" if unknown.

        ``monotonic`` restarts at each boot.
        """
        ...


class SystemClock:
    """The machine's own clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def boot(self) -> str:
        """Return the id that Linux gives the machine's current boot, or "" on other systems.

        A systemd unit that hides ``/proc/sys/kernel/random/boot_id`` passes the id to the process in
        ``BOOT_ID``.
        """
        if given := read_variable("BOOT_ID").strip():
            return given.replace("-", "")
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip().replace("-", "")
        except (OSError, UnicodeDecodeError):
            return ""


class Ids(Protocol):
    """A source of unguessable ids."""

    def new(self, prefix: str) -> str:
        """Return a new unique id such as ``operation_3f…``."""
        ...

    def reference(self) -> str:
        """Return a short id, such as ``K7QX-2MPA``, that can be read aloud and looked up in the log."""
        ...


#: Digits and letters for readable ids, without those that are easily confused.
_READABLE_CHARACTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class SystemIds:
    """Makes ids from the machine's random source."""

    def new(self, prefix: str) -> str:
        """Return the prefix followed by 96 random bits in hexadecimal."""
        return f"{prefix}_{secrets.token_hex(12)}"

    def reference(self) -> str:
        """Return eight readable characters in two groups."""
        # Get all random bits at once, because each call to the random source takes as long as everything else
        # here.
        number, letters = secrets.randbelow(len(_READABLE_CHARACTERS) ** 8), ""
        for _ in range(8):
            number, place = divmod(number, len(_READABLE_CHARACTERS))
            letters += _READABLE_CHARACTERS[place]
        return f"{letters[:4]}-{letters[4:]}"


#: Interval, in seconds, at which the wall clock is compared with the monotonic clock. It is short enough that
#: a clock change delays jobs by less than two seconds.
COMPARE_INTERVAL_SECONDS: Final = 0.5
#: Maximum change of the wall clock, in seconds, that counts as ordinary slewing. After a larger change, every
#: job is rescheduled.
MAX_DRIFT_SECONDS: Final = 0.5


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler 3.11 brings no types
    """Schedules each run a fixed time after the last one. Missed runs aren't made up for."""

    def __init__(self, seconds: float) -> None:
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next run time after ``now``."""
        return now + self._pause


class Ticker:
    """Runs jobs at fixed intervals. ``timezone`` is the time zone that APScheduler uses."""

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
        """Run work at a fixed interval. If ``at_once`` is true, the first run starts immediately."""
        first: dict[str, Any] = {"next_run_time": datetime.now(self._timezone)} if at_once else {}
        self._jobs.add_job(work, Every(seconds), **first)

    def at_night(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run work now, and every night, at 3:17 UTC and every ten minutes until 3:57."""
        night = CronTrigger(hour=3, minute="17-57/10", timezone=self._timezone)
        self._jobs.add_job(work, night, next_run_time=datetime.now(self._timezone))

    def start(self) -> None:
        """Start the jobs. Call this on the running event loop."""
        self._jobs.start()
        self._guard = asyncio.create_task(self._watch(), name="clock-guard")

    async def stop(self) -> None:
        """Stop the scheduler, so that no more jobs are started."""
        if self._guard is None:
            return
        self._jobs.shutdown(wait=False)
        self._guard.cancel()
        await asyncio.gather(self._guard, return_exceptions=True)
        self._guard = None

    async def _watch(self) -> None:
        """Reschedule every job when the wall clock is changed.

        This loop itself relies on the monotonic clock.
        """
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
