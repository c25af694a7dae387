"""A connection pool that never reuses a connection on which unsolicited bytes have arrived.

A server may send an unsolicited response on a kept-alive connection, such as a 408 when it times out, or the
same response twice. The next request on that connection would then receive the unsolicited response, and
every later request would receive the response to an earlier request.
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
    """Pools connections as aiohttp does, but checks each one again before it is reused.

    aiohttp checks a connection only when it is returned to the pool, so it misses anything that arrives after
    that.
    """

    def __init__(self, *, limit: int = 100, ssl: SSLContext | bool = True) -> None:
        super().__init__(limit=limit, ssl=ssl)
        #: Maps each reused connection to a poll object for its socket. New connections aren't polled, because
        #: any bytes waiting there belong to the TLS handshake.
        self._polls: WeakKeyDictionary[ResponseHandler, select.poll | None] = WeakKeyDictionary()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - as aiohttp calls it
    ) -> Connection:
        """Return a connection on which no bytes are waiting to be read."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                return connection
            if protocol not in self._polls:
                self._polls[protocol] = _poll(protocol)
                return connection
            poll = self._polls[protocol]
            # Unsolicited bytes may already have been read by the protocol, or may still be waiting in the
            # socket.
            if not protocol.should_close and (poll is None or not poll.poll(0)):
                return connection
            connection.close()


def _poll(protocol: ResponseHandler) -> select.poll | None:
    transport = protocol.transport
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None:
        return None
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return poll
