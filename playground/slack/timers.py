"""Work scheduled for a time on the server's clock, which can be moved."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Awaitable, Callable

from playground.harness import Clock

Work = Callable[[], Awaitable[None]]


class Timers:
    """Runs work when the clock reaches its time, even if the clock is moved there."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Work]] = []
        self._order = itertools.count()
        self._moved = asyncio.Event()
        self._running: set[asyncio.Future[None]] = set()
        clock.watchers.append(self._moved.set)

    def at(self, when: float, work: Work) -> None:
        """Schedule work for a time on the server's clock, in epoch seconds."""
        heapq.heappush(self._due, (when, next(self._order), work))
        self._moved.set()

    @property
    def waiting(self) -> int:
        """Return how many pieces of work are scheduled."""
        return len(self._due)

    async def run_due(self) -> int:
        """Run what is due, and wait for it and for work already running; return the number of pieces."""
        done = 0
        self._begin()
        while self._running:
            done += len(await asyncio.gather(*self._running, return_exceptions=True))
            self._begin()
        return done

    def _begin(self) -> None:
        """Start what is due. Pieces run concurrently, because each may wait for a slow app."""
        while self._due and self._due[0][0] <= self._clock.now():
            _, _, work = heapq.heappop(self._due)
            task = asyncio.ensure_future(work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def run(self) -> None:
        """Run scheduled work until cancelled. If a test moves the clock, notice it within a second."""
        try:
            while True:
                self._moved.clear()
                self._begin()
                wait = max(0.01, min(1.0, self._due[0][0] - self._clock.now())) if self._due else None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._moved.wait()
        finally:
            for task in self._running:
                task.cancel()
