"""SQLite with the schema already in place and without waiting for the disk, with or without its thread.

Without the thread, each request runs at once, and its result arrives in the event loop's next iteration.
Handing work to a thread and back takes longer than the work itself, and creating the schema takes longer than
most tests. The transactions are the same. The store's contract tests cover the queue and the thread.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from threading import get_ident
from typing import Protocol, TypeVar

from bot.store.schema import CREATE_MIGRATIONS, read_latest_schema, read_migrations, record_migration
from bot.store.sqlite import LAYOUT, SqliteEngine, SqliteSession, SqliteTransaction
from bot.store.transaction import Priority, StoreTime, Work
from bot.support.clock import Ids, SystemIds
from bot.support.errors import StoreBusy, StoreUnavailable
from tests.rigs.clock import FakeClock
from tests.rigs.weight import weighed

Result = TypeVar("Result")


class Watch(Protocol):
    """A function that observes the work done in transactions."""

    def __call__(self, work: Work[Result], priority: Priority, writes: bool) -> Work[Result]:
        """Return work that does the same as the given work."""
        ...


@cache
def migrated() -> bytes:
    """Return a new database with the whole schema. All other databases start as a copy of it."""
    with closing(sqlite3.connect(":memory:")) as new:
        for pragma in LAYOUT:
            new.execute(f"PRAGMA {pragma}")
        for statement in (*CREATE_MIGRATIONS, *read_latest_schema()):
            new.execute(statement)
        tx = SqliteTransaction(new, StoreTime(FakeClock()), SystemIds())
        for name, script in read_migrations().items():
            record_migration(tx, name, script)
        new.commit()
        return new.serialize()


class QuickSqlite(SqliteEngine):
    """An engine whose new databases already have the whole schema, and that never waits for the disk."""

    def _new_session(self, ids: Ids) -> SqliteSession:
        return _QuickSession(self._path, self._time, ids)

    async def write(
        self,
        work: Work[Result],
        priority: Priority = Priority.STEADY,
        subjects: Sequence[str] = (),
    ) -> Result:
        return await super().write(weighed(work), priority, subjects)


@dataclass(frozen=True)
class _Failed:
    error: Exception


IN_MEMORY = ":memory:"


class EngineWithoutThread(QuickSqlite):
    """Runs transactions in the event loop's own thread, and doesn't check whether the file was moved."""

    _is_open = False
    #: An observer of all transactions, if there is one (``tests.rigs.counting``).
    watch: "Watch | None" = None

    async def read(self, work: Work[Result], priority: Priority = Priority.URGENT) -> Result:
        return await self._done(self._watched(work, priority, writes=False), writes=False)

    async def write(
        self,
        work: Work[Result],
        priority: Priority = Priority.STEADY,
        subjects: Sequence[str] = (),
    ) -> Result:
        return await self._done(self._watched(weighed(work), priority, writes=True), writes=True)

    def _watched(self, work: Work[Result], priority: Priority, *, writes: bool) -> Work[Result]:
        return work if self.watch is None else self.watch(work, priority, writes)

    async def _write_patiently(self, work: Work[Result]) -> Result:
        return await self._done(work, writes=True)

    async def _done(self, work: Work[Result], *, writes: bool) -> Result:
        """Run the work now, but return its result in the loop's next iteration, as soon as a thread could."""
        while self._is_open:
            answer = self._tried(work, writes=writes)
            await asyncio.sleep(0)
            if not isinstance(answer, _Failed):
                return answer
            error = self._session.translated(answer.error)
            if error is answer.error or not isinstance(error, StoreBusy):
                raise error
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
            if written := session.transaction.written:
                asyncio.get_running_loop().call_soon(self._write_queue.on_write, tuple(written))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the caller
            session.rollback()
            return _Failed(error)
        return result

    @property
    def changes(self) -> int:
        """Return the number of rows changed so far."""
        return self._session.connection.total_changes

    def serialized(self) -> bytes:
        """Return the database as bytes, from which another one can be started."""
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
        # Check the tables rather than the file's size, because a new file in WAL mode already has a page.
        if database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0:
            with closing(sqlite3.connect(":memory:")) as copy:
                copy.deserialize(migrated())
                copy.backup(database)
        return database


class _SessionAtOnce(_QuickSession):
    """Reuses an earlier test's database in memory, because preparing its statements again takes long."""

    def connect(self) -> sqlite3.Connection:
        if self._path != IN_MEMORY:
            return super().connect()
        kept = _kept.setdefault(get_ident(), [])
        connection = kept.pop() if kept else super().connect()
        self._shape = _shape(connection)
        return connection

    def close(self) -> None:
        survives_stop = self._path == IN_MEMORY and _emptied(self.connection, self._shape)
        if survives_stop:
            _kept.setdefault(get_ident(), []).append(self.connection)
        else:
            super().close()

    def _check_file(self) -> None:
        """Do nothing: nobody moves the file in these tests, and the check would run with every write."""


#: Databases in memory that are free for reuse, by the id of the thread that may use them.
_kept: dict[int, list[sqlite3.Connection]] = {}


def _shape(connection: sqlite3.Connection) -> list[int]:
    """Return the settings that a test may have changed and that mustn't affect another test."""
    names = "schema_version", "max_page_count", "foreign_keys", "query_only"
    return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]


def _emptied(connection: sqlite3.Connection, shape: list[int]) -> bool:
    """Restore a database to the state of a new one, and return whether that worked."""
    try:
        connection.rollback()
        if _shape(connection) != shape:
            return False
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN")
        for statement, rows in _afresh():
            connection.execute(statement) if rows is None else connection.executemany(statement, rows)
        connection.commit()
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        return False
    return True


@cache
def _afresh() -> list[tuple[str, list[tuple[object, ...]] | None]]:
    """Return the statements that delete all rows and insert those of a new database."""
    with closing(sqlite3.connect(":memory:")) as new:
        new.deserialize(migrated())
        tables = [name for (name,) in new.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        contents = {table: new.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    deletes = [(f"DELETE FROM {table}", None) for table in tables]
    inserts = [
        (f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        for table, rows in contents.items()
        if rows
    ]
    return [*deletes, *inserts]
