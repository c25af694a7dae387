"""The last moment at which a request may leave, checked once a connection is ready, before the bytes go."""

from __future__ import annotations

import math
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection


class TooLateError(Exception):
    """Signal that the send window had closed before the first byte."""


@dataclass(slots=True)
class Attempt:
    """Hold the latest time at which a request may leave, by which clock, and whether it left."""

    monotonic: Callable[[], float]
    send_until: float
    sent: bool = False
    #: The connection that it left by.
    protocol: ResponseHandler | None = None

    def leave(self, protocol: ResponseHandler | None) -> None:
        """Check the window one last time; raise TooLateError if it has closed."""
        if self.monotonic() > self.send_until:
            raise TooLateError
        self.sent, self.protocol = True, protocol


#: What the request class has to know about one request, and what it found out.
_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
#: The end of what all requests belong to.
_leaves_by: ContextVar[float] = ContextVar("leaves_by", default=math.inf)


@contextmanager
def leaving_by(until: float) -> Iterator[None]:
    """Let no request made within leave after a monotonic time, even if the process stands still meanwhile."""
    token = _leaves_by.set(until)
    try:
        yield
    finally:
        _leaves_by.reset(token)


def latest() -> float:
    """Return until when what is being asked for now may leave, as ``leaving_by`` has it."""
    return _leaves_by.get()


@contextmanager
def trying(attempt: Attempt) -> Iterator[None]:
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
            try:
                attempt.leave(conn.protocol)
            except TooLateError:
                # It may have been the way there that took so long: the next request needn't go it again.
                conn.release()
                raise
        return await super().send(conn)
