"""Send windows: a request is dropped if its last moment has passed before its bytes go."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection


class TooLateError(Exception):
    """Signal that the send window had closed before the first byte."""


@dataclass(frozen=True, slots=True)
class Window:
    """The last moment at which a request may leave, by the monotonic clock, and the question asked then."""

    until: float = math.inf
    may_leave: Callable[[], bool] | None = None

    def has_closed(self, now: float) -> bool:
        """Return whether nothing may leave any more."""
        return now > self.until or (self.may_leave is not None and not self.may_leave())


@dataclass(slots=True)
class Attempt:
    """The window of a request, its clock, and the fact whether it left."""

    monotonic: Callable[[], float]
    window: Window
    sent: bool = False
    #: The connection that it left by.
    protocol: ResponseHandler | None = None


#: What the request class has to know about one request, and what it found out.
_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
#: The window of what all requests belong to.
_window: ContextVar[Window | None] = ContextVar("window", default=None)


@contextmanager
def limit_departures(window: Window) -> Iterator[None]:
    """Let no request made within leave outside of a window, even if the process stands still meanwhile."""
    token = _window.set(window)
    try:
        yield
    finally:
        _window.reset(token)


def narrow_window(until: float | None = None) -> Window:
    """Return the window of the present request; one request's own may end sooner."""
    found = _window.get() or Window()
    return found if until is None or until >= found.until else Window(until, found.may_leave)


@contextmanager
def track_attempt(attempt: Attempt) -> Iterator[None]:
    """Let the requests made within, by a session with ``GatedRequest``, be this attempt."""
    token = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(token)


class GatedRequest(aiohttp.ClientRequest):
    """Check the send window once a connection is ready: between the check and the bytes nothing waits."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write the request, or raise TooLateError."""
        attempt = _attempt.get()
        if attempt is not None:
            if attempt.window.has_closed(attempt.monotonic()):
                # It may have been the way there that took so long: the next request needn't go it again.
                conn.release()
                raise TooLateError
            attempt.sent, attempt.protocol = True, conn.protocol
        return await super().send(conn)
