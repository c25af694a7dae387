"""Ports for programs that need a number before they listen: each is bound by the tests until it is theirs.

The system gives a bound port to nobody else who asks for any, and to no connection. A server may listen at it
all the same, as both reuse addresses and nobody else listens: servers do, so that they can be started again.
Until one listens, connections are refused.
"""

import socket
from collections import deque

#: Let go of after so many others: a server that listens keeps its port itself.
_held: deque[socket.socket] = deque(maxlen=200)


def quiet_port() -> int:
    """Return a port of 127.0.0.1 that is nobody else's, and at which nothing listens."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    _held.append(held)
    return int(held.getsockname()[1])
