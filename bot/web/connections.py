"""Limits on the number of incoming connections and on the memory that they use.

Anyone can open a connection and send nothing, or only half a request. So the headers have to arrive before a
deadline. If there are too many connections, the one that has gone longest without a request is closed. This
way, no stranger can keep others out, and file descriptors remain for the database, Slack and the providers.
The memory used by all unfinished requests together is limited, too. It includes headers, bodies and anything
sent after a request.
"""

import asyncio
import resource
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.support.logs import mark_as_stranger
from bot.web.render import HEADERS

log = structlog.get_logger(__name__)

#: Timeout, in seconds, for the headers of the first request on a new connection.
HEADER_SECONDS: Final = 10.0
#: How long, in seconds, a connection is kept open for another request. Proxies close theirs sooner (Caddy:
#: after 120 s).
IDLE_SECONDS: Final = 130.0
#: Number of file descriptors kept free for everything other than incoming connections.
SPARE_FILES: Final = 300
#: Highest limit on open files that Usher sets for its process. A system may allow a billion. Programs that
#: Usher starts inherit the limit, and one that closes every possible file when it starts would then take very
#: long.
_MOST_FILES: Final = 65_536
#: If a request is answered before all of it has arrived, the rest is read and discarded. After this many
#: seconds, the connection is closed.
LINGER_SECONDS: Final = 1.0
#: Maximum number of incoming connections, even if the system's limit on open files would allow more.
MAX_CONNECTIONS: Final = 4096
#: Memory, in bytes, that a connection with an unfinished request uses on top of the data received (measured
#: with aiohttp 3.14).
CONNECTION_BYTES: Final = 13_000
#: Maximum size of a small request, in bytes. A request whose headers announce a longer body counts as large
#: from the start. Slack's requests are a few kilobytes.
MAX_SMALL_BYTES: Final = 64 * 1024
#: Maximum memory, in bytes, of all large unfinished requests combined. ``MAX_SMALL_TOTAL_BYTES`` is the
#: maximum for all small ones, and ``MAX_TOTAL_BYTES`` for both.
MAX_LARGE_TOTAL_BYTES: Final = 58_000_000
MAX_SMALL_TOTAL_BYTES: Final = 22_000_000
MAX_TOTAL_BYTES: Final = 72_000_000
#: Maximum memory attributed to one connection, in bytes. A connection may receive more, but a body above the
#: size limit isn't kept in memory.
MAX_HELD_BYTES: Final = 2 * 1024 * 1024
#: Maximum number of bytes read from a connection at once, and roughly how much of a body is buffered until it
#: is read.
READ_BYTES: Final = 4 * 1024
SERVER_HEADER: Final = "usher"


def choose_max_connections() -> int:
    """Raise the soft limit on open files as far as possible. Return how many connections it then allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        # A service manager may forbid this call. If so, it is the one that sets the limit.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    files = _MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, _MOST_FILES)
    return min(max(files - SPARE_FILES, files // 2), MAX_CONNECTIONS)


class ServerConnection(web.RequestHandler, asyncio.BufferedProtocol):
    """A connection to the server, which reports its requests and received bytes to the limiter."""

    def __init__(self, limiter: "ConnectionLimiter", server: web.Server, **options: Any) -> None:
        # If bodies were decompressed, they could be a thousand times as large as the bytes counted.
        options |= {"read_bufsize": READ_BYTES, "auto_decompress": False, "lingering_time": LINGER_SECONDS}
        super().__init__(server, **options)
        self._limiter = limiter
        #: The timer that closes the connection if no request arrives in time.
        self.deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the new connection. Its sender counts as a stranger until a request proves who it is."""
        mark_as_stranger()
        super().connection_made(transport)
        self._limiter.on_opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop counting the connection."""
        self._limiter.on_closed(self)
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - asyncio's
        """Return the read buffer. All connections share it, because it is emptied before each read."""
        return self._limiter.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count the received bytes, and pass them on."""
        data = bytes(memoryview(self._limiter.buffer)[:nbytes])
        self._limiter.count_received(self, nbytes)
        self.data_received(data)

    def has_more_requests(self) -> bool:
        """Return whether the client has already sent another request after the one being served."""
        return bool(self._messages)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that isn't HTTP, or that failed outside the application, without a body."""
        found = super().handle_error(request, status, exc, message)
        answer = web.Response(status=found.status, headers={**HEADERS, "Cache-Control": "no-store"})
        answer.headers["Server"] = SERVER_HEADER
        answer.force_close()
        return answer


