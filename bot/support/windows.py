"""Send windows: a request is dropped if its window has closed before its bytes are sent."""

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
    """The last monotonic time at which a request may leave, and a check that is made just before."""

    until: float = math.inf
    may_leave: Callable[[], bool] | None = None

    def has_closed(self, now: float) -> bool:
        """Return whether no request may leave any more."""
        return now > self.until or (self.may_leave is not None and not self.may_leave())


@dataclass(slots=True)
class Attempt:
    """One attempt to send a request: its window, its clock, and whether it left."""

    monotonic: Callable[[], float]
    window: Window
    sent: bool = False
    #: The connection through which it left.
    protocol: ResponseHandler | None = None


#: The current attempt, through which the request class learns its window and reports what it did.
_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
#: The window of all requests of the current work.
_window: ContextVar[Window | None] = ContextVar("window", default=None)


@contextmanager
def limit_departures(window: Window) -> Iterator[None]:
    """Let no request in this context leave after a window closed, even if the process was paused."""
    token = _window.set(window)
    try:
        yield
    finally:
        _window.reset(token)


def narrow_window(until: float | None = None) -> Window:
    """Return the current window, ended at ``until`` if that is sooner."""
    found = _window.get() or Window()
    return found if until is None or until >= found.until else Window(until, found.may_leave)


@contextmanager
def track_attempt(attempt: Attempt) -> Iterator[None]:
    """Attach an attempt to the requests made in this block; their session must use ``GatedRequest``."""
    token = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(token)


class GatedRequest(aiohttp.ClientRequest):
    """Check the send window once a connection is ready; nothing waits between the check and the bytes."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Write the request, or raise TooLateError."""
        attempt = _attempt.get()
        if attempt is not None:
            if attempt.window.has_closed(attempt.monotonic()):
                # Connecting may have taken the time, so keep the connection for the next request.
                conn.release()
                raise TooLateError
            attempt.sent, attempt.protocol = True, conn.protocol
        return await super().send(conn)
