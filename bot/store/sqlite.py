"""The SQLite engine: one thread owns the connection, and all work goes through it.

The database uses WAL with ``synchronous=FULL``, so that commits survive a power cut. Two processes using one
file take turns with BEGIN IMMEDIATE.

sqlite-utils runs migrations and reads the tables for ``store copy``. Queries and transactions don't use it,
for three reasons. Its ``query`` puts a savepoint around each statement, so that a query for one row takes 6.8
µs instead of 3.2. Its ``begin`` takes no lock, so two processes could both read first, and one would then
fail to write. Finally, importing sqlite-utils takes a twentieth of the start-up time. ``analyze`` isn't used,
because the tests pin the query plans of a schema without statistics, and the statistics of a small table are
misleading once it has grown.

The serving lock is a separate file next to the database, because SQLite loses its own locks when another
handle to its file is closed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import Any, ClassVar

import structlog

from bot.store import audit, schema
from bot.store.database_thread import PATIENCE_SECONDS, QueueWorker, Session
from bot.store.engine import Engine
from bot.store.statements import OWN_COMMENT_PATTERN, find_query, number_parameters
from bot.store.transaction import (
    Parameters,
    Priority,
    Row,
    StoreTime,
    Transaction,
    clean_all,
    find_written_table,
    hash_text,
)
from bot.support import mounts
from bot.support.clock import Clock, Ids
from bot.support.environment import PROGRAM_NAME
from bot.support.errors import StoreBusy, StoreError, StoreInUse, StoreNotMigrated, StoreUnavailable

log = structlog.get_logger(__name__)


#: How long, in seconds, SQLite waits for another process's lock. Before it tries again, waiting reads get a
#: turn.
LOCK_SECONDS = 0.1
#: How long, in seconds, SQLite waits for a lock while it opens the database. This is longer than
#: ``LOCK_SECONDS``, because no reads are waiting yet.
OPEN_SECONDS = 2.0

#: SQLite's memory settings: 32 MB of cache, a log of 16,000 pages (16 MB), and temporary tables in memory.
#: With ten thousand open operations, the default cache of 2 MB would be far too small, and the log would be
#: checkpointed four times a second.
MEMORY = ("cache_size = -32768", "wal_autocheckpoint = 16000", "temp_store = MEMORY")

#: SQLite's page size, in bytes. A commit writes whole pages to the log, and most commits change just a few
#: hundred bytes on several pages (``docs/adr/0112-small-pages.md``).
PAGE_BYTES = 1024

SHRINK_SECONDS = 0.01

_IN_MEMORY = ":memory:"
#: Matches SQL that tests a column against a list of three or more words. SQLite would fill a temporary table
#: for each such test, so the test is replaced by comparisons.
_LIST_PATTERN = re.compile(r"(?<![\w.:])(?!NOT )([\w.:]+) (NOT )?IN \(('[^']*'(?:, '[^']*'){2,})\)")
_FILE_MAGIC = b"SQLite format 3\0"
#: Settings that take effect only before anything is written to a new file, or when VACUUM rewrites a file.
#: With ``auto_vacuum = 2``, the file releases unused pages on request.
LAYOUT = (f"page_size = {PAGE_BYTES}", "auto_vacuum = 2")
#: Suffixes of the files that SQLite keeps next to an open database: the latest commits, and their index.
LOG, INDEX = "-wal", "-shm"
_STOP_IT = "Usher is running on this database ({path}): stop it first, then try again."
_ANOTHER = (
    "Another Usher is already running on this database ({path}): stop that one first, or set "
    "USHER_DATABASE_URL to another file."
)


class SqliteEngine(Engine):
    """Runs transactions on a SQLite database, which is in a file or, for tests, in memory (``:memory:``)."""

    def __init__(
        self,
        path: str,
        clock: Clock,
        ids: Ids,
        *,
        patience: Mapping[Priority, float] = PATIENCE_SECONDS,
        scripts: Mapping[str, str] | None = None,
        mountinfo: Path = mounts.MOUNTINFO,
    ) -> None:
        """``scripts`` maps the names of migrations to their SQL, in the order in which they run.

        ``mountinfo`` is the file in which the kernel lists mounts.
        """
        super().__init__(clock, patience)
        self._written_ahead = self._time.ahead()
        self._path = path
        self._mountinfo = mountinfo
        self._scripts = scripts or schema.read_migrations()
        self._lock = None if path == _IN_MEMORY else ServingLock(path)
        self._session = self._new_session(ids)
        self._worker = QueueWorker(self._write_queue, self._session, self._begin_write)

    def _new_session(self, ids: Ids) -> SqliteSession:
        return SqliteSession(self._path, self._time, ids)

    @property
    def is_exclusive(self) -> bool:
        """Return whether the serving lock is reliable on the database's file system."""
        if self._path == _IN_MEMORY:
            return True
        return mounts.is_local(mounts.detect_file_system(Path(self._path), self._mountinfo))

    async def open(self) -> None:
        """Start the thread and open the file.

        A new file gets mode 0600. Raise StoreUnavailable if that fails.
        """
        await self._worker.start("store")

    async def tidy(self) -> None:
        """Reclaim the space of deleted rows, until less than a quarter of the file is unused.

        This is done in short steps, and only while there is nothing else to do. If it isn't finished tonight,
        it continues another night.
        """
        try:
            while await self.write(lambda _: self._session.shrink(), Priority.IDLE):
                pass
        except StoreBusy:
            log.info("the database gives back more space another night")

    async def migrate(self, *, serves: bool = False) -> list[str]:
        """Bring the schema up to date, and return the names of the migrations that ran."""
        if serves and not self._take_lock():
            raise StoreInUse(_ANOTHER.format(path=self._path))
        try:
            return await self._write_patiently(lambda _: self._migrate(serves=serves))
        finally:
            if not (serves or self._serves):
                self._release_lock()

    async def exclude_others(self) -> None:
        """Take the serving lock, or raise StoreInUse if another process has it."""
        if not self._take_lock():
            raise StoreInUse(_STOP_IT.format(path=self._path))

    async def close(self) -> None:
        """Finish the queued work and close the file."""
        self._write_queue.close()
        await self._worker.join()
        self._release_lock()

    def _begin_write(self, session: Session, subjects: Sequence[str] = ()) -> None:  # noqa: ARG002
        """Begin a transaction.

        If the clock jumped ahead, first adjust the stored times in a separate transaction.

        If the clock was set back, the store's time runs slower until the clock has caught up. Meanwhile, the
        clock reading is written repeatedly, because the next start relies on it.
        """
        session.begin(writes=True)
        jump = self._time.jump()
        if not self._serves:
            # Only the serving process adjusts stored times. Other processes that have the database open
            # don't.
            self._time.follow(jump)
            return
        if not jump and abs(self._time.ahead() - self._written_ahead) <= schema.CLOCK_READING_SECONDS:
            return
        clock_reading = self.clock_reading()
        if jump:
            schema.move_times(session.transaction, jump, clock_reading)
        else:
            schema.save_heartbeat(session.transaction, self.now(), clock_reading)
        session.commit()
        self._time.follow(jump)
        self._written_ahead = clock_reading.ahead + jump
        session.begin(writes=True)

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _take_lock(self) -> bool:
        try:
            return self._lock is None or self._lock.take()
        except OSError as error:
            raise StoreUnavailable(explain_not_opened(f"{self._path}.lock", error)) from None

    def _migrate(self, *, serves: bool) -> list[str]:
        """Run all missing migrations or none, in the transaction that is already open."""
        applied = self._session.applied()
        missing = schema.find_missing_migrations(applied, self._scripts, self._path)
        if missing and not self._take_lock():
            raise StoreInUse(_STOP_IT.format(path=self._path))
        is_new = not applied and self._scripts is schema.read_migrations()
        if is_new:
            for statement in schema.read_latest_schema():
                self._session.connection.execute(statement)
        for name in missing:
            if not is_new:
                self._session.apply(self._scripts[name])
            schema.record_migration(self._session.transaction, name, self._scripts[name])
        if serves:
            self._session.lay_out()
        return missing


