"""Ports that stay free until they are bound: below the range that connections take theirs from."""

from __future__ import annotations

import os
import socket
from itertools import count

FIRST, PORTS = 20_000, 10_000
_turns = count(os.getpid() * 61)


def quiet_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens at and no connection takes by chance."""
    for _ in range(PORTS):
        port = FIRST + next(_turns) % PORTS
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")
