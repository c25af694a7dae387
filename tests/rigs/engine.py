"""SQLite that begins with the schema and waits for no disk, with its thread or without.

Without, what is asked is done at once, and told in the loop's next turn. Handing work to a thread and back
costs more than the work, and a new schema more than most tests. That the queue and the thread keep what they
promise is shown by the contract tests of the store; the transactions are the same here.
"""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeVar

from bot.store.schema import RECORDS, migrations, records
from bot.store.sqlite import SqliteEngine, SqliteSession
from bot.store.transaction import Priority, Work
from bot.support.clock import Ids
from bot.support.errors import StoreUnavailable

Result = TypeVar("Result")


class Watch(Protocol):
    """Look on at what is done in transactions."""

    def __call__(self, work: Work[Result], priority: Priority, writes: bool) -> Work[Result]:
        """Return work that does the same."""
        ...


@cache
def migrated() -> bytes:
    """Return a new database with the whole schema, which all others begin as a copy of."""
    with closing(sqlite3.connect(":memory:")) as new:
        new.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for table in RECORDS:
            new.execute(table)
        for name, script in migrations().items():
            new.executescript(script)
            for table, row in records(name, script, 0.0).items():
                new.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        new.commit()
        return new.serialize()


class QuickSqlite(SqliteEngine):
    """Begin a new file (or memory) with the whole schema, and write nothing that survives a power cut."""

    def _new_session(self, ids: Ids) -> SqliteSession:
        return _QuickSession(self._path, self._time, ids)


@dataclass(frozen=True)
class _Failed:
    error: Exception


class EngineWithoutThread(QuickSqlite):
    """Supply transactions in the loop's own thread, and look for no file that somebody moved."""

    _is_open = False
    #: What looks on (``tests.rigs.counting``).
    watch: "Watch | None" = None

    async def read(self, work: Work[Result], priority: Priority = Priority.URGENT) -> Result:
        return await self._done(self._watched(work, priority, writes=False), writes=False)

    async def write(self, work: Work[Result], priority: Priority = Priority.STEADY, rows: int = 1) -> Result:
        return await self._done(self._watched(work, priority, writes=True), writes=True)

    def _watched(self, work: Work[Result], priority: Priority, *, writes: bool) -> Work[Result]:
        return work if self.watch is None else self.watch(work, priority, writes)

    async def _write_patiently(self, work: Work[Result]) -> Result:
        return await self._done(work, writes=True)

    async def _done(self, work: Work[Result], *, writes: bool) -> Result:
        """Do work now; tell what came of it in the loop's next turn, as a thread would at the earliest."""
        while self._is_open:
            answer = self._tried(work, writes=writes)
            await asyncio.sleep(0)
            if not isinstance(answer, _Failed):
                return answer
            if not self._session.will_pass(answer.error):
                raise self._session.translated(answer.error)
        raise StoreUnavailable("the store is closed")

    def _tried(self, work: Work[Result], *, writes: bool) -> "Result | _Failed":
        session = self._session
        try:
            if writes:
                self._begin_write(session)
            else:
                session.begin(writes=False)
            result = work(session.transaction)
            session.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the caller
            session.rollback()
            return _Failed(error)
        return result

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
        self._is_open = True

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
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
