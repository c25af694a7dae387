"""The queue in front of the thread that owns the database: urgent work first, records batched, none too late.

Work that waited too long is abandoned: its caller gets StoreBusy, and it never runs or is rolled back. One
lock decides which comes first, the caller's giving up or the thread's commit.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition
from time import monotonic
from typing import Any

from bot.store.transaction import Priority, Transaction
from bot.support.errors import StoreBusy, StoreUnavailable

#: After this many turns of urgent work in a row other work gets one, so that it isn't starved.
_URGENT_ROUNDS = 4


class Stage(Enum):
    """Name the stage of queued work."""

    QUEUED = "queued"
    COMMITTING = "committing"
    GIVEN_UP = "given up"
    DONE = "done"


@dataclass(slots=True, eq=False)
class QueuedWork:
    """Hold work for the thread, the caller waiting for it, and its result."""

    work: Callable[[Transaction], Any]
    priority: Priority
    is_read: bool
    rows: int
    future: asyncio.Future[Any]
    queued_at: float = field(default_factory=monotonic)
    stage: Stage = Stage.QUEUED
    result: Any = None
    error: BaseException | None = None


class WriteQueue:
    """Queue work from an event loop for a thread, and bring the results back."""

    def __init__(self, patience: Mapping[Priority, float], batch_rows: int, batch_seconds: float) -> None:
        self._patience = patience
        self._batch_rows = batch_rows
        self._batch_seconds = batch_seconds
        self._condition = Condition()
        self._queues: dict[Priority, deque[QueuedWork]] = {priority: deque() for priority in Priority}
        #: Who waits for a result, the one who began first at the head, and the look at whose patience is out.
        self._callers: dict[Priority, dict[QueuedWork, None]] = {priority: {} for priority in Priority}
        self._looks: dict[Priority, asyncio.Handle] = {}
        #: Whether the thread will be woken in the loop's next turn.
        self._wakes = False
        #: The number of rows in waiting records, so that they needn't be counted.
        self._record_rows = 0
        self._urgent_rounds = 0
        self._is_closed = False
        #: When whoever still waits gives up.
        self._ends_at = math.inf
        #: Why no more work can be done, once the thread has ended.
        self._ended: str | None = None

    # -- the loop's side -------------------------------------------------------------------------------------

    async def submit(
        self,
        work: Callable[[Transaction], Any],
        priority: Priority,
        *,
        is_read: bool,
        rows: int = 1,
        is_patient: bool = False,
    ) -> Any:
        """Queue work and wait for its result; raise StoreBusy, StoreUnavailable or the work's own errors.

        ``is_patient``: wait for as long as it takes.
        """
        loop = asyncio.get_running_loop()
        item = QueuedWork(work, priority, is_read, rows, loop.create_future())
        with self._condition:
            if self._is_closed or self._ended:
                raise StoreUnavailable(self._ended or "the store is closed")
            self._queues[priority].append(item)
            if priority is Priority.RECORDS:
                self._record_rows += rows
            # Adding a record to a batch that isn't due yet needn't wake the thread.
            is_due = priority is not Priority.RECORDS or len(self._queues[priority]) == 1 or self._is_full
        if is_due and not self._wakes:
            # In the loop's next turn, so that the thread gets all that this turn asks for, and less often
            # waits for the interpreter: each handing over costs more than reading a row.
            self._wakes = True
            loop.call_soon(self._wake)
        callers = self._callers[priority]
        if not is_patient:
            callers[item] = None
        if callers and priority not in self._looks:
            # One timer for all who wait: one each costs more than reading a row.
            self._looks[priority] = loop.call_later(self._left(item), self._look_at, priority)
        try:
            return await item.future
        except asyncio.CancelledError:
            self._give_up(item)
            raise
        finally:
            callers.pop(item, None)

    def _wake(self) -> None:
        self._wakes = False
        with self._condition:
            self._condition.notify()

    def _look_at(self, priority: Priority) -> None:
        """Turn away who has waited too long, and come again when the next one will have."""
        del self._looks[priority]
        loop = asyncio.get_running_loop()
        for item in self._callers[priority]:
            if item.future.done():
                continue
            if (left := self._left(item)) > 0:
                self._looks[priority] = loop.call_later(left, self._look_at, priority)
                return
            if self._give_up(item):
                item.future.set_exception(StoreBusy("the database is busy; nothing was done"))

    def _left(self, item: QueuedWork) -> float:
        """Return for how long its caller still waits."""
        return max(min(item.queued_at + self._patience[item.priority], self._ends_at) - monotonic(), 0.0)

    def end_within(self, seconds: float) -> None:
        """Let nobody wait longer than so many seconds from now, because the process ends."""
        self._ends_at = monotonic() + seconds
        loop = asyncio.get_running_loop()
        for priority, look in self._looks.items():
            look.cancel()
            self._looks[priority] = loop.call_soon(self._look_at, priority)

    def _give_up(self, item: QueuedWork) -> bool:
        with self._condition:
            if item.stage is not Stage.QUEUED:
                return False
            item.stage = Stage.GIVEN_UP
            return True

    def close(self) -> None:
        """Take no more work; the threads finish what is queued."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    # -- the thread's side -----------------------------------------------------------------------------------

    def take(self) -> list[QueuedWork] | None:
        """Wait for work and return the next items; None once closed and drained."""
        with self._condition:
            while True:
                priority, wait = self._next()
                if priority is not None:
                    return self._pop(priority)
                if self._is_closed and not any(self._queues.values()):
                    return None
                self._condition.wait(wait)

    def _next(self) -> tuple[Priority | None, float | None]:
        """Return the priority whose turn it is, or how long to wait."""
        queues = self._queues
        ready = [priority for priority in (Priority.URGENT, Priority.STEADY) if queues[priority]]
        wait = self._until_batch()
        if wait is not None and wait <= 0:
            ready.append(Priority.RECORDS)
        if not ready:
            return (Priority.IDLE, None) if wait is None and queues[Priority.IDLE] else (None, wait)
        if ready[0] is not Priority.URGENT:
            self._urgent_rounds = 0
            # Steady work and records take turns: the one that has waited longer goes first.
            return min(ready, key=lambda priority: queues[priority][0].queued_at), None
        if len(ready) > 1 and self._urgent_rounds >= _URGENT_ROUNDS:
            self._urgent_rounds = 0
            return min(ready[1:], key=lambda priority: queues[priority][0].queued_at), None
        self._urgent_rounds += 1
        return Priority.URGENT, None

    def _until_batch(self) -> float | None:
        queue = self._queues[Priority.RECORDS]
        if not queue:
            return None
        if self._is_closed or self._is_full:
            return 0.0
        return queue[0].queued_at + self._batch_seconds - monotonic()

    @property
    def _is_full(self) -> bool:
        return self._record_rows >= self._batch_rows

    def _pop(self, priority: Priority) -> list[QueuedWork]:
        """Take what fits into a transaction; waiting records join steady work, to share one commit."""
        taken: list[QueuedWork] = []
        self._pop_into(taken, priority)
        if priority is Priority.STEADY and not any(item.is_read for item in taken):
            self._pop_into(taken, Priority.RECORDS)
        return taken

    def _pop_into(self, taken: list[QueuedWork], priority: Priority) -> None:
        queue, rows = self._queues[priority], sum(item.rows for item in taken)
        while queue and (not taken or rows + queue[0].rows <= self._batch_rows):
            item = queue.popleft()
            if priority is Priority.RECORDS:
                self._record_rows -= item.rows
            if item.stage is Stage.QUEUED:
                taken.append(item)
                rows += item.rows

    def put_back(self, items: Iterable[QueuedWork]) -> None:
        """Requeue items at the head of their priority's queue."""
        with self._condition:
            for item in reversed(list(items)):
                self._queues[item.priority].appendleft(item)
                if item.priority is Priority.RECORDS:
                    self._record_rows += item.rows

    def may_commit(self, items: Iterable[QueuedWork]) -> bool:
        """Mark items as being committed, all or none; return False if a caller gave up on one of them."""
        with self._condition:
            if any(item.stage is not Stage.QUEUED for item in items):
                return False
            for item in items:
                item.stage = Stage.COMMITTING
            return True

    def deliver(self, items: Iterable[QueuedWork]) -> None:
        """Deliver the items' results to the waiting callers."""
        by_loop: dict[asyncio.AbstractEventLoop, list[QueuedWork]] = {}
        with self._condition:
            for item in items:
                if item.stage is not Stage.GIVEN_UP:
                    item.stage = Stage.DONE
                    by_loop.setdefault(item.future.get_loop(), []).append(item)
        for loop, done in by_loop.items():
            # On a closed loop nobody is waiting any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_resolve, done)

    def end(self, reason: str) -> None:
        """Fail all queued and future work: the thread has ended."""
        with self._condition:
            self._ended = reason
            left = [item for queue in self._queues.values() for item in queue]
            for queue in self._queues.values():
                queue.clear()
        for item in left:
            item.error = StoreUnavailable(reason)
        self.deliver(left)


def _resolve(items: Iterable[QueuedWork]) -> None:
    for item in items:
        if item.future.done():
            continue
        if item.error is not None:
            item.future.set_exception(item.error)
        else:
            item.future.set_result(item.result)
