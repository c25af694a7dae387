"""A thread with a connection of its own: it takes queued work and runs it in transactions.

Queued writes are committed together, for at most 20 ms. If one of them fails, all are rolled back and each is
run again in a transaction of its own, so that it fails alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from threading import Thread
from time import monotonic
from typing import ClassVar, Protocol

from bot.store.transaction import Transaction
from bot.store.write_queue import QueuedWork, WriteQueue
from bot.support.errors import StoreError

#: A transaction takes on no more work after this many seconds.
LONGEST = 0.02


class Session(Protocol):
    """One connection to a database, used by one thread."""

    #: What the driver raises.
    errors: ClassVar[tuple[type[Exception], ...]]

    @property
    def transaction(self) -> Transaction:
        """Run the queries of the open transaction."""
        ...

    def open(self) -> None:
        """Connect. Raise StoreUnavailable with the cause for operators."""
        ...

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction: the only one that writes, or one that reads a single snapshot."""
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


class Worker:
    """Run a queue's work on a session; the engine says how a transaction that writes begins and ends."""

    def __init__(
        self,
        queue: WriteQueue,
        session: Session,
        begin_write: Callable[[Session], None],
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
        """Wait until the thread has done what is queued, ``seconds`` at most; the queue has been closed."""
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join, seconds)

    def _main(self, opened: asyncio.Future[None]) -> None:
        loop = opened.get_loop()
        try:
            self._session.open()
        except StoreError as error:
            self._queue.end(str(error))
            loop.call_soon_threadsafe(_settle, opened, error)
            return
        loop.call_soon_threadsafe(_settle, opened, None)
        try:
            while (items := self._queue.take()) is not None:
                self.serve(items)
        finally:
            self._session.close()
            self._queue.end("the store is closed")

    def serve(self, items: Sequence[QueuedWork]) -> None:
        """Run what was taken from the queue and deliver the results."""
        reads = [item for item in items if item.is_read]
        if reads:
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
            self._session.commit()
        except self._errors as error:
            self._retry(items, error, self._run_reads)
            return
        self._queue.deliver(ran)
        self._queue.put_back(items[len(ran) :])

    def _run_writes(self, items: Sequence[QueuedWork]) -> None:
        """Run as many writes as fit into one transaction and commit them; requeue the rest."""
        ran: list[QueuedWork] = []
        try:
            self._begin_write(self._session)
        except self._errors as error:
            self._put_back_or_fail(items, error)
            return
        try:
            self._run_until(items, ran, stops=True)
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
            self._fail(ran, error)
        else:
            self._queue.deliver(ran)
        self._queue.put_back(items[len(ran) :])

    def _run_until(self, items: Sequence[QueuedWork], ran: list[QueuedWork], *, stops: bool) -> None:
        """Run items until time is up. The driver's errors end it; ``stops``: so do all others."""
        until = monotonic() + LONGEST
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


def _settle(opened: asyncio.Future[None], error: Exception | None) -> None:
    if opened.done():
        return
    if error is None:
        opened.set_result(None)
    else:
        opened.set_exception(error)
