"""A thread that runs work on the database, and the queue that feeds it.

Work that has waited too long is abandoned: its caller gets StoreBusy, and the work is either never run or
rolled back. A lock ensures that work isn't abandoned once the thread has begun to commit it. If the commit
takes too long, a caller that is serving a person gets StoreUnsure.

Queued writes are committed together. If one of them fails, all are rolled back, and each is run again in a
separate transaction, so that the other writes succeed.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from threading import Condition, Thread
from time import monotonic
from typing import Any, ClassVar, Protocol

from bot.store.transaction import OnWrite, Priority, Transaction, request_began
from bot.support.errors import StoreBusy, StoreError, StoreUnavailable, StoreUnsure

#: Maps each priority to how long a caller waits for a commit, in seconds.
PATIENCE_SECONDS: Mapping[Priority, float] = {
    Priority.URGENT: 2.0,
    Priority.STEADY: 10.0,
    Priority.IDLE: 10.0,
}
#: All queries of a request share a time limit. Once it is used up, each further query may still take this
#: many seconds.
MIN_PATIENCE_SECONDS = 0.1
#: Slack expects the response to a request within this many seconds. Work that is queued later can't affect
#: the response, so its caller waits for the usual time (``PATIENCE_SECONDS``).
REQUEST_SECONDS = 3.0
#: How long an open transaction accepts more work, in seconds.
MAX_TRANSACTION_SECONDS = 0.02
#: Maximum number of ``QueuedWork`` items in a transaction.
_BATCH_SIZE = 200
#: Maximum number of rounds of urgent work in a row. Less urgent work then gets one round, so that it doesn't
#: wait forever.
_MAX_URGENT_ROUNDS = 4


class QueueStage(Enum):
    """The stage that a piece of queued work has reached."""

    QUEUED = "queued"
    COMMITTING = "committing"
    GIVEN_UP = "given up"
    DONE = "done"


@dataclass(slots=True, eq=False)
class QueuedWork:
    """A piece of work for the thread, with its result and the caller that is waiting for it."""

    work: Callable[[Transaction], Any]
    priority: Priority
    is_read: bool
    future: asyncio.Future[Any]
    subjects: Sequence[str] = ()
    queued_at: float = field(default_factory=monotonic)
    #: When the request behind this work began, or None if there is none.
    began_at: float | None = field(default_factory=request_began.get)
    stage: QueueStage = QueueStage.QUEUED
    result: Any = None
    error: BaseException | None = None


class WriteQueue:
    """A queue that passes work from an event loop to a thread, and passes the results back."""

    def __init__(self, patience: Mapping[Priority, float], seconds: float = MAX_TRANSACTION_SECONDS) -> None:
        """``seconds`` says how long an open transaction accepts more work from this queue."""
        self._patience, self.seconds = patience, seconds
        self._condition = Condition()
        self._queues = {
            priority: deque[QueuedWork]() for priority in (Priority.URGENT, Priority.STEADY, Priority.IDLE)
        }
        #: The callers that are waiting for results. ``_timer`` checks which of them have waited too long.
        self._callers: dict[QueuedWork, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        #: The callers' event loop. ``_wakes`` says whether the loop's next iteration will wake the thread.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakes = False
        self._urgent_rounds = 0
        self._is_closed = False
        #: Time at which all callers stop waiting for the database. Set when the process is ending.
        self._ends_at = math.inf
        #: The reason the thread has ended, or None while it is running.
        self._ended: str | None = None
        #: Function called after each commit with the names of the tables written.
        self.on_write: OnWrite = lambda _: None

    # -- the loop's side -------------------------------------------------------------------------------------

    async def submit(
        self,
        work: Callable[[Transaction], Any],
        priority: Priority,
        *,
        is_read: bool,
        is_patient: bool = False,
        subjects: Sequence[str] = (),
    ) -> Any:
        """Queue work and wait for its result. Raise StoreBusy, StoreUnavailable or the work's own errors.

        If ``is_patient`` is true, wait without a time limit.
        """
        loop = self._loop = asyncio.get_running_loop()
        item = QueuedWork(work, priority, is_read, loop.create_future(), subjects)
        with self._condition:
            if self._is_closed or self._ended:
                raise StoreUnavailable(self._ended or "the store is closed")
            self._queues[priority].append(item)
        if not self._wakes:
            # Wake the thread only in the loop's next iteration, so that it receives all the work of this
            # iteration at once. Each wake-up costs more than reading a row.
            self._wakes = True
            loop.call_soon(self._wake)
        if not is_patient:
            self._callers[item] = None
            self._look_in(self._left(item))
        try:
            return await item.future
        except asyncio.CancelledError:
            self._give_up(item)
            raise
        finally:
            self._callers.pop(item, None)

    def _wake(self) -> None:
        self._wakes = False
        with self._condition:
            self._condition.notify()

    def _look_in(self, seconds: float) -> None:
        """After this many seconds, or sooner, check which callers have waited too long."""
        loop, timer = asyncio.get_running_loop(), self._timer
        # Use one timer for all callers. A timer for each would cost more than reading a row.
        if timer is None or timer.when() > loop.time() + seconds + MIN_PATIENCE_SECONDS:
            if timer is not None:
                timer.cancel()
            self._timer = loop.call_later(seconds, self._turn_away)

    def _turn_away(self) -> None:
        """Fail the work of callers that have waited too long, and schedule the next check."""
        self._timer = None
        for item in self._callers:
            if item.future.done():
                continue
            if (left := self._left(item)) > 0:
                self._look_in(left)
            elif self._give_up(item):
                item.future.set_exception(StoreBusy("the database is busy or away; nothing was done"))
            elif item.priority is Priority.URGENT and item.stage is QueueStage.COMMITTING:
                item.future.set_exception(StoreUnsure("the commit is taking long, and may still go through"))

    def _left(self, item: QueuedWork) -> float:
        """Return how many more seconds the caller of this work will wait."""
        until = min(item.queued_at + self._patience[item.priority], self._ends_at)
        if item.began_at is not None and item.queued_at < item.began_at + REQUEST_SECONDS:
            # All calls that are made for one request share a limit on how long they may wait.
            shared = item.began_at + self._patience[Priority.URGENT]
            until = min(until, max(shared, item.queued_at + MIN_PATIENCE_SECONDS))
        return max(until - monotonic(), 0.0)

    def end_within(self, seconds: float) -> None:
        """Limit all waits to this many seconds from now, because the process is ending."""
        self._ends_at = monotonic() + seconds
        if self._timer is not None:
            self._look_in(-MIN_PATIENCE_SECONDS)

    def _give_up(self, item: QueuedWork) -> bool:
        with self._condition:
            if item.stage is not QueueStage.QUEUED:
                return False
            item.stage = QueueStage.GIVEN_UP
            return True

    def close(self) -> None:
        """Accept no more work. The threads finish what is already queued."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    # -- the thread's side -----------------------------------------------------------------------------------

    def take(self, longest: float | None = None) -> list[QueuedWork] | None:
        """Wait up to ``longest`` seconds for work and return it, or None if the queue is closed and empty."""
        with self._condition:
            while not (items := self._pop()):
                if self._is_closed:
                    return None
                if not self._condition.wait(longest) and longest is not None:
                    return []
            return items

    def _pop(self) -> list[QueuedWork]:
        """Take the next work whose callers are still waiting: as much as may share a transaction."""
        taken: list[QueuedWork] = []
        while not taken and (queue := self._choose()):
            while queue and len(taken) < _BATCH_SIZE:
                item = queue.popleft()
                if item.stage is QueueStage.QUEUED:
                    taken.append(item)
        return taken

    def _choose(self) -> deque[QueuedWork]:
        urgent, steady, idle = self._queues.values()
        if urgent and not (steady and self._urgent_rounds >= _MAX_URGENT_ROUNDS):
            self._urgent_rounds += 1
            return urgent
        self._urgent_rounds = 0
        return steady or idle

    def put_back(self, items: Sequence[QueuedWork]) -> None:
        """Return work to the front of its queue. It will be run only if its caller is still waiting."""
        with self._condition:
            for item in reversed(items):
                self._queues[item.priority].appendleft(item)
                if item.stage is QueueStage.COMMITTING:
                    item.stage = QueueStage.QUEUED
        # During the commit, nothing checked whether these callers had waited too long, so check now.
        if items:
            self._tell_loop(self._look_in, 0.0)

    def may_commit(self, items: Iterable[QueuedWork]) -> bool:
        """Mark all items as being committed. If any caller has given up, mark none and return False."""
        with self._condition:
            if any(item.stage is QueueStage.GIVEN_UP for item in items):
                return False
            for item in items:
                item.stage = QueueStage.COMMITTING
            return True

    def deliver(self, items: Iterable[QueuedWork], written: Collection[str] = ()) -> None:
        """Deliver the results to the waiting callers, and report the names of the written tables."""
        with self._condition:
            done = [item for item in items if item.stage is not QueueStage.GIVEN_UP]
            for item in done:
                item.stage = QueueStage.DONE
        self._tell_loop(self._resolve, done, written)

    def _tell_loop(self, tell: Callable[..., None], *about: object) -> None:
        # If the loop is closed, nobody is waiting any more.
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(tell, *about)

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
        """Fail all queued work and refuse new work, because the thread has ended."""
        with self._condition:
            self._ended = reason
            left = [item for queue in self._queues.values() for item in queue]
            for queue in self._queues.values():
                queue.clear()
        for item in left:
            item.error = StoreUnavailable(reason)
        self.deliver(left)


