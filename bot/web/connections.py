"""The connections that others open to us: how many there may be, and how much they make this process hold.

Anybody may open one and send nothing, or half of something. So the headers have a deadline, and before files
run out the connection that has waited longest without a request makes room for a new one: no stranger keeps
others out, and files are left for the database, Slack and the providers. What unfinished requests take is
bounded for all of them together: headers, bodies, and whatever is sent behind them.
"""

import asyncio
import resource
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.support.logs import mark_as_stranger
from bot.web.render import HEADERS

log = structlog.get_logger(__name__)

#: How long a new connection may take to send the headers of its first request; seconds.
HEADER_SECONDS: Final = 10.0
#: How long a connection is kept for another request: longer than proxies keep theirs to us (Caddy: 120).
IDLE_SECONDS: Final = 130.0
#: How many files are left for everything else.
SPARE_FILES: Final = 300
#: The most files that are asked for; a system may allow a billion, and some programs then close each of them.
_MOST_FILES: Final = 65_536
#: How long the rest of a request that was answered before its end is thrown away; then its connection ends.
LINGER_SECONDS: Final = 1.0
#: However many files there are.
MAX_CONNECTIONS: Final = 4096
#: What a connection with an unfinished request takes besides what was sent (measured with aiohttp 3.14).
CONNECTION_BYTES: Final = 13_000
#: A request of which more has come, or is announced, is large. Slack's own are a few kilobytes.
MAX_SMALL_BYTES: Final = 64 * 1024
#: What all large requests that are unfinished may take together, all small ones, and both.
MAX_LARGE_TOTAL_BYTES: Final = 64_000_000
MAX_SMALL_TOTAL_BYTES: Final = 32_000_000
MAX_TOTAL_BYTES: Final = 72_000_000
#: No connection takes more, whatever is sent on it: the rest is thrown away.
MAX_HELD_BYTES: Final = 2 * 1024 * 1024
#: How much is read from a connection at once, and about how much of a body waits for whoever reads it.
READ_BYTES: Final = 4 * 1024
#: In place of the library's name and versions.
SERVER_HEADER: Final = "usher"


def choose_max_connections() -> int:
    """Raise the soft limit of open files as far as the hard one; return how many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        # A service manager may forbid the call: then it sets the limit itself.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    files = _MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, _MOST_FILES)
    return min(max(files - SPARE_FILES, files // 2), MAX_CONNECTIONS)


class ServerConnection(web.RequestHandler, asyncio.BufferedProtocol):
    """One connection of a server, counted by its limiter."""

    def __init__(self, limiter: "ConnectionLimiter", server: web.Server, **options: Any) -> None:
        # Unpacked, a body could be a thousand times as large as what was counted.
        options |= {"read_bufsize": READ_BYTES, "auto_decompress": False, "lingering_time": LINGER_SECONDS}
        super().__init__(server, **options)
        self._limiter = limiter
        #: Ends it if no request has come by then.
        self.deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the new connection; each of its requests has to prove its sender."""
        mark_as_stranger()
        super().connection_made(transport)
        self._limiter.on_opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count the connection no more."""
        self._limiter.on_closed(self)
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - asyncio's
        """Return the place to read to: one for all, as it is emptied before anything else is read."""
        return self._limiter.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count received bytes, and hand them over."""
        data = bytes(memoryview(self._limiter.buffer)[:nbytes])
        self._limiter.count_received(self, nbytes)
        self.data_received(data)

    def has_more_requests(self) -> bool:
        """Return whether others were sent behind the one that is being served."""
        return bool(self._messages)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that isn't HTTP, or failed outside the application, with our headers alone."""
        found = super().handle_error(request, status, exc, message)
        answer = web.Response(status=found.status, headers={**HEADERS, "Cache-Control": "no-store"})
        answer.headers["Server"] = SERVER_HEADER
        answer.force_close()
        return answer


class RequestMemory:
    """The bytes that unfinished requests of one kind take."""

    def __init__(self) -> None:
        self.total = 0
        #: Those that have been unfinished longest come first.
        self._sizes: dict[ServerConnection, int] = {}

    def __getitem__(self, connection: ServerConnection) -> int:
        return self._sizes.get(connection, 0)

    def put(self, connection: ServerConnection, size: int) -> None:
        """Note the bytes that have come on a connection."""
        self.total += size - self[connection]
        self._sizes[connection] = size

    def pop(self, connection: ServerConnection) -> int:
        """Count a connection no more; return how much had come on it."""
        size = self._sizes.pop(connection, 0)
        self.total -= size
        return size

    def find_oldest(self) -> ServerConnection:
        """Return the connection whose request has been unfinished longest."""
        return next(iter(self._sizes))


class ConnectionLimiter:
    """Limit the connections to ``max_connections``, and the memory that unfinished requests on them take.

    Those without a request, and those whose request has been unfinished longest, are the first to be closed.
    In memory. Restart: there are no connections. Several processes: each has its own.
    """

    def __init__(self, max_connections: int, *, header_seconds: float = HEADER_SECONDS) -> None:
        self.buffer = bytearray(READ_BYTES)
        self._max_connections = max_connections
        self._header_seconds = header_seconds
        self._open = 0
        #: Those for which no request is being served, the longest first.
        self._waiting: dict[ServerConnection, None] = {}
        self._small = RequestMemory()
        self._large = RequestMemory()

    def __len__(self) -> int:
        return self._open

    def on_opened(self, connection: ServerConnection) -> None:
        """Count a new one; if there are too many, close the one that has waited longest."""
        self._open += 1
        self._waiting[connection] = None
        loop = asyncio.get_running_loop()
        connection.deadline = loop.call_later(self._header_seconds, connection.force_close)
        if self._open > self._max_connections:
            self._close(next(iter(self._waiting)))

    def on_closed(self, connection: ServerConnection) -> None:
        """Count one less."""
        self._open -= 1
        self._waiting.pop(connection, None)
        self._release(connection)
        _end_deadline(connection)

    def count_received(self, connection: ServerConnection, size: int) -> None:
        """Count bytes of a request; if all take too many, close the connection that takes longest."""
        held = self._small[connection] + self._large[connection] or CONNECTION_BYTES
        # Headers are kept twice, as bytes and as text.
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
        """Return the middleware that knows whose request is being served."""

        @web.middleware
        async def serving(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            connection = request.protocol
            if not isinstance(connection, ServerConnection):
                return await handler(request)
            self._waiting.pop(connection, None)
            _end_deadline(connection)
            if (request.content_length or 0) > MAX_SMALL_BYTES:
                self._large.put(connection, self._small.pop(connection) + self._large.pop(connection))
            # Called at once if all of it is there: what is whole is judged before anything else is read.
            request.content.on_eof(partial(self._release, connection))
            try:
                return await handler(request)
            finally:
                self._release(connection)
                if connection.transport is not None:
                    self._waiting[connection] = None

        return serving

    def _release(self, connection: ServerConnection) -> None:
        """Count a request no more that is finished, answered or gone, unless others were sent behind it."""
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