class SqliteSession:
    """The connection that the engine's thread uses."""

    errors: ClassVar[tuple[type[Exception], ...]] = (OSError, sqlite3.Error)
    #: Whether the database is unreachable. For a file, this is always False.
    is_away: ClassVar[bool] = False

    def __init__(self, path: str, time: StoreTime, ids: Ids) -> None:
        self._path = path
        self._time = time
        self._ids = ids

    def open(self) -> None:
        """Open the file. If that fails, raise StoreUnavailable with the cause in words for operators."""
        try:
            self.connection = self.connect()
        except self.errors as error:
            raise StoreUnavailable(explain_not_opened(self._path, error)) from None
        self.transaction = SqliteTransaction(self.connection, self._time, self._ids)

    def connect(self) -> sqlite3.Connection:
        """Return a connection with settings that make commits durable."""
        if self._path != _IN_MEMORY:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(self._path, timeout=OPEN_SECONDS, cached_statements=512)
        try:
            for pragma in (
                *LAYOUT,
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                *MEMORY,
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            # If the file is read-only, locked, or not a database, fail now rather than on the first request.
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
            self._know_files()
            connection.execute(f"PRAGMA busy_timeout = {round(LOCK_SECONDS * 1000)}").fetchall()
            connection.create_function("sha256", 1, hash_text, deterministic=True)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _know_files(self) -> None:
        # SQLite resolves symbolic links before it names the files next to a database.
        file = os.path.realpath(self._path)
        paths = () if self._path == _IN_MEMORY else (self._path, f"{file}{LOG}", f"{file}{INDEX}")
        self._files = {path: _read_inode(path) for path in paths}

    def begin(self, *, writes: bool, subjects: Sequence[str] = ()) -> None:  # noqa: ARG002 - one writes
        """Begin a transaction. Before a write, raise FileNotFoundError if the file was moved or deleted."""
        self.transaction.audit_rows.clear()
        self.transaction.written.clear()
        if writes:
            self._check_file()
        self.connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def commit(self) -> None:
        """Append the queued audit rows, and commit the transaction."""
        audit.append_rows(self.transaction)
        self.connection.commit()

    def rollback(self) -> None:
        """Roll back the transaction if one is open."""
        # If this fails, so will the next BEGIN, which then gives the reason.
        with suppress(sqlite3.Error):
            self.connection.rollback()

    def translated(self, error: Exception) -> Exception:
        """Translate a SQLite or system error into one of the store's errors.

        Return other exceptions unchanged.
        """
        return translate(error, self._path)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def applied(self) -> dict[str, str]:
        """Map each migration that ran on this database to the release that ran it ("" if not recorded)."""
        for table in schema.CREATE_MIGRATIONS:
            self.connection.execute(table)
        names = self.connection.execute("SELECT name, '' FROM migrations")
        return dict(names.fetchall()) | dict(
            self.connection.execute("SELECT name, oldest FROM schema_changes")
        )

    def apply(self, script: str) -> None:
        """Run a migration in the open transaction."""
        from sqlite_utils import Database  # noqa: PLC0415 - only where it is used

        # The standard library's ``executescript`` would commit the open transaction first.
        database = Database(self.connection, recursive_triggers=False, execute_plugins=False)
        database.executescript(script)

    def lay_out(self) -> None:
        """Rewrite a database file from an earlier release so that it has small pages.

        This is done between two transactions. If another process is reading the file, or there is no space
        for a copy, the next start tries again.
        """
        if self._path == _IN_MEMORY or self._pragma("page_size") == PAGE_BYTES:
            return
        self.connection.commit()
        try:
            # SQLite makes a temporary copy for this, which may not fit into memory.
            for pragma in ("journal_mode = DELETE", "temp_store = FILE", *LAYOUT):
                self.connection.execute(f"PRAGMA {pragma}").fetchall()
            self.connection.execute("VACUUM")
        except sqlite3.Error as error:
            log.info("the database keeps its large pages until the next start", problem=str(error))
        for pragma in ("journal_mode = WAL", *MEMORY):
            self.connection.execute(f"PRAGMA {pragma}").fetchall()
        self.connection.execute("BEGIN IMMEDIATE")
        self._know_files()

    def shrink(self) -> bool:
        """Spend a few milliseconds on releasing unused pages. Return whether there are more to release."""
        until = monotonic() + SHRINK_SECONDS
        while (unused := self._pragma("freelist_count")) * 4 >= self._pragma("page_count"):
            if monotonic() >= until:
                return True
            self.connection.execute("PRAGMA incremental_vacuum(4)").fetchall()
            if self._pragma("freelist_count") == unused:
                # The file keeps its pages, because another tool made it or ``lay_out`` couldn't rewrite it.
                return False
        return False

    def _pragma(self, name: str) -> int:
        value: int = self.connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def _check_file(self) -> None:
        """Refuse to write if the file, or one next to it, was moved or deleted.

        A restart would lose the data.
        """
        for path, before in self._files.items():
            if (inode := _read_inode(path)) != before:
                if path.endswith(LOG) and inode is None:
                    # Copy the log's content into the database, because the next process wouldn't find the
                    # log.
                    with suppress(sqlite3.Error):
                        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                raise FileNotFoundError(errno.ENOENT, "moved or deleted", path)


class SqliteTransaction(Transaction):
    """A SQLite transaction. The engine begins and ends it."""

    def __init__(self, connection: sqlite3.Connection, time: StoreTime, ids: Ids) -> None:
        super().__init__(time, ids)
        self._connection = connection
        #: Maps each query to the names of its columns, as SQLite reported them.
        self._columns: dict[str, list[str]] = {}

    def _execute(self, query: str, params: dict[str, Any]) -> sqlite3.Cursor:
        text, names, written = translate_query(query)
        self.written |= written
        return self._connection.execute(text, clean_all(names, params))

    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows of a query."""
        cursor = self._execute(query, params)
        columns = self._columns.get(query)
        if columns is None:
            columns = self._columns[query] = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def run(self, query: str, **params: Any) -> None:
        """Run a statement."""
        self._execute(query, params)

    def count(self, query: str, **params: Any) -> int:
        """Run a statement, and return how many rows it wrote."""
        return self._execute(query, params).rowcount

    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        """Run a statement for each set of parameters."""
        text, names, written = translate_query(query)
        self.written |= written if params else set()
        self._connection.executemany(text, (clean_all(names, one) for one in params))

    @property
    def changes(self) -> int:
        """Return how many rows were changed on this connection, including audit rows yet to be written."""
        return self._connection.total_changes + len(self.audit_rows)


def _spell_out(found: re.Match[str]) -> str:
    same = " OR ".join(f"{found[1]} = {word}" for word in found[3].split(", "))
    return f"{found[2] or ''}({same})"


@cache
def translate_query(query: str) -> tuple[str, tuple[str, ...], frozenset[str]]:
    """Return a query in SQLite's syntax, its parameters' names in order, and the table that it writes to."""
    text = OWN_COMMENT_PATTERN.sub("", find_query(query))
    text = _LIST_PATTERN.sub(_spell_out, text)
    return *number_parameters(text, "?"), find_written_table(text)


def _read_inode(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - before each write: a Path takes three times as long
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


_LOCKED = "the database is locked by another process"
_MOVED_MESSAGE = "{name} was moved or deleted while it was in use: put it back if you can, and restart Usher"
_DAMAGED = (
    "the database is damaged: stop Usher and restore the newest backup, or save what can still be read "
    "(`usher docs operate#a-damaged-database`)"
)
_SQLITE_CAUSES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database can't be opened",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: "the file isn't a SQLite database",
    sqlite3.SQLITE_PERM: "this user isn't allowed to use the database",
    sqlite3.SQLITE_AUTH: "this user isn't allowed to use the database",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
}
_SYSTEM_CAUSES = {
    errno.ENOENT: "its folder doesn't exist",
    errno.ENOTDIR: "its folder doesn't exist",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "this user isn't allowed to use it",
    errno.EPERM: "this user isn't allowed to use it",
    errno.EROFS: "the disk is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this user's part of the disk is full",
}
_OWNER_ADVICE = "make Usher's user the owner of it and of its folder"
_ADVICE = {
    errno.EACCES: _OWNER_ADVICE,
    errno.EPERM: _OWNER_ADVICE,
    errno.EROFS: "make it writable",
    errno.ENOSPC: "make room on it",
    errno.EDQUOT: "make room on it",
}
#: SQLite's error codes for disk problems. They don't say exactly what is wrong.
_DISK_CODES = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
#: Number of bytes written to check whether the disk has space left. SQLite's WAL index needs half of this.
PROBE_BYTES = 65_536


def find_primary_code(error: sqlite3.Error) -> int:
    """Return an error's primary result code. Extended codes have additional upper bits, which are removed."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


DiskProbe = Callable[[str], OSError | None]


def probe_disk(path: str) -> OSError | None:
    """Try to write a little data next to a database. Return the error, or None if it works."""
    try:
        with TemporaryFile(dir=Path(path).resolve().parent) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error
    return None


def _find_errno(error: Exception, path: str, probe: DiskProbe) -> int:
    if isinstance(error, OSError):
        return error.errno or 0
    code = find_primary_code(error) if isinstance(error, sqlite3.Error) else 0
    if code == sqlite3.SQLITE_FULL:
        return errno.ENOSPC
    found = probe(path) if code in _DISK_CODES and path != _IN_MEMORY else None
    return 0 if found is None else found.errno or 0


def translate(error: Exception, path: str = _IN_MEMORY, probe: DiskProbe = probe_disk) -> Exception:
    """Translate an error of SQLite or of the database's files into one of the store's errors.

    Return other exceptions unchanged, such as an error of the stream to which rows are printed.
    """
    if isinstance(error, FileNotFoundError):
        return StoreUnavailable(_MOVED_MESSAGE.format(name=Path(str(error.filename)).name))
    if isinstance(error, OSError) and error.filename is not None:
        return StoreUnavailable(f"the database file can't be used: {error.strerror}")
    if not isinstance(error, sqlite3.Error):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        return StoreError(f"the data's own rules forbid it ({error})")
    if "no such table" in str(error):
        return StoreNotMigrated(f"the database is not migrated; run: {PROGRAM_NAME} migrate")
    code = find_primary_code(error)
    cause, _, step = _SQLITE_CAUSES.get(code, "the database failed").partition(": ")
    number = _find_errno(error, path, probe)
    cause, step = _SYSTEM_CAUSES.get(number, cause), _ADVICE.get(number, step)
    kind = StoreBusy if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} else StoreUnavailable
    return kind(f"{cause} ({error}){': ' if step else ''}{step}")


