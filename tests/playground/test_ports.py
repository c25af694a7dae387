"""Tests that a port reserved for a server isn't given away before the server listens."""

import gc
import socket
import sys
from contextlib import contextmanager

import pytest

from playground.processes import RESERVED, reserved_port

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an address can't be shared")


@contextmanager
def listening(port, *, reuses):
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuses)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


@linux
def test_a_server_listens_at_it_again_and_again_and_others_get_another():
    port = reserved_port()
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with listening(port, reuses=True), socket.create_connection(("127.0.0.1", port)):
            pass
    with pytest.raises(OSError, match="in use"), listening(port, reuses=False):
        pass


def test_many_are_different_and_the_oldest_are_let_go_of():
    found = [reserved_port() for _ in range(RESERVED + 1)]
    assert len({*found[1:]}) == RESERVED
    with listening(found[0], reuses=False):
        gc.collect()  # it would complain of one that was let go of unclosed
