"""The PostgreSQL engine: connections for writes, claims, poll results and reads, each in its own thread.

By default, a transaction that writes takes an advisory lock exclusively. As on SQLite, only one such
transaction runs at a time, across all processes, so whatever it has read stays true until it commits.

Some transactions only share that lock, so they can run side by side, within a process or across several.
Besides the shared lock, each takes the locks that it needs:

- claims lock the rows that they change;
- poll results, and functions that declare whose rows they touch (``@concerns``), lock their *subjects*:
  the people or other things that the rows belong to (``docs/adr/0116-whose-it-is.md``).

Each connection has a thread, because asynchronous connections are no faster.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

import psycopg
import structlog

from bot.store import audit, maintenance, owners, schema
from bot.store.database_thread import PATIENCE_SECONDS, QueueWorker, Session, WriteQueue
from bot.store.engine import Engine
from bot.store.postgres_errors import describe_url, make_open_error
from bot.store.postgres_servers import Servers
from bot.store.postgres_session import PostgresSession, refuse_pooling
from bot.store.postgres_transaction import DatabaseClock
from bot.store.sqlite import SqliteEngine
from bot.store.sqlite import explain_not_opened as explain_file_not_opened
from bot.store.store import Store
from bot.store.tables import UPKEEP
from bot.store.transaction import BESIDE, OnWrite, Priority, Transaction
from bot.support.clock import Clock, Ids, SystemClock, SystemIds
from bot.support.errors import StoreError, StoreInUse, StoreUnavailable
from bot.support.release import FIRST_THAT_STOPS, is_newer
from bot.support.settings.database import read_sign_in_again

log = structlog.get_logger(__name__)


#: Number of connections for reads. There are several, so that a slow read, such as a long list, doesn't hold
#: up all the others.
READERS = 2
#: Number of connections for transactions that declare in advance whose rows they touch. Such transactions are
#: divided among these connections and run in parallel. If the server answers within ``NEAR_SECONDS``, only
#: ``NEAR_LANES`` connections are used. Connections to such a fast server spend little time waiting, so more
#: of them would only spread the work over more commits.
LANES, NEAR_LANES, NEAR_SECONDS = 4, 2, 0.001
#: How long, in seconds, an open transaction on one of the ``LANES`` accepts more work. This is longer than on
#: other connections, because these transactions rarely make others wait, and a busy machine has more time for
#: actual work if there are fewer commits.
LANE_SECONDS = 0.05
#: Interval, in seconds, at which the listener checks whether notifications of changed tables are still
#: wanted. If its connection is lost, it tries to reconnect at the same interval. Until it succeeds, periodic
#: checks replace the notifications.
RETRY_SECONDS = 1.0
#: Maximum time, in seconds, that a closing store waits for a connection whose server doesn't respond.
JOIN_SECONDS = 1.0
_STOP_IT = "Usher is running on this database ({name}): stop it first, then try again."
_CLOSED_MESSAGE = "This database ({name}) is being copied to: try again in a moment."


class PostgresEngine(Engine):
    """Runs transactions on one PostgreSQL database."""

    is_shared = True

    def __init__(
        self,
        url: str,
        clock: Clock,
        ids: Ids,
        *,
        patience: Mapping[Priority, float] = PATIENCE_SECONDS,
        scripts: Mapping[str, str] | None = None,
        readers: int = READERS,
        database_clock: DatabaseClock | None = None,
    ) -> None:
        """``scripts`` maps the names of migrations to their SQL, in the order in which they run."""
        #: The URL to which the listener connects.
        self._url = read_sign_in_again(url)
        self._servers = Servers()
        self._watch: asyncio.Task[None] | None = None
        self._database_clock = database_clock or DatabaseClock(clock)
        super().__init__(self._database_clock, patience)
        self._name = describe_url(url)
        self._scripts = scripts or schema.read_migrations()
        self._read_queue = WriteQueue(patience)
        new_session = partial(self._new_session, self._database_clock, ids)
        self._session = new_session()
        self._beside = {priority: WriteQueue(patience) for priority in BESIDE}
        self._lanes = [WriteQueue(patience, LANE_SECONDS) for _ in range(LANES)]
        works = [(self._write_queue, self._session)]
        works += [(queue, new_session(self._may_claim)) for queue in self._beside.values()]
        works += [(queue, new_session(lambda: True)) for queue in self._lanes]
        self._writing = [session for _, session in works]
        self._reading = [new_session() for _ in range(readers)]
        for session in self._reading:
            # Reads hold no locks, and an export may take minutes.
            session.limit_seconds = 0
        works += [(self._read_queue, session) for session in self._reading]
        self._writer, *self._others = (
            QueueWorker(queue, session, self._begin_write) for queue, session in works
        )

    def _new_session(
        self, clock: DatabaseClock, ids: Ids, is_allowed: Callable[[], bool] | None = None
    ) -> PostgresSession:
        return PostgresSession(self._url, clock, self._time, ids, self._servers, is_allowed)

    @property
    def is_whole(self) -> bool:
        """Return whether all writing connections are up, and at least one reading connection."""
        is_away = any(session.is_away for session in self._writing)
        return not is_away and not all(session.is_away for session in self._reading)

    @property
    def problem(self) -> str:
        """Return why the engine can't read and write, or "" if it can."""
        if self.is_whole:
            return ""
        said = (session.problem for session in (*self._writing, *self._reading))
        return next(filter(None, said), "a connection to the database is away")

    @property
    def warning(self) -> str:
        """Return a problem with the servers that doesn't stop the database from working, or ""."""
        return self._servers.problem

    def _may_claim(self) -> bool:
        """Return whether work that is claimed now can be carried out and its results written."""
        return self.is_whole and not self._session.is_cut

    async def open(self) -> None:
        """Start the threads and connect. Raise StoreUnavailable if that fails."""
        await asyncio.to_thread(refuse_pooling, self._url, self._servers)
        await self._writer.start("store")
        self._time.begin()
        try:
            for worker in self._others:
                await worker.start("store-worker")
            self._watch = asyncio.create_task(self._servers.watch(self._url))
        except StoreUnavailable:
            await self.close()
            raise

    async def listen(self, on_write: OnWrite, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Call a function with the names of tables that other processes write to, until cancelled.

        While nobody wants the names, the server doesn't send them, so that commits don't wake this process.
        Every listening process also checks everything once a second, so commits by listening processes send
        no notifications. This saves waiting, because commits that send notifications have to wait for one
        another.
        """
        for session in self._writing:
            session.transaction.notifies = False
        url, is_lost = self._url, False
        while True:
            try:
                conninfo = await asyncio.to_thread(self._servers.choose, url)
                used = self._servers.used
                async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
                    is_lost = listens = False
                    while used == self._servers.used:
                        if is_wanted() != listens:
                            listens = not listens
                            await connection.execute("LISTEN usher" if listens else "UNLISTEN usher")
                            # Anything may have been written while this process wasn't listening.
                            on_write(None)
                        async for one in connection.notifies(timeout=RETRY_SECONDS):
                            on_write(one.payload.split())
            except psycopg.Error as error:
                if is_lost:
                    await asyncio.sleep(RETRY_SECONDS)
                else:
                    log.info("no hints from other processes", problem=str(make_open_error(url, error)))
                is_lost, url = True, read_sign_in_again(url)

    async def migrate(self, *, serves: bool = False) -> list[str]:
        """Bring the schema up to date, and return the names of the migrations that ran.

        Raise StoreTooOld, StoreTooNew, StoreUnreleased or StoreInUse. Other processes that are serving stop
        by themselves after a migration. If ``serves`` is true, this process then begins to serve, alongside
        others.
        """
        applied = await self._write_patiently(lambda _: self._migrate())
        if serves:
            self._serves = True
            for session in self._writing:
                session.transaction.newest_known = max(self._scripts)
            if not await self.write(lambda _: self._session.take_lock()):
                raise StoreInUse(_CLOSED_MESSAGE.format(name=self._name))
        return applied

    async def fill(self, tables: Callable[[], Generator[schema.TableCopy]]) -> dict[str, int]:
        """Copy all tables or none into a migrated, empty database. Return each table's row count.

        Raise StoreError if the database isn't empty, and StoreInUse if another process serves from it. If the
        connection is lost, ``tables`` is called again.
        """

        def copied(_: Transaction) -> dict[str, int]:
            self._take_lock_alone()
            with closing(tables()) as found:
                return self._session.fill(found, self._name)

        return await self._write_patiently(copied)

    async def exclude_others(self) -> None:
        """Take the lock for serving exclusively, or raise StoreInUse if another process has it."""
        await self._write_patiently(lambda _: self._take_lock_alone())

    def _take_lock_alone(self) -> None:
        if not self._session.take_lock(alone=True):
            raise StoreInUse(_STOP_IT.format(name=self._name))

    async def close(self) -> None:
        """Finish the queued work and disconnect."""
        if self._watch is not None:
            self._watch.cancel()
        for queue in self._queues():
            queue.close()
        await asyncio.gather(*(worker.join(JOIN_SECONDS) for worker in (self._writer, *self._others)))

    def _queues(self) -> list[WriteQueue]:
        return [self._write_queue, self._read_queue, *self._beside.values(), *self._lanes]

    def _queue_of(self, priority: Priority, subjects: Sequence[str]) -> WriteQueue:
        if subjects and priority not in self._beside:
            used = NEAR_LANES if self._database_clock.answer_seconds < NEAR_SECONDS else LANES
            return self._lanes[crc32(subjects[0].encode()) % used]
        return self._beside.get(priority, self._write_queue)

    def _begin_write(self, session: Session, subjects: Sequence[str] = ()) -> None:
        """Begin a transaction. It takes the current time from the database's clock.

        If that clock jumps, times that are already stored aren't adjusted.
        """
        assert isinstance(session, PostgresSession), "this engine's own"
        session.begin(writes=True, subjects=subjects)
        if self._serves and not session.is_compared:
            maintenance.compare(session.transaction, session.timeline)
            session.commit()
            session.is_compared = True
            session.begin(writes=True, subjects=subjects)

    def _migrate(self) -> list[str]:
        """Run all missing migrations or none, in the transaction that is already open."""
        applied = self._session.applied()
        missing = schema.find_missing_migrations(applied, self._scripts, self._name)
        if applied and missing and not self._session.is_alone():
            running = owners.list_processes(self._session.transaction)
            # Since release ``FIRST_THAT_STOPS``, processes stop by themselves once the database is migrated.
            if not running or any(is_newer(FIRST_THAT_STOPS, one.release) for one in running):
                raise StoreInUse(_STOP_IT.format(name=self._name))
        for name in missing:
            self._session.apply(name, self._scripts[name])
        return missing


# A SQLite file is copied into a PostgreSQL database in a single transaction. If copying is interrupted, the
# target stays empty. No process may serve from either database in the meantime.
_SERVED = "Usher is running on {path}: stop it, then copy again."
#: Tables that aren't copied from the SQLite file, because they describe the PostgreSQL database itself: the
#: migrations that ran on it, and its server.
_WRITTEN_ANEW: Final = {"database_timeline", "migrations", "schema_changes"}
_COLUMNS: Final = (
    "SELECT table_name AS name, json_agg(column_name) AS columns FROM information_schema.columns "
    "WHERE table_schema = current_schema() GROUP BY table_name"
)
_DIFFERS = "The audit record of the copy differs from that of {path}: drop the copy, and report this."


class Copied(NamedTuple):
    """The result of copying a database.

    It consists of the row counts by table, the first bad row if the audit log was already broken, and the
    tables and columns of other tools, which weren't copied.
    """

    counts: dict[str, int]
    broken_at: int | None
    others: tuple[str, ...] = ()


async def copy_store(path: Path, url: str) -> Copied:
    """Copy a SQLite file into an empty PostgreSQL database. If that fails, nothing is copied.

    Raise StoreError with a message that says what to do.
    """
    clock, ids = SystemClock(), SystemIds()
    source = SqliteEngine(str(path), clock, ids)
    await source.open()
    try:
        try:
            if await Store(source).list_missing_migrations(str(path)):
                raise StoreError(schema.OLDER.format(name=path))
            await source.migrate(serves=True)
            # If someone copies a database that was already moved, they mean to, so remove its mark.
            await Store(source).write(lambda tx: UPKEEP.delete(tx, work="moved"))
        except StoreInUse:
            raise StoreInUse(_SERVED.format(path=path)) from None
        target = PostgresEngine(url, clock, ids)
        await target.open()
        try:
            await target.migrate(serves=True)
            known = {row["name"]: row["columns"] for row in await target.read(lambda tx: tx.all(_COLUMNS))}
            others: set[str] = set()
            counts = await target.fill(partial(_read_tables, str(path), known, others))
            broken_at = await _compare(Store(source), Store(target), path)
            await Store(source).write(maintenance.mark, "moved")
        finally:
            await target.close()
    finally:
        await source.close()
    return Copied(counts, broken_at, tuple(sorted(others)))


async def _compare(source: Store, target: Store, path: Path) -> int | None:
    """Return the first bad audit row. Raise StoreError if the audit logs of the two databases differ."""
    broken_at = await source.perform(audit.verify_audit)
    heads = await source.read(audit.read_audit_head), await target.read(audit.read_audit_head)
    if heads[0] != heads[1] or await target.perform(audit.verify_audit) != broken_at:
        raise StoreError(_DIFFERS.format(path=path))
    return broken_at


#: Ranks of tables that other tables refer to, so that each table is copied after the tables it refers to. The
#: default is 1. A table with references of its own needs a higher rank.
_COPY_RANKS: Final = {"workspaces": 2}


def _read_tables(
    path: str, known: Mapping[str, Collection[str]], others: set[str]
) -> Generator[schema.TableCopy]:
    """Yield all tables of a file, from one snapshot. Tables that others refer to come first.

    ``known`` maps the target's tables to their columns. All other tables and columns belong to other tools,
    so they are left out and their names are added to ``others``.
    """
    from sqlite_utils import Database  # noqa: PLC0415 - only where it is used

    try:
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as database:
            # PostgreSQL rejects invalid UTF-8 and NUL characters.
            database.text_factory = lambda text: text.decode("utf-8", "replace").replace("\0", "")
            database.execute("BEGIN")
            for table in sorted(
                Database(database, recursive_triggers=False, execute_plugins=False).tables,
                key=lambda table: (
                    sorted(_COPY_RANKS.get(key.other_table, 1) for key in table.foreign_keys),
                    table.name,
                ),
            ):
                # SQLite's own tables, such as the statistics of ANALYZE, aren't copied.
                if table.name in _WRITTEN_ANEW or table.name.startswith("sqlite_"):
                    continue
                if table.name not in known:
                    others.add(table.name)
                    continue
                columns = [column for column in table.columns_dict if column in known[table.name]]
                others |= {f"{table.name}.{column}" for column in table.columns_dict.keys() - columns}
                selected = ", ".join(f'"{column}"' for column in columns)
                rows = database.execute(f'SELECT {selected} FROM "{table.name}"')  # noqa: S608
                yield table.name, columns, rows
    except sqlite3.Error as error:
        raise StoreUnavailable(explain_file_not_opened(path, error)) from None