def explain_not_opened(path: str, error: Exception, probe: DiskProbe = probe_disk) -> str:
    """Explain to operators why a database can't be opened and, if known, what to do about it."""
    number, place = _find_errno(error, path, probe), Path(path).absolute()
    if number in _ADVICE:
        return f"{place} can't be opened: {_SYSTEM_CAUSES[number]}; {_ADVICE[number]}, then try again"
    if isinstance(error, OSError):
        cause = _SYSTEM_CAUSES.get(number, error.strerror or "the system refused it")
        return f"{place} can't be opened: {cause}"
    return f"{place} can't be opened: {translate(error)}"


@contextmanager
def not_served(path: Path) -> Iterator[None]:
    """Keep processes from serving from a file while the block runs. Raise StoreInUse if one already does."""
    lock = ServingLock(str(path))
    if not lock.take():
        raise StoreInUse(_STOP_IT.format(path=path))
    try:
        yield
    finally:
        lock.release()


def find_served_databases(folder: Path) -> list[str]:
    """Return the names of a folder's databases that were once served. These have a lock file next to them."""
    names = []
    with suppress(OSError):
        for lock in sorted(folder.glob("*.lock")):
            with suppress(OSError), lock.with_suffix("").open("rb") as file:
                if file.read(len(_FILE_MAGIC)) == _FILE_MAGIC:
                    names.append(lock.stem)
    return names


