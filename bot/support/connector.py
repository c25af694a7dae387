"""The pool of connections: one that holds anything nobody has asked for is closed, never used again.

A server may leave an answer of its own on a connection that is kept open (a 408 when it tires of waiting, an
answer sent twice). Whoever used that connection next would get it for an answer, and everybody after them the
answer of the one before.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import aiohttp

if TYPE_CHECKING:
    from aiohttp import ClientRequest, ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_REQUEST_TIMEOUT: Final = 408


class CleanConnector(aiohttp.TCPConnector):
    """Keep connections as aiohttp does, and look at each before it is used again.

    aiohttp looks when a connection is given back, not at what came after that.
    """

    def __init__(self, *, limit: int = 100) -> None:
        super().__init__(limit=limit)
        #: What looks at the socket of each that was used before, without waiting. What a fresh one has to be
        #: read belongs to setting it up (TLS).
        self._looks: WeakKeyDictionary[ResponseHandler, select.poll | None] = WeakKeyDictionary()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - as aiohttp calls it
    ) -> Connection:
        """Return a connection that nothing waits on to be read."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                return connection
            if protocol not in self._looks:
                self._looks[protocol] = _look(protocol)
                return connection
            look = self._looks[protocol]
            # Read already, but for nobody; or arrived, and not yet read by the event loop.
            if not protocol.should_close and (look is None or not look.poll(0)):
                return connection
            connection.close()


def distrust(protocol: ResponseHandler | None, status: int) -> None:
    """Keep no connection that brought a 408: it may be about no request, and the answer yet to come."""
    if status == _REQUEST_TIMEOUT and protocol is not None:
        protocol.force_close()


def _look(protocol: ResponseHandler) -> select.poll | None:
    """Return what says whether bytes, or the end of them, have arrived at the socket."""
    transport = protocol.transport
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None:
        return None
    look = select.poll()
    look.register(sock.fileno(), select.POLLIN)
    return look
