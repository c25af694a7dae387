"""The queue before a database that one thread owns: urgent work first, records in batches, nothing too late.

Work that waited too long is given up: it is answered StoreBusy and then never runs, or what it did is
rolled back. Who is first, the caller who gives up or the thread that commits, is decided under one lock.
"""

from __future__ import annotations

import asyncio
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

#: After so many turns of urgent work in a row, other work gets one: it is late, but it comes.
_URGENT_ROUNDS = 4


class Stage(Enum):
    """Name how far a job is."""

    QUEUED = "queued"
    COMMITTING = "committing"
    GIVEN_UP = "given up"
    DONE = "done"


@dataclass(slots=True, eq=False)
class Run:
    """Hold work, who waits for it, and what came of it."""

    work: Callable[[Transaction], Any]
    priority: Priority
    is_read: bool
    rows: int
    future: asyncio.Future[Any]
    #: It can't be part of a transaction.
    is_alone: bool = False
    queued_at: float = field(default_factory=monotonic)
    stage: Stage = Stage.QUEUED
    result: Any = None
    error: BaseException | None = None


class WriteQueue:
    """Queue jobs from an event loop for a thread, and bring the results back."""

    def __init__(self, patience: Mapping[Priority, float], batch_rows: int, batch_seconds: float) -> None:
        self._patience = patience
        self._batch_rows = batch_rows
        self._batch_seconds = batch_seconds
        self._condition = Condition()
        self._queues: dict[Priority, deque[Run]] = {priority: deque() for priority in Priority}
        #: Rows of the records that wait, kept up so that nobody has to count.
        self._record_rows = 0
        self._urgent_rounds = 0
        self._is_closed = False
        #: Why nothing can be done any more, once the thread has ended.
        self._ended: str | None = None

    # -- the loop's side -------------------------------------------------------------------------------------

    async def submit(
        self,
        work: Callable[[Transaction], Any],
        priority: Priority,
        *,
        is_read: bool,
        rows: int = 1,
        is_alone: bool = False,
    ) -> Any:
        """Queue work and wait for what comes of it; raises StoreBusy, StoreUnavailable, and its errors."""
        loop = asyncio.get_running_loop()
        run = Run(work, priority, is_read, rows, loop.create_future(), is_alone)
        with self._condition:
            if self._is_closed or self._ended:
                raise StoreUnavailable(self._ended or "the store is closed")
            self._queues[priority].append(run)
            if priority is Priority.RECORDS:
                self._record_rows += rows
            if priority is not Priority.RECORDS or len(self._queues[priority]) == 1 or self._is_full:
                # One more record in a batch that waits for its time wakes nobody.
                self._condition.notify()
        timer = loop.call_later(self._patience[priority], self._lose_patience, run)
        try:
            return await run.future
        except asyncio.CancelledError:
            self._give_up(run)
            raise
        finally:
            timer.cancel()

    def _lose_patience(self, run: Run) -> None:
        if self._give_up(run) and not run.future.done():
            run.future.set_exception(StoreBusy("the database is busy; nothing was done"))

    def _give_up(self, run: Run) -> bool:
        with self._condition:
            if run.stage is not Stage.QUEUED:
                return False
            run.stage = Stage.GIVEN_UP
            return True

    def close(self) -> None:
        """Take no more work; the thread finishes what is queued."""
        with self._condition:
            self._is_closed = True
            self._condition.notify()

    # -- the thread's side -----------------------------------------------------------------------------------

    def take(self) -> list[Run] | None:
        """Wait for work and return what is to be done next; None when all is done and closed."""
        with self._condition:
            while True:
                priority, wait = self._next()
                if priority is not None:
                    return self._pop(priority)
                if self._is_closed and not any(self._queues.values()):
                    return None
                self._condition.wait(wait)

    def _next(self) -> tuple[Priority | None, float | None]:
        """Return the lane whose turn it is, or for how long to wait."""
        queues = self._queues
        ready = [priority for priority in (Priority.URGENT, Priority.STEADY) if queues[priority]]
        wait = self._until_batch()
        if wait is not None and wait <= 0:
            ready.append(Priority.RECORDS)
        if not ready:
            return None, wait
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

    def _pop(self, priority: Priority) -> list[Run]:
        """Take what fits into a transaction; records that wait go along with steady work, for one commit."""
        taken: list[Run] = []
        self._pop_into(taken, priority)
        if priority is Priority.STEADY and not any(run.is_read for run in taken):
            self._pop_into(taken, Priority.RECORDS)
        return taken

    def _pop_into(self, taken: list[Run], priority: Priority) -> None:
        queue, rows = self._queues[priority], sum(run.rows for run in taken)
        while queue and (not taken or rows + queue[0].rows <= self._batch_rows):
            run = queue.popleft()
            if priority is Priority.RECORDS:
                self._record_rows -= run.rows
            if run.stage is Stage.QUEUED:
                taken.append(run)
                rows += run.rows

    def put_back(self, runs: Iterable[Run]) -> None:
        """Queue jobs again, before all others of their lane."""
        with self._condition:
            for run in reversed(list(runs)):
                self._queues[run.priority].appendleft(run)
                if run.priority is Priority.RECORDS:
                    self._record_rows += run.rows

    def may_commit(self, runs: Iterable[Run]) -> bool:
        """Fix jobs as being committed, all or none; False when somebody gave up on one of them."""
        with self._condition:
            if any(run.stage is not Stage.QUEUED for run in runs):
                return False
            for run in runs:
                run.stage = Stage.COMMITTING
            return True

    def deliver(self, runs: Iterable[Run]) -> None:
        """Tell the waiting callers what came of their jobs."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Run]] = {}
        with self._condition:
            for run in runs:
                if run.stage is not Stage.GIVEN_UP:
                    run.stage = Stage.DONE
                    by_loop.setdefault(run.future.get_loop(), []).append(run)
        for loop, done in by_loop.items():
            # A loop that was closed has nobody left who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_resolve, done)

    def end(self, reason: str) -> None:
        """Refuse all that is queued and all that may come: the thread is gone."""
        with self._condition:
            self._ended = reason
            left = [run for queue in self._queues.values() for run in queue]
            for queue in self._queues.values():
                queue.clear()
        for run in left:
            run.error = StoreUnavailable(reason)
        self.deliver(left)


def _resolve(runs: Iterable[Run]) -> None:
    for run in runs:
        if run.future.done():
            continue
        if run.error is not None:
            run.future.set_exception(run.error)
        else:
            run.future.set_result(run.result)
