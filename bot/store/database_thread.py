"""The queue in front of a thread of the database, and the thread.

Work that waited too long is abandoned: its caller gets StoreBusy, and it never runs or is rolled back. One
lock decides which comes first, the caller's giving up or the thread's commit. Whoever waits for a person
and whose commit takes too long gets StoreUnsure.

Queued writes are committed together, for at most 20 ms. If one of them fails, all are rolled back and each is
run again in a transaction of its own, so that it fails alone.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from threading import Condition, Thread
from time import monotonic
from typing import Any, ClassVar, Protocol

from bot.store.transaction import OnWrite, Priority, Transaction, request_began
from bot.support.errors import StoreBusy, StoreError, StoreUnavailable, StoreUnsure

#: How long a caller waits for a commit, in seconds.
PATIENCE_SECONDS: Mapping[Priority, float] = {
    Priority.URGENT: 2.0,
    Priority.STEADY: 10.0,
    Priority.RECORDS: 10.0,
    Priority.IDLE: 10.0,
}
#: Once a request has used up its patience, what it still asks is given up after so many seconds each.
MIN_PATIENCE_SECONDS = 0.1
#: Slack has given up a request after so many seconds: what it has begun goes on with a patience of its own.
REQUEST_SECONDS = 3.0
#: Poll records are batched until there are this many rows, or for this many seconds.
BATCH_ROWS, BATCH_SECONDS = 200, 0.05


#: After this many turns of urgent work in a row other work gets one, so that it isn't starved.
_MAX_URGENT_ROUNDS = 4


class QueueStage(Enum):
    """The stage of queued work."""

    QUEUED = "queued"
    COMMITTING = "committing"
    GIVEN_UP = "given up"
    DONE = "done"


@dataclass(slots=True, eq=False)
class QueuedWork:
    """Work for the thread, with its waiting caller and its result."""

    work: Callable[[Transaction], Any]
    priority: Priority
    is_read: bool
    rows: int
    future: asyncio.Future[Any]
    subjects: Sequence[str] = ()
    queued_at: float = field(default_factory=monotonic)
    #: When the request that asks for it began, if that is one.
    began_at: float | None = field(default_factory=request_began.get)
    stage: QueueStage = QueueStage.QUEUED
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
        #: Who waits for a result, and the look at whose patience is out.
        self._callers: dict[Priority, dict[QueuedWork, None]] = {priority: {} for priority in Priority}
        self._timers: dict[Priority, asyncio.TimerHandle] = {}
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
        #: Who is told which tables a commit wrote.
        self.on_write: OnWrite = lambda _: None

    # -- the loop's side -------------------------------------------------------------------------------------

    async def submit(
        self,
        work: Callable[[Transaction], Any],
        priority: Priority,
        *,
        is_read: bool,
        rows: int = 1,
        is_patient: bool = False,
        subjects: Sequence[str] = (),
    ) -> Any:
        """Queue work and wait for its result; raise StoreBusy, StoreUnavailable or the work's own errors.

        ``is_patient``: wait for as long as it takes.
        """
        loop = asyncio.get_running_loop()
        item = QueuedWork(work, priority, is_read, rows, loop.create_future(), subjects)
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
            self._look_in(self._left(item), priority)
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

    def _look_in(self, seconds: float, priority: Priority) -> None:
        """Look whose patience is out in so many seconds at the latest."""
        loop, timer = asyncio.get_running_loop(), self._timers.get(priority)
        # One timer for all who wait: one each costs more than reading a row.
        if timer is None or timer.when() > loop.time() + seconds + MIN_PATIENCE_SECONDS:
            if timer is not None:
                timer.cancel()
            self._timers[priority] = loop.call_later(seconds, self._turn_away, priority)

    def _turn_away(self, priority: Priority) -> None:
        """Turn away callers that have waited too long, and schedule the check for the next one."""
        del self._timers[priority]
        for item in self._callers[priority]:
            if item.future.done():
                continue
            if (left := self._left(item)) > 0:
                self._look_in(left, priority)
            elif self._give_up(item):
                item.future.set_exception(StoreBusy("the database is busy or away; nothing was done"))
            elif priority is Priority.URGENT and item.stage is QueueStage.COMMITTING:
                item.future.set_exception(StoreUnsure("the commit is taking long, and may still go through"))

    def _left(self, item: QueuedWork) -> float:
        """Return the seconds for which its caller still waits."""
        until = min(item.queued_at + self._patience[item.priority], self._ends_at)
        if item.began_at is not None and item.queued_at < item.began_at + REQUEST_SECONDS:
            # All that a request waits for has one patience together.
            shared = item.began_at + self._patience[Priority.URGENT]
            until = min(until, max(shared, item.queued_at + MIN_PATIENCE_SECONDS))
        return max(until - monotonic(), 0.0)

    def end_within(self, seconds: float) -> None:
        """Let nobody wait longer than so many seconds from now, because the process ends."""
        self._ends_at = monotonic() + seconds
        for priority in self._timers:
            self._look_in(-MIN_PATIENCE_SECONDS, priority)

    def _give_up(self, item: QueuedWork) -> bool:
        with self._condition:
            if item.stage is not QueueStage.QUEUED:
                return False
            item.stage = QueueStage.GIVEN_UP
            return True

    def close(self) -> None:
        """Take no more work; the threads finish what is queued."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    # -- the thread's side -----------------------------------------------------------------------------------

    def take(self, longest: float | None = None) -> list[QueuedWork] | None:
        """Wait for work, ``longest`` seconds at most; return the next items, None once closed and drained."""
        with self._condition:
            while True:
                priority, wait = self._next()
                if priority is not None:
                    return self._pop(priority)
                if self._is_closed and not any(self._queues.values()):
                    return None
                if not self._condition.wait(wait if longest is None else longest) and longest is not None:
                    return []

    def _next(self) -> tuple[Priority | None, float | None]:
        """Return the priority of the next turn, or the seconds to wait for one."""
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
        if len(ready) > 1 and self._urgent_rounds >= _MAX_URGENT_ROUNDS:
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
        """Take as many items as fit into a transaction.

        Waiting records join steady work, to share one commit.
        """
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
            if item.stage is QueueStage.QUEUED:
                taken.append(item)
                rows += item.rows

    def put_back(self, items: Iterable[QueuedWork]) -> None:
        """Requeue items at the head of their priority's queue, for as long as their callers wait."""
        reopened: set[tuple[asyncio.AbstractEventLoop, Priority]] = set()
        with self._condition:
            for item in reversed(list(items)):
                self._queues[item.priority].appendleft(item)
                if item.priority is Priority.RECORDS:
                    self._record_rows += item.rows
                if item.stage is QueueStage.COMMITTING:
                    item.stage = QueueStage.QUEUED
                    reopened.add((item.future.get_loop(), item.priority))
        for loop, priority in reopened:
            # While it was being committed, nobody looked whether its caller's patience is out.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._look_in, 0.0, priority)

    def may_commit(self, items: Iterable[QueuedWork]) -> bool:
        """Mark items as being committed, all or none; return False if a caller gave up on one of them."""
        with self._condition:
            if any(item.stage is QueueStage.GIVEN_UP for item in items):
                return False
            for item in items:
                item.stage = QueueStage.COMMITTING
            return True

    def deliver(self, items: Iterable[QueuedWork], written: Collection[str] = ()) -> None:
        """Deliver the items' results to the waiting callers, and the names of the written tables."""
        by_loop: dict[asyncio.AbstractEventLoop, list[QueuedWork]] = {}
        with self._condition:
            for item in items:
                if item.stage is not QueueStage.GIVEN_UP:
                    item.stage = QueueStage.DONE
                    by_loop.setdefault(item.future.get_loop(), []).append(item)
        for loop, done in by_loop.items():
            # On a closed loop nobody is waiting any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._resolve, done, written)

    def _resolve(self, items: Iterable[QueuedWork], written: Collection[str]) -> None:
        for item in items:
            if item.future.done():
                continue
            if item.error is not None:
                item.future.set_exception(item.error)
            else:
                item.future.set_result(item.result)
        if written:
            self.on_write(written)

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


