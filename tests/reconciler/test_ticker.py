"""APScheduler keeps its pace, however the wall clock is set."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, timedelta, tzinfo

import pytest

from bot.support.clock import Ticker

NEVER_COMPARES = 3600.0


class MovedWall(tzinfo):
    """Both clocks of the machine, with the wall clock ``off`` by some seconds.

    APScheduler reads it as a time zone.
    """

    off = 0.0

    def now(self):
        return time.time() + self.off

    def monotonic(self):
        return time.monotonic()

    def boot(self):
        return "this run"

    def fromutc(self, when):
        return when + timedelta(seconds=self.off)

    def utcoffset(self, _when):
        return UTC.utcoffset(None)

    def tzname(self, _when):
        return "moved"

    def dst(self, _when):
        return None


@asynccontextmanager
async def ticking(every):
    """Tick every 50 ms, and continue after the first tick."""
    wall, ticks = MovedWall(), asyncio.Queue()
    ticker = Ticker(wall, every=every, timezone=wall)
    ticker.every(0.05, lambda: ticks.put_nowait(1))
    ticker.start()
    try:
        await asyncio.wait_for(ticks.get(), 20)
        yield wall, ticks
    finally:
        await ticker.stop()


@pytest.mark.parametrize("moved", [-3600.0, -2.0, 3600.0, 50 * 365 * 86_400.0])
async def test_it_goes_on_at_its_pace_whichever_way_the_clock_is_moved(moved):
    async with ticking(every=0.05) as (wall, ticks):
        wall.off = moved
        began = time.monotonic()
        for _ in range(4):
            await asyncio.wait_for(ticks.get(), 20)
        # Runs that the jump skipped aren't made up for.
        assert ticks.qsize() <= (time.monotonic() - began) / 0.05


async def test_without_the_guard_a_clock_that_is_set_back_silences_it():
    async with ticking(every=NEVER_COMPARES) as (wall, ticks):
        wall.off = -3600.0
        came = 0
        with suppress(TimeoutError):
            while await asyncio.wait_for(ticks.get(), 0.3):
                came += 1
        # A tick that was armed before may still come.
        assert came <= 1
