"""Ports that stay free until they are bound: below the range that connections take theirs from."""

import os
import socket
from itertools import count

FIRST, PORTS = 12_000, 2_000
#: Every worker of a test run has a range of its own, and begins somewhere in it.
_WORKER = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or 0) % 8
_turns = count(os.getpid())


def quiet_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens at and no connection takes by chance."""
    for _ in range(PORTS):
        port = FIRST + _WORKER * PORTS + next(_turns) % PORTS
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")