#: How often a lost connection is made again though nobody needs it, in seconds.
RECONNECT_SECONDS = 1.0
#: A transaction takes on no more work after this many seconds.
MAX_TRANSACTION_SECONDS = 0.02


class Session(Protocol):
    """One connection to a database, used by one thread."""

    #: What the driver raises.
    errors: ClassVar[tuple[type[Exception], ...]]

    @property
    def transaction(self) -> Transaction:
        """Run the queries of the open transaction."""
        ...

    @property
    def is_away(self) -> bool:
        """Return whether its connection was lost, and isn't made again yet."""
        ...

    def open(self) -> None:
        """Connect. Raise StoreUnavailable with the cause for operators."""
        ...

    def begin(self, *, writes: bool, subjects: Sequence[str] = ()) -> None:
        """Begin a transaction: one that writes, alone for these subjects, or one that reads a snapshot."""
        ...

    def settle(self, *, waits: bool) -> None:
        """Append to the audit; and wait for all that is under way, so that the commit waits for nobody."""
        ...

    def commit(self) -> None:
        """Commit."""
        ...

    def rollback(self) -> None:
        """Roll back, if there is anything to; never raise."""
        ...

    def will_pass(self, error: Exception) -> bool:
        """Return whether the same work may succeed in a moment, although this error ended its transaction."""
        ...

    def translated(self, error: Exception) -> Exception:
        """Translate an error of the driver to one that callers know; return others unchanged."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class QueueWorker:
    """The thread's loop, which runs a queue's work on a session.

    The engine says how a transaction that writes begins and ends.
    """

    def __init__(
        self,
        queue: WriteQueue,
        session: Session,
        begin_write: Callable[[Session, Sequence[str]], None],
    ) -> None:
        self._queue = queue
        self._session = session
        self._begin_write = begin_write
        self._errors: tuple[type[Exception], ...] = (*session.errors, StoreError)
        self._thread: Thread | None = None

    async def start(self, name: str) -> None:
        """Start the thread and open the session in it. Raise StoreUnavailable."""
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._thread = Thread(target=self._main, args=(opened,), name=name, daemon=True)
        self._thread.start()
        await opened

    async def join(self, seconds: float | None = None) -> None:
        """Wait until the thread has done all queued work, ``seconds`` at most; the queue has been closed."""
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join, seconds)

    def _main(self, opened: asyncio.Future[None]) -> None:
        loop = opened.get_loop()
        try:
            self._session.open()
        except Exception as error:  # noqa: BLE001 - it belongs to the caller, who would wait for ever
            self._queue.end(str(error) if isinstance(error, StoreError) else "the database can't be opened")
            # Who opened it may have been cancelled, with its loop.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_resolve_opened, opened, error)
            return
        loop.call_soon_threadsafe(_resolve_opened, opened, None)
        try:
            while (
                items := self._queue.take(RECONNECT_SECONDS if self._session.is_away else None)
            ) is not None:
                self.serve(items)
        finally:
            self._session.close()
            self._queue.end("the store is closed")

    def serve(self, items: Sequence[QueuedWork]) -> None:
        """Run items of the queue and deliver the results; without any, look whether it can be."""
        reads = [item for item in items if item.is_read]
        if reads or not items:
            self._run_reads(reads)
        writes = [item for item in items if not item.is_read]
        if writes:
            self._run_writes(writes)

    def _run_reads(self, items: Sequence[QueuedWork]) -> None:
        """Run as many reads as fit into the time on one snapshot of the database; requeue the rest."""
        ran: list[QueuedWork] = []
        try:
            self._session.begin(writes=False)
            self._run_until(items, ran, stops=False)
        except self._errors as error:
            self._retry(items, error, self._run_reads)
            return
        # Nobody waits for the end of a transaction that has written nothing.
        self._queue.deliver(ran)
        try:
            self._session.commit()
        except self._errors:
            self._session.rollback()
        self._queue.put_back(items[len(ran) :])

    def _run_writes(self, items: Sequence[QueuedWork]) -> None:
        """Run as many writes as fit into one transaction and commit them; requeue the rest."""
        ran: list[QueuedWork] = []
        try:
            self._begin_write(self._session, sorted({name for item in items for name in item.subjects}))
        except self._errors as error:
            self._put_back_or_fail(items, error)
            return
        if len(items) == 1:
            self._session.transaction.may_commit = partial(self._queue.may_commit, items)
        try:
            self._run_until(items, ran, stops=True)
            # A person who gives up until then is told, rightly, that nothing was done; and one that fails
            # takes no other with it.
            self._session.settle(waits=len(ran) > 1 or ran[0].priority is Priority.URGENT)
        except Exception as error:  # noqa: BLE001 - any error belongs to a caller, not to this thread
            self._retry(items, error, self._run_writes)
            return
        if not self._queue.may_commit(ran):
            self._session.rollback()
            self._queue.put_back(items)
            return
        try:
            self._session.commit()
        except self._errors as error:
            self._session.rollback()
            if isinstance(self._session.translated(error), StoreBusy):
                # Nothing was done: whoever still waits gets it from the next connection.
                self._queue.put_back(items)
                return
            self._fail(ran, error)
        else:
            written = self._session.transaction.written
            self._queue.deliver(ran, tuple(written))
            written.clear()
        self._queue.put_back(items[len(ran) :])

    def _run_until(self, items: Sequence[QueuedWork], ran: list[QueuedWork], *, stops: bool) -> None:
        """Run items until time is up. The driver's errors end it; ``stops``: so do all others."""
        until = monotonic() + MAX_TRANSACTION_SECONDS
        for item in items:
            item.error = item.result = None
            try:
                item.result = item.work(self._session.transaction)
            except Exception as error:
                if stops or isinstance(error, self._session.errors):
                    raise
                item.error = error
            ran.append(item)
            if monotonic() >= until:
                return

    def _retry(
        self, items: Sequence[QueuedWork], error: Exception, alone: Callable[[Sequence[QueuedWork]], None]
    ) -> None:
        """Roll back, and run each item in a transaction of its own; a single one has failed."""
        if len(items) == 1 or self._session.will_pass(error):
            self._put_back_or_fail(items, error)
            return
        self._session.rollback()
        for item in items:
            alone([item])

    def _put_back_or_fail(self, items: Sequence[QueuedWork], error: Exception) -> None:
        will_pass = self._session.will_pass(error)
        self._session.rollback()
        if will_pass:
            # Callers whose patience ran out are gone before the next attempt.
            self._queue.put_back(items)
        else:
            self._fail(items, error)

    def _fail(self, items: Sequence[QueuedWork], error: Exception) -> None:
        for item in items:
            item.error = self._session.translated(error)
        self._queue.deliver(items)


def _resolve_opened(opened: asyncio.Future[None], error: Exception | None) -> None:
    if opened.done():
        return
    if error is None:
        opened.set_result(None)
    else:
        opened.set_exception(error)
