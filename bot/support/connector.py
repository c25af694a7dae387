"""The pool of connections: a connection that holds unsolicited bytes is closed and never reused.

A server may leave an unsolicited response on a kept-alive connection (a 408 when it times out, or a response
sent twice). The next request on that connection would get it as its answer, and every later request the
answer to the one before.
"""

from __future__ import annotations

import select
from ssl import SSLContext
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import ClientRequest, ClientTimeout
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace


class CleanConnector(aiohttp.TCPConnector):
    """Pool connections as aiohttp does, and check each before it is reused.

    aiohttp checks a connection only when it is returned, and misses what arrives later.
    """

    def __init__(self, *, limit: int = 100, ssl: SSLContext | bool = True) -> None:
        super().__init__(limit=limit, ssl=ssl)
        #: For each connection that was used before, a poll object for its socket, which never blocks. A new
        #: connection isn't polled, as its waiting bytes belong to the TLS set-up.
        self._polls: WeakKeyDictionary[ResponseHandler, select.poll | None] = WeakKeyDictionary()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - as aiohttp calls it
    ) -> Connection:
        """Return a connection without any bytes waiting to be read."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                return connection
            if protocol not in self._polls:
                self._polls[protocol] = _poll(protocol)
                return connection
            poll = self._polls[protocol]
            # Unsolicited bytes were already read, or have arrived and wait in the socket.
            if not protocol.should_close and (poll is None or not poll.poll(0)):
                return connection
            connection.close()


def _poll(protocol: ResponseHandler) -> select.poll | None:
    """Return a poll object that tells whether bytes, or the end of the stream, have arrived at the socket."""
    transport = protocol.transport
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None:
        return None
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return poll