class RequestMemory:
    """The memory used by unfinished requests of one size (large or small), in bytes for each connection."""

    def __init__(self) -> None:
        self.total = 0
        #: Memory used by each connection's unfinished request, in bytes, oldest request first.
        self._sizes: dict[ServerConnection, int] = {}

    def __getitem__(self, connection: ServerConnection) -> int:
        return self._sizes.get(connection, 0)

    def put(self, connection: ServerConnection, size: int) -> None:
        """Set the number of bytes counted for a connection."""
        self.total += size - self[connection]
        self._sizes[connection] = size

    def pop(self, connection: ServerConnection) -> int:
        """Stop counting a connection. Return the number of bytes that were counted for it."""
        size = self._sizes.pop(connection, 0)
        self.total -= size
        return size

    def find_oldest(self) -> ServerConnection:
        """Return the connection whose request has been unfinished longest."""
        return next(iter(self._sizes))


class ConnectionLimiter:
    """Limits the number of connections and the memory that their unfinished requests use.

    If there are too many connections, the one that has been without a request longest is closed. If the
    memory is used up, the one whose request has been unfinished longest is closed. Each process keeps track
    of its own connections, in memory.
    """

    def __init__(self, max_connections: int, *, header_seconds: float = HEADER_SECONDS) -> None:
        self.buffer = bytearray(READ_BYTES)
        self._max_connections = max_connections
        self._header_seconds = header_seconds
        self._open = 0
        #: Connections without a request in progress. The one that has been idle longest comes first.
        self._waiting: dict[ServerConnection, None] = {}
        self._small = RequestMemory()
        self._large = RequestMemory()

    def __len__(self) -> int:
        return self._open

    def on_opened(self, connection: ServerConnection) -> None:
        """Count a new connection. If there are too many, close the one that has been idle longest."""
        self._open += 1
        self._waiting[connection] = None
        loop = asyncio.get_running_loop()
        connection.deadline = loop.call_later(self._header_seconds, connection.force_close)
        if self._open > self._max_connections:
            self._close(next(iter(self._waiting)))

    def on_closed(self, connection: ServerConnection) -> None:
        """Stop counting a connection that was closed."""
        self._open -= 1
        self._waiting.pop(connection, None)
        self._release(connection)
        _end_deadline(connection)

    def count_received(self, connection: ServerConnection, size: int) -> None:
        """Count received bytes.

        If there are too many, close connections, those with the oldest request first.
        """
        held = self._small[connection] + self._large[connection] or CONNECTION_BYTES
        # Headers take up memory twice, as bytes and as text.
        held = min(held + (2 * size if connection in self._waiting else size), MAX_HELD_BYTES)
        if held > MAX_SMALL_BYTES + CONNECTION_BYTES or self._large[connection]:
            self._small.pop(connection)
            self._large.put(connection, held)
        else:
            self._small.put(connection, held)
        while self._large.total > min(MAX_LARGE_TOTAL_BYTES, MAX_TOTAL_BYTES - self._small.total):
            self._close(self._large.find_oldest())
        while self._small.total > MAX_SMALL_TOTAL_BYTES:
            self._close(self._small.find_oldest())

    def middleware(self) -> Middleware:
        """Return the middleware that records which connections are serving a request."""

        @web.middleware
        async def serving(request: web.Request, handler: Handler) -> web.StreamResponse:
            connection = request.protocol
            if not isinstance(connection, ServerConnection):
                return await handler(request)
            self._waiting.pop(connection, None)
            _end_deadline(connection)
            if (request.content_length or 0) > MAX_SMALL_BYTES:
                self._large.put(connection, self._small.pop(connection) + self._large.pop(connection))
            # If the whole body has arrived, this callback runs immediately, so that the bytes stop counting
            # before anything else is read.
            request.content.on_eof(partial(self._release, connection))
            try:
                return await handler(request)
            finally:
                self._release(connection)
                if connection.transport is not None:
                    self._waiting[connection] = None

        return serving

    def _release(self, connection: ServerConnection) -> None:
        """Stop counting a request that is complete, answered or abandoned, unless another has begun."""
        if connection.transport is None or not connection.has_more_requests():
            self._small.pop(connection)
            self._large.pop(connection)

    def _close(self, connection: ServerConnection) -> None:
        mark_as_stranger()
        log.warning("web.connection_closed", reason="crowded")
        self._waiting.pop(connection, None)
        connection.force_close()
        self._release(connection)


def _end_deadline(connection: ServerConnection) -> None:
    if connection.deadline is not None:
        connection.deadline.cancel()
        connection.deadline = None
