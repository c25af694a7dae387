"""The connections that others open to us: how many there may be, and how long one may wait without a request.

Anybody may open one and send nothing. So the headers have a deadline, and before files run out the connection
that has waited longest without a request makes room for a new one: no stranger keeps others out, and files
are left for the database, Slack and the providers.
"""

import asyncio
import resource
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.support.logs import Counted
from bot.web.render import HEADERS

log = structlog.get_logger(__name__)

#: How long a new connection may take to send the headers of its first request; seconds.
HEADER_SECONDS: Final = 10.0
#: How long a connection is kept for another request: longer than proxies keep theirs to us.
IDLE_SECONDS: Final = 75.0
#: How many files are left for everything else.
SPARE_FILES: Final = 300
#: The most files that are asked for; a system may allow a billion, and some programs then close each of them.
_MOST_FILES: Final = 65_536
#: In place of the library's name and versions.
SERVER: Final = "usher"


def most_connections() -> int:
    """Raise the soft limit of open files as far as the hard one; return how many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        # A service manager may forbid the call: then it sets the limit itself.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    files = _MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, _MOST_FILES)
    return max(files - SPARE_FILES, files // 2)


class Connection(web.RequestHandler):
    """Be one connection of a server, known to its door."""

    def __init__(self, door: "Door", server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._door = door
        #: Ends it if no request has come by then.
        self.deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in."""
        super().connection_made(transport)
        self._door.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        self._door.closed(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what isn't HTTP, or failed outside the application, with our headers and no words of it."""
        found = super().handle_error(request, status, exc, message)
        answer = web.Response(status=found.status, headers={**HEADERS, "Cache-Control": "no-store"})
        answer.headers["Server"] = SERVER
        answer.force_close()
        return answer


class Door:
    """Let connections in, up to ``most``; those without a request are the first to go."""

    def __init__(self, most: int, *, header_seconds: float = HEADER_SECONDS) -> None:
        self._most = most
        self._header_seconds = header_seconds
        self._open = 0
        #: Those for which no request is being served, the longest first.
        self._waiting: dict[Connection, None] = {}
        self._crowded = Counted(lambda _, times: log.warning("web.connections_closed", times=times))

    def __len__(self) -> int:
        return self._open

    def end(self) -> None:
        """Log how many more were closed."""
        self._crowded.end()

    def opened(self, connection: Connection) -> None:
        """Count a new one; if there are too many, close the one that has waited longest."""
        self._open += 1
        self._waiting[connection] = None
        loop = asyncio.get_running_loop()
        connection.deadline = loop.call_later(self._header_seconds, connection.force_close)
        if self._open > self._most:
            self._crowded.add("")
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            longest.force_close()

    def closed(self, connection: Connection) -> None:
        """Count one less."""
        self._open -= 1
        self._waiting.pop(connection, None)
        _end_deadline(connection)

    def middleware(self) -> Middleware:
        """Return the middleware that knows whose request is being served."""

        @web.middleware
        async def serving(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            connection = request.protocol
            if not isinstance(connection, Connection):
                return await handler(request)
            self._waiting.pop(connection, None)
            _end_deadline(connection)
            try:
                return await handler(request)
            finally:
                if connection.transport is not None:
                    self._waiting[connection] = None

        return serving


def _end_deadline(connection: Connection) -> None:
    if connection.deadline is not None:
        connection.deadline.cancel()
        connection.deadline = None