class ServingLock:
    """The lock that allows only one process to serve from a file. ``take`` may be called repeatedly."""

    def __init__(self, database: str) -> None:
        # Resolve the path, so that every path to the same database leads to the same lock.
        resolved = Path(database).resolve()
        self._path = resolved.with_name(f"{resolved.name}.lock")
        self._handle: int | None = None

    def take(self) -> bool:
        """Take the lock. Return False if another process has it. Raise OSError if its file can't be used."""
        if self._handle is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            is_new, folder = not self._path.exists(), self._path.parent
            try:
                handle = os.open(self._path, flags, 0o600)
            except OSError as error:
                if error.errno != errno.EROFS:
                    raise
                # On a read-only file system, no process can begin to serve, but one that began earlier may
                # still hold the lock.
                if not self._path.exists():
                    return True
                handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            if is_new and os.geteuid() == 0:
                # Commands may run as root, but the user that Usher runs as has to be able to open the file.
                with suppress(OSError):
                    os.fchown(handle, folder.stat().st_uid, folder.stat().st_gid)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(handle)
                if isinstance(error, BlockingIOError):
                    return False
                raise
            self._handle = handle
        return True

    def release(self) -> None:
        """Release the lock but keep its file.

        If the file were removed, two processes could each lock a file.
        """
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
