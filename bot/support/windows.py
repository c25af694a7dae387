"""Send windows. A request that hasn't been sent by the end of its window is dropped."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection


class TooLateError(Exception):
    """The time window for sending a request closed before its first byte was sent."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time window for sending requests: a latest monotonic time, and a check just before sending."""

    until: float = math.inf
    may_leave: Callable[[], bool] | None = None

    def has_closed(self, now: float) -> bool:
        """Return whether the window has closed, so that a request may no longer be sent."""
        return now > self.until or (self.may_leave is not None and not self.may_leave())


@dataclass(slots=True)
class Attempt:
    """One attempt to send a request: its window, its clock, and whether the request was sent."""

    monotonic: Callable[[], float]
    window: Window
    sent: bool = False
    #: The connection on which the request was sent, or None.
    protocol: ResponseHandler | None = None


#: The current attempt to send a request. ``GatedRequest`` reads the send window from it, and records in it
#: whether the request was sent.
_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
#: The send window for all requests made in this context.
_window: ContextVar[Window | None] = ContextVar("window", default=None)


@contextmanager
def limit_departures(window: Window) -> Iterator[None]:
    """Send no requests in this block after the window has closed, even if the process was paused."""
    token = _window.set(window)
    try:
        yield
    finally:
        _window.reset(token)


def narrow_window(until: float | None = None) -> Window:
    """Return the current window, shortened to end at ``until`` if that is sooner."""
    found = _window.get() or Window()
    return found if until is None or until >= found.until else Window(until, found.may_leave)


@contextmanager
def track_attempt(attempt: Attempt) -> Iterator[None]:
    """Record in ``attempt`` the requests sent in this block. Their session must use ``GatedRequest``."""
    token = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(token)


class GatedRequest(aiohttp.ClientRequest):
    """A request that checks its send window once it has a connection, immediately before it is sent."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request, or raise TooLateError if its window has closed."""
        attempt = _attempt.get()
        if attempt is not None:
            if attempt.window.has_closed(attempt.monotonic()):
                # The window closed while the connection was being made, so keep the connection for the next
                # request.
                conn.release()
                raise TooLateError
            attempt.sent, attempt.protocol = True, conn.protocol
        return await super().send(conn)
