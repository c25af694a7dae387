"""What the engines share: the loop's side of the queue, and the store's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from bot.store.serving import SLEWED, beat, follow
from bot.store.store_time import ClockReading, StoreTime
from bot.store.transaction import Priority, Result, Work
from bot.store.worker import Session
from bot.store.write_queue import WriteQueue
from bot.support.clock import Clock

#: How long a caller waits for a commit, in seconds.
PATIENCE: Mapping[Priority, float] = {
    Priority.URGENT: 2.0,
    Priority.STEADY: 10.0,
    Priority.RECORDS: 10.0,
    Priority.IDLE: 10.0,
}
#: Poll records are batched until there are this many rows, or for this many seconds.
BATCH_ROWS, BATCH_SECONDS = 200, 0.05


class QueuedEngine:
    """Queue work for threads, and keep the store's time."""

    #: Whether several processes may serve from it.
    is_shared: ClassVar[bool] = False

    def __init__(self, clock: Clock, patience: Mapping[Priority, float], batch_seconds: float) -> None:
        self.clock = clock
        self._time = StoreTime(clock)
        #: Whether this is the serving process: only that one moves times.
        self._serves = False
        self._written_ahead = self._time.ahead()
        self._write_queue = self._read_queue = WriteQueue(patience, BATCH_ROWS, batch_seconds)

    def now(self) -> float:
        """Return the store's epoch seconds."""
        return self._time.now()

    def end_within(self, seconds: float) -> None:
        """Let nobody wait longer than so many seconds from now, because the process ends."""
        for queue in self._queues():
            queue.end_within(seconds)

    def _queues(self) -> list[WriteQueue]:
        """Return all queues."""
        return [self._write_queue]

    async def hint(self) -> None:
        """Do nothing: no other process listens."""

    async def listen(self, _wake: Callable[[], None]) -> None:
        """Return at once: no other process gives hints."""

    async def read(self, work: Work[Result], priority: Priority = Priority.URGENT) -> Result:
        """Run read-only work, on one snapshot of the database."""
        result: Result = await self._read_queue.submit(work, priority, is_read=True)
        return result

    async def write(self, work: Work[Result], priority: Priority = Priority.STEADY, rows: int = 1) -> Result:
        """Run work that writes; durable when it returns."""
        queue = self._queue_of(priority)
        if priority is Priority.CLAIMS:
            priority = Priority.STEADY
        result: Result = await queue.submit(work, priority, is_read=False, rows=rows)
        return result

    def _queue_of(self, priority: Priority) -> WriteQueue:  # noqa: ARG002 - an engine may have several
        """Return the queue of those who write at a priority."""
        return self._write_queue

    async def _write_patiently(self, work: Work[Result]) -> Result:
        """Run work that writes, however long it takes: nobody waits for it but an operator."""
        result: Result = await self._write_queue.submit(work, Priority.STEADY, is_read=False, is_patient=True)
        return result

    def serves(self) -> None:
        """Move times from now on, as the one process serving from this database."""
        self._serves = True

    def clock_reading(self) -> ClockReading:
        """Return how far the store's time is ahead of the machine's monotonic clock."""
        return ClockReading(self.clock.boot(), self._time.ahead(), self.clock.slept())

    # -- the threads' side -----------------------------------------------------------------------------------

    def _begin_write(self, session: Session) -> None:
        """Begin a transaction; move waiting times along with a clock that jumped ahead, in one before it.

        While the store's time slows down to meet a clock that was set back, the clock reading is written
        repeatedly: the next start relies on it.
        """
        session.begin(writes=True)
        jump = self._time.jump()
        if not self._serves:
            # Only the serving process moves them, not every other process that has the database open.
            self._time.follow(jump)
            return
        clock_reading = self.clock_reading()
        if not jump and abs(clock_reading.ahead - self._written_ahead) <= SLEWED:
            return
        if jump:
            follow(session.transaction, jump, clock_reading)
        else:
            beat(session.transaction, clock_reading)
        session.commit()
        self._time.follow(jump)
        self._written_ahead = clock_reading.ahead + jump
        session.begin(writes=True)
