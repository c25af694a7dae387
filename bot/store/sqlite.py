"""The SQLite engine: one thread owns the connection, and all work goes through it.

WAL with ``synchronous=FULL``: commits survive a power cut. Queued writes are committed together, each in a
savepoint of its own, for at most 20 ms. Two processes on one file take turns with BEGIN IMMEDIATE.

sqlite-utils is used except for two things. Its ``query`` puts a savepoint around each statement: a query of
one row takes 6.8 µs instead of 3.2, and four of them are a tenth of recording a poll. Its ``begin`` takes no
lock, so two processes could both read first, and one of them would then fail to write. ``analyze`` isn't
used: the tests pin the query plans of a schema without statistics, and the statistics of a small table
mislead once it has grown.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from sqlite_utils import Database

from bot.store import schema
from bot.store.queries import migrations
from bot.store.serving import SLEWED, ClockReading, beat, follow
from bot.store.serving_lock import ServingLock
from bot.store.sqlite_errors import is_locked, is_missing_table, translated, why_not_opened
from bot.store.sqlite_transaction import SqliteTransaction
from bot.store.store_time import StoreTime
from bot.store.transaction import Priority
from bot.store.write_queue import Run, WriteQueue
from bot.support.errors import StoreInUse, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.store.transaction import Result, Work
    from bot.support.clock import Clock, Ids

#: How long a caller waits for a commit, in seconds.
PATIENCE: Mapping[Priority, float] = {Priority.URGENT: 2.0, Priority.STEADY: 10.0, Priority.RECORDS: 10.0}
#: Poll records are batched until there are this many rows, or for this many seconds.
BATCH_ROWS, BATCH_SECONDS = 200, 0.05
#: A transaction takes on no more work after this many seconds.
LONGEST = 0.02
#: How long SQLite waits for another process's lock before readers get a turn and it tries again.
LOCK_SECONDS = 0.1
#: Opening has no readers to let through, so it waits longer.
OPEN_SECONDS = 2.0

#: With ten thousand open operations the default cache of 2 MB thrashes and the log is checkpointed four times
#: a second: hence 32 MB of cache, 16 MB of log, and temporary tables in memory.
MEMORY = ("cache_size = -32768", "wal_autocheckpoint = 4000", "temp_store = MEMORY")

_IN_MEMORY = ":memory:"
_STOP_IT = "Usher is running on this database ({path}): stop it first, then try again."
_ANOTHER = (
    "Another Usher is already running on this database ({path}): stop that one first, or set "
    "USHER_DATABASE_URL to another file."
)


class SqliteEngine:
    """Supply transactions of one SQLite file, or of memory (``:memory:``, for tests)."""

    def __init__(
        self,
        path: str,
        clock: Clock,
        ids: Ids,
        *,
        patience: Mapping[Priority, float] = PATIENCE,
        batch_seconds: float = BATCH_SECONDS,
        scripts: Mapping[str, str] | None = None,
    ) -> None:
        """``scripts`` are the migrations by name, in the order to run them."""
        self._path = path
        self._scripts = scripts or migrations()
        self._ids = ids
        self._clock = clock
        self._time = StoreTime(clock)
        self._lock = None if path == _IN_MEMORY else ServingLock(path)
        #: Whether this is the serving process: only that one moves times.
        self._serves = False
        self._written_ahead = self._time.ahead()
        self._wrote_at = clock.monotonic()
        self._write_queue = WriteQueue(patience, BATCH_ROWS, batch_seconds)
        self._thread: Thread | None = None

    # -- the loop's side -------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start the thread and open the file, with mode 0600 if it is new. Raise StoreUnavailable."""
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._thread = Thread(target=self._main, args=(opened,), name="store", daemon=True)
        self._thread.start()
        await opened

    def now(self) -> float:
        """Return the store's epoch seconds."""
        return self._time.now()

    async def read(self, work: Work[Result], priority: Priority = Priority.URGENT) -> Result:
        """Run read-only work, on one snapshot of the database."""
        result: Result = await self._write_queue.submit(work, priority, is_read=True)
        return result

    async def write(self, work: Work[Result], priority: Priority = Priority.STEADY, rows: int = 1) -> Result:
        """Run work that writes; durable when it returns."""
        result: Result = await self._write_queue.submit(work, priority, is_read=False, rows=rows)
        return result

    async def tidy(self) -> None:
        """Reclaim the space of deleted rows if it is a quarter of the file: 0.3 s for 50 MB."""
        await self._write_queue.submit(lambda _: self._tidy(), Priority.STEADY, is_read=False, is_alone=True)

    async def migrate(self, *, holds: bool = False) -> list[str]:
        """Bring the schema up to date; return the names of the migrations that ran.

        Raise StoreTooNew, StoreUnreleased or StoreInUse.
        """
        if holds and not self._take_lock():
            raise StoreInUse(_ANOTHER.format(path=self._path))
        try:
            return await self.write(lambda _: self._migrate())
        finally:
            if not (holds or self._serves):
                self._release_lock()

    def serves(self) -> None:
        """Move times from now on, as the one process serving from this file."""
        self._serves = True

    def clock_reading(self) -> ClockReading:
        """Return how far the store's time is ahead of the machine's monotonic clock."""
        return ClockReading(self._clock.boot(), self._time.ahead(), self._clock.slept())

    def seconds_since_write(self) -> float:
        """Return how long ago something was last written and committed by this process."""
        return self._clock.monotonic() - self._wrote_at

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        self._write_queue.close()
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._release_lock()

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _take_lock(self) -> bool:
        try:
            return self._lock is None or self._lock.take()
        except OSError as error:
            raise StoreUnavailable(why_not_opened(f"{self._path}.lock", error)) from None

    # -- the thread's side: opening and closing --------------------------------------------------------------

    def _main(self, opened: asyncio.Future[None]) -> None:
        loop = opened.get_loop()
        try:
            self._database = self._connect()
        except (OSError, sqlite3.Error) as error:
            cause = why_not_opened(self._path, error)
            self._write_queue.end(cause)
            loop.call_soon_threadsafe(_settle, opened, StoreUnavailable(cause))
            return
        self._transaction = SqliteTransaction(self._database.conn, self._time, self._ids)
        loop.call_soon_threadsafe(_settle, opened, None)
        try:
            while (runs := self._write_queue.take()) is not None:
                self._serve(runs)
        finally:
            self._database.close()
            self._write_queue.end("the store is closed")

    def _connect(self) -> Database:
        if self._path != _IN_MEMORY:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._inode = _inode(self._path)
        connection = sqlite3.connect(self._path, timeout=OPEN_SECONDS, cached_statements=512)
        try:
            database = Database(connection, recursive_triggers=False, execute_plugins=False)
            database.enable_wal()
            for pragma in ("synchronous = FULL", "foreign_keys = ON", *MEMORY):
                database.execute(f"PRAGMA {pragma}").fetchall()
            # Fail here rather than on the first request: read-only, locked, not a database.
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
            database.execute(f"PRAGMA busy_timeout = {round(LOCK_SECONDS * 1000)}").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        return database

    def _migrate(self) -> list[str]:
        """Run missing migrations, all or nothing: a transaction is open."""
        missing = schema.missing(self._database, self._scripts, self._path)
        if missing and not self._take_lock():
            raise StoreInUse(_STOP_IT.format(path=self._path))
        schema.run(self._database, self._scripts, missing, self._time.now())
        return missing

    # -- the thread's side: work -----------------------------------------------------------------------------

    def _serve(self, runs: Sequence[Run]) -> None:
        reads = [run for run in runs if run.is_read]
        if reads:
            self._run_reads(reads)
        writes = [run for run in runs if not run.is_read and not run.is_alone]
        if writes:
            self._run_writes(writes)
        for run in runs:
            if run.is_alone:
                self._run_alone(run)

    def _run_alone(self, run: Run) -> None:
        try:
            self._check_file()
            run.result = run.work(self._transaction)
        except (OSError, sqlite3.Error) as error:
            self._fail([run], error)
        else:
            self._write_queue.deliver([run])

    def _tidy(self) -> None:
        pages, free = (
            self._database.execute(f"PRAGMA {count}").fetchone()[0]
            for count in ("page_count", "freelist_count")
        )
        if free * 4 >= pages:
            self._database.vacuum()

    def _run_reads(self, runs: Sequence[Run]) -> None:
        """Run as many reads as fit into the time on one snapshot of the database; requeue the rest."""
        ran: list[Run] = []
        until = monotonic() + LONGEST
        try:
            with self._database.atomic():
                for run in runs:
                    self._run_read(run)
                    ran.append(run)
                    if monotonic() >= until:
                        break
        except sqlite3.Error as error:
            if is_locked(error):
                self._write_queue.put_back(runs)
            elif len(runs) == 1:
                self._fail(runs, error)
            else:
                for run in runs:
                    self._run_reads([run])
            return
        self._write_queue.deliver(ran)
        self._write_queue.put_back(runs[len(ran) :])

    def _run_read(self, run: Run) -> None:
        run.error = run.result = None
        try:
            run.result = run.work(self._transaction)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - any error belongs to the caller, not to this thread
            run.error = translated(error)

    def _run_writes(self, runs: Sequence[Run]) -> None:
        """Run as many writes as fit into one transaction and commit them; requeue the rest."""
        try:
            self._check_file()
            self._note_clock()
            self._database.execute("BEGIN IMMEDIATE")
        except (OSError, sqlite3.Error) as error:
            self._rollback()
            if is_locked(error):
                # Callers whose patience ran out are gone before the next attempt.
                self._write_queue.put_back(runs)
            else:
                self._fail(runs, error)
            return
        ran: list[Run] = []
        changes = self._database.conn.total_changes
        try:
            self._run_until(runs, ran, monotonic() + LONGEST)
        except sqlite3.Error as error:
            self._rollback()
            self._one_by_one(runs, error)
            return
        if not self._write_queue.may_commit(ran):
            self._rollback()
            self._write_queue.put_back(runs)
            return
        try:
            self._database.commit()
        except sqlite3.Error as error:
            self._rollback()
            self._fail(ran, error)
        else:
            if self._database.conn.total_changes > changes:
                # Only then was anything written to disk.
                self._wrote_at = self._clock.monotonic()
            self._write_queue.deliver(ran)
        self._write_queue.put_back(runs[len(ran) :])

    def _run_until(self, runs: Sequence[Run], ran: list[Run], until: float) -> None:
        """Run jobs until time is up. A failing one is rolled back alone if the transaction survives it."""
        for run in runs:
            run.error = run.result = None
            try:
                with self._database.atomic():
                    run.result = run.work(self._transaction)
            except Exception as error:
                if isinstance(error, sqlite3.Error) and not self._database.conn.in_transaction:
                    raise
                run.error = translated(error)
            ran.append(run)
            if monotonic() >= until:
                return

    def _one_by_one(self, runs: Sequence[Run], error: Exception) -> None:
        """Retry the jobs of a broken transaction, each in its own; a single job has failed."""
        if len(runs) == 1:
            self._fail(runs, error)
            return
        for run in runs:
            self._run_writes([run])

    def _fail(self, runs: Sequence[Run], error: Exception) -> None:
        for run in runs:
            run.error = translated(error)
        self._write_queue.deliver(runs)

    def _rollback(self) -> None:
        # If even that fails, so does the next BEGIN, which says why.
        with suppress(sqlite3.Error):
            self._database.rollback()

    def _check_file(self) -> None:
        """Refuse to write to a file that was moved or deleted."""
        if self._path != _IN_MEMORY and _inode(self._path) != self._inode:
            raise FileNotFoundError(self._path)

    def _note_clock(self) -> None:
        """Move waiting times along with a wall clock that jumped ahead, before any work sees the new time.

        While the store's time slows down to meet a clock that was set back, the clock reading is written
        repeatedly: the next start relies on it.
        """
        jump = self._time.jump()
        if not self._serves:
            # Only the serving process moves them, not every other process that has the file open.
            self._time.follow(jump)
            return
        clock_reading = self.clock_reading()
        if not jump and abs(clock_reading.ahead - self._written_ahead) <= SLEWED:
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            if jump:
                follow(self._transaction, jump, clock_reading)
            else:
                beat(self._transaction, clock_reading)
            self._database.commit()
        except sqlite3.OperationalError as error:
            if not is_missing_table(error):
                raise
            self._rollback()
        self._time.follow(jump)
        self._written_ahead = clock_reading.ahead + jump


def _inode(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_dev, status.st_ino


def _settle(opened: asyncio.Future[None], error: Exception | None) -> None:
    if opened.done():
        return
    if error is None:
        opened.set_result(None)
    else:
        opened.set_exception(error)