#: Interval, in seconds, between attempts to reconnect while no work needs the connection.
RECONNECT_SECONDS = 1.0


class Session(Protocol):
    """A connection to a database. Only one thread uses it."""

    #: The driver's exception classes.
    errors: ClassVar[tuple[type[Exception], ...]]

    @property
    def transaction(self) -> Transaction:
        """Return the open transaction, for running queries."""

    @property
    def is_away(self) -> bool:
        """Return whether the connection was lost and is still down."""

    def open(self) -> None:
        """Connect. If that fails, raise StoreUnavailable with a cause that operators will understand."""

    def begin(self, *, writes: bool, subjects: Sequence[str] = ()) -> None:
        """Begin a transaction.

        While a transaction writes, no other may write for the same subjects (see ``concerns``). A transaction
        that only reads uses a snapshot of the database.
        """

    def commit(self) -> None:
        """Commit the transaction."""

    def rollback(self) -> None:
        """Roll back if a transaction is open. This never raises an error."""

    def translated(self, error: Exception) -> Exception:
        """Translate the driver's errors into errors that callers know. Return other errors unchanged.

        Return StoreBusy if the same work may soon succeed.
        """

    def close(self) -> None:
        """Close the connection."""


class QueueWorker:
    """Runs the work in a queue, using one session. This is the main loop of a database thread."""

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
        #: Maximum number of writes in the next transaction. A transaction first locks the subjects of all its
        #: writes (the people or things whose rows they touch), so it shouldn't begin with more writes than it
        #: can finish in time. If the last transaction ran out of time, the maximum is one more than the
        #: number of writes it finished. Otherwise, it is doubled, up to ``_BATCH_SIZE``.
        self._most_writes = _BATCH_SIZE

    async def start(self, name: str) -> None:
        """Start the thread, and open the session in it. Raise StoreUnavailable if that fails."""
        opened: Future[None] = Future()
        # From here on, the future can't be cancelled any more.
        opened.set_running_or_notify_cancel()
        self._thread = Thread(target=self._main, args=(opened,), name=name, daemon=True)
        self._thread.start()
        await asyncio.wrap_future(opened)

    async def join(self, seconds: float | None = None) -> None:
        """Wait up to ``seconds`` for the thread to finish all queued work. The queue must be closed first."""
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join, seconds)

    def _main(self, opened: Future[None]) -> None:
        try:
            self._session.open()
        except Exception as error:  # noqa: BLE001 - it belongs to the caller, who would wait for ever
            self._queue.end(str(error) if isinstance(error, StoreError) else "the database can't be opened")
            opened.set_exception(error)
            return
        opened.set_result(None)
        try:
            while (
                items := self._queue.take(RECONNECT_SECONDS if self._session.is_away else None)
            ) is not None:
                self.serve(items)
        finally:
            self._session.close()
            self._queue.end("the store is closed")

    def serve(self, items: Sequence[QueuedWork]) -> None:
        """Run work from the queue and deliver the results. If there is no work, check the database."""
        reads = [item for item in items if item.is_read]
        if reads or not items:
            self._run_reads(reads)
        writes = [item for item in items if not item.is_read]
        if writes:
            self._run_writes(writes)

    def _run_reads(self, items: Sequence[QueuedWork]) -> None:
        """Run as many reads as time allows on one snapshot of the database. Requeue the rest."""
        ran: list[QueuedWork] = []
        try:
            self._session.begin(writes=False)
            self._run_until(items, ran, stops=False)
        except self._errors as error:
            self._retry(items, error, self._run_reads)
            return
        # Deliver the results before the transaction ends. It has written nothing, so how it ends doesn't
        # matter.
        self._queue.deliver(ran)
        try:
            self._session.commit()
        except self._errors:
            self._session.rollback()
        self._queue.put_back(items[len(ran) :])

    def _run_writes(self, items: Sequence[QueuedWork]) -> None:
        """Run as many writes as fit into one transaction, and commit them. Requeue the rest."""
        ran: list[QueuedWork] = []
        self._queue.put_back(items[self._most_writes :])
        items = items[: self._most_writes]
        try:
            self._begin_write(self._session, sorted({name for item in items for name in item.subjects}))
        except self._errors as error:
            self._put_back_or_fail(items, error)
            return
        if len(items) == 1:
            self._session.transaction.may_commit = partial(self._queue.may_commit, items)
        try:
            self._run_until(items, ran, stops=True)
            self._most_writes = min(
                _BATCH_SIZE, len(ran) + 1 if len(ran) < len(items) else 2 * self._most_writes
            )
            # Callers that gave up before this point were rightly told that nothing had been done. A failure
            # up to here doesn't affect other work.
            self._session.transaction.settle(waits=len(ran) > 1 or ran[0].priority is Priority.URGENT)
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
                # Nothing was done, so serve the callers that are still waiting once the session has
                # reconnected.
                self._queue.put_back(items)
                return
            self._fail(ran, error)
        else:
            self._queue.deliver(ran, tuple(self._session.transaction.written))
        self._queue.put_back(items[len(ran) :])

    def _run_until(self, items: Sequence[QueuedWork], ran: list[QueuedWork], *, stops: bool) -> None:
        """Run items until time is up or the driver fails. If ``stops`` is true, stop at any error."""
        until = monotonic() + self._queue.seconds
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
        """Roll back and rerun each item alone, unless the error is temporary or there is just one item."""
        if len(items) == 1 or self._will_pass(error):
            self._put_back_or_fail(items, error)
            return
        self._session.rollback()
        for item in items:
            alone([item])

    def _will_pass(self, error: Exception) -> bool:
        return isinstance(error, self._session.errors) and isinstance(
            self._session.translated(error), StoreBusy
        )

    def _put_back_or_fail(self, items: Sequence[QueuedWork], error: Exception) -> None:
        will_pass = self._will_pass(error)
        self._session.rollback()
        if will_pass:
            # Callers that have waited too long are dropped before the next attempt.
            self._queue.put_back(items)
        else:
            self._fail(items, error)

    def _fail(self, items: Sequence[QueuedWork], error: Exception) -> None:
        for item in items:
            item.error = self._session.translated(error)
        self._queue.deliver(items)
