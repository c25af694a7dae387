"""SQLite that begins with the schema and waits for no disk, with its thread or without.

Without, what is asked is done at once, and told in the loop's next turn. Handing work to a thread and back
costs more than the work, and a new schema more than most tests. That the queue and the thread keep what they
promise is shown by the contract tests of the store; the transactions are the same here.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from typing import Any

from bot.store.queue import PATIENCE, QueuedWork, Stage, Worker, WriteQueue
from bot.store.schema import migrations
from bot.store.sqlite import SqliteEngine, SqliteSession
from bot.store.transaction import Priority
from bot.support.clock import Clock, Ids
from bot.support.errors import StoreUnavailable


@cache
def migrated() -> bytes:
    """Return a new database with the whole schema, which all others begin as a copy of."""
    with closing(sqlite3.connect(":memory:")) as new:
        new.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for script in migrations().values():
            new.executescript(script)
        new.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)")
        new.executemany("INSERT INTO migrations VALUES (?, 0)", [[name] for name in migrations()])
        new.commit()
        return new.serialize()


class _NextTurn(WriteQueue):
    """Hold nothing back, and tell in the next turn of the loop, as a thread would at the earliest."""

    def __init__(self, engine: SqliteEngine) -> None:
        super().__init__(PATIENCE, batch_rows=1, batch_seconds=0.0)
        self._engine = engine
        self.is_open = False

    async def submit(
        self,
        work: Any,
        priority: Priority,
        *,
        is_read: bool,
        rows: int = 1,
        is_patient: bool = False,
    ) -> Any:
        if not self.is_open:
            raise StoreUnavailable("the store is closed")
        # Nobody waits for its future: that would take the loop a turn more, and so half as long again.
        item = QueuedWork(work, priority, is_read, rows, asyncio.get_running_loop().create_future())
        while item.stage is not Stage.DONE:
            self._engine._worker.serve([item])
            await asyncio.sleep(0)
        if item.error is not None:
            raise item.error
        return item.result

    def deliver(self, items: Iterable[QueuedWork]) -> None:
        for item in items:
            item.stage = Stage.DONE

    def put_back(self, items: Iterable[QueuedWork]) -> None:
        """Leave what another process was in the way of to the next turn."""


class QuickSqlite(SqliteEngine):
    """Begin a new file (or memory) with the whole schema, and write nothing that survives a power cut."""

    def _new_session(self, ids: Ids) -> SqliteSession:
        return _QuickSession(self._path, self._time, ids)


class EngineWithoutThread(QuickSqlite):
    """Supply transactions in the loop's own thread, and look for no file that somebody moved."""

    def __init__(self, path: str, clock: Clock, ids: Ids) -> None:
        super().__init__(path, clock, ids)
        self._write_queue = self._read_queue = self._at_once = _NextTurn(self)
        self._worker = Worker(self._at_once, self._session, self._begin_write)

    @property
    def changes(self) -> int:
        """Return how many rows have been changed."""
        return self._session.connection.total_changes

    def serialized(self) -> bytes:
        """Return the database as it is, which another may begin as."""
        database: bytes = self._session.connection.serialize()
        return database

    def _new_session(self, ids: Ids) -> SqliteSession:
        return _SessionAtOnce(self._path, self._time, ids)

    async def open(self) -> None:
        self._session.open()
        self._at_once.is_open = True

    async def close(self) -> None:
        if self._at_once.is_open:
            self._at_once.is_open = False
            self._session.close()
        self._release_lock()


class _QuickSession(SqliteSession):
    def connect(self) -> sqlite3.Connection:
        database = super().connect()
        database.execute("PRAGMA synchronous = OFF")
        # Not by the size: a new file that is to write ahead has a page already.
        if database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0:
            with closing(sqlite3.connect(":memory:")) as copy:
                copy.deserialize(migrated())
                copy.backup(database)
        return database


class _SessionAtOnce(_QuickSession):
    def _check_file(self) -> None:
        """Look for no file that somebody moved: nobody does, and it is done with every write."""
