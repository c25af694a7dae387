"""A GET over a connection of the session's pool, without what a session builds round each request.

Status reads are a thousand a second: a request and a response object, a chain of handlers, cookies and
redirects for each cost more than the answer. Pool, TLS and the parser are those of aiohttp all the same.
Nothing here repeats, redirects or keeps a cookie.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from bot.connector import distrust
from bot.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from multidict import CIMultiDictProxy

_BUFFER = 65_536
#: Scheme and host with port, then the target as it goes out: percent-encoded, without a fragment.
_ADDRESS = re.compile(r"(https?://[^/?#@\s]+)([/?][!\"$-~]*)?")
#: What would end a line of the head, or can't stand in one.
_BREAKS = re.compile(r"[\r\n\x00]")
#: A connection asks few origins; what a caller makes up is not kept for ever.
_MOST_ORIGINS = 64


class TooLateError(Exception):
    """Say that the send window had closed before the first byte."""


@dataclass(slots=True)
class Attempt:
    """Hold when a request may leave at the latest, by which clock, and whether it left."""

    monotonic: Callable[[], float]
    send_until: float | None
    sent: bool = False
    #: What it left by.
    protocol: ResponseHandler | None = None

    def leave(self, protocol: ResponseHandler | None) -> None:
        """Look at the window for the last time; raise TooLateError when it has closed."""
        if self.send_until is not None and self.monotonic() > self.send_until:
            raise TooLateError
        self.sent, self.protocol = True, protocol


@dataclass(frozen=True, slots=True)
class _Origin:
    """Hold what the pool finds a connection by, and the lines of the head that are always the same."""

    request: aiohttp.ClientRequest
    lines: str


class BareGets:
    """Send GETs over a session's connector. Raises aiohttp's errors, TimeoutError, ValueError, BadAnswer."""

    def __init__(self, session: aiohttp.ClientSession, connect_seconds: float) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds)
        self._origins: dict[str, _Origin] = {}

    async def send(
        self, url: str, headers: Mapping[str, str], max_bytes: int, total: float, attempt: Attempt
    ) -> tuple[int, CIMultiDictProxy[str], bytes]:
        """Return status, headers and the whole unpacked body; ``total`` bounds everything, in seconds."""
        connector = self._session.connector
        if connector is None or connector.closed:
            raise aiohttp.ClientConnectionError("the session is closed")
        origin, head = self._head(url, headers)
        async with asyncio.timeout(total):
            connection = await connector.connect(origin.request, [], self._timeout)
            try:
                answer = await _exchange(connection, head, max_bytes, attempt)
            except BaseException:
                connection.close()
                raise
        # Closed instead of kept where the answer did not end, or the server wants that.
        connection.release()
        return answer

    def _head(self, url: str, headers: Mapping[str, str]) -> tuple[_Origin, bytes]:
        parts = _ADDRESS.fullmatch(url)
        if parts is None:
            raise ValueError("this is no address")
        origin = self._origins.get(parts[1]) or self._new_origin(parts[1])
        given = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if given.count("\n") != len(headers) or _BREAKS.search(given.replace("\r\n", "")):
            raise ValueError("a header would break its line")
        target = parts[2] or "/"
        if target[0] == "?":
            target = f"/{target}"
        return origin, f"GET {target} HTTP/1.1\r\n{origin.lines}{given}\r\n".encode()

    def _new_origin(self, text: str) -> _Origin:
        if len(self._origins) >= _MOST_ORIGINS:
            self._origins.clear()
        session = self._session
        request = aiohttp.ClientRequest(
            "GET",
            URL(text),
            loop=asyncio.get_running_loop(),
            session=session,
            response_class=aiohttp.ClientResponse,
            headers=session.headers,
        )
        # Host, Accept-Encoding and what else the session says of itself, in aiohttp's own words.
        lines = [f"{name}: {value}\r\n" for name, value in request.headers.items() if name != "Accept"]
        self._origins[text] = origin = _Origin(request, "".join(lines))
        return origin


async def _exchange(
    connection: Connection, head: bytes, max_bytes: int, attempt: Attempt
) -> tuple[int, CIMultiDictProxy[str], bytes]:
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise aiohttp.ClientConnectionError("the connection is gone")
    protocol.set_response_params(read_until_eof=True, read_bufsize=_BUFFER)
    attempt.leave(protocol)
    protocol.transport.write(head)
    try:
        message, payload = await protocol.read()
        while 100 <= message.code < 200 and message.code != 101:
            message, payload = await protocol.read()
    except HttpProcessingError:
        raise aiohttp.ClientPayloadError("no HTTP came back") from None
    distrust(protocol, message.code)
    if payload.is_eof():
        body = payload.read_nowait()
    else:
        whole = bytearray()
        while len(whole) <= max_bytes and (piece := await payload.readany()):
            whole += piece
        body = bytes(whole)
    if len(body) > max_bytes:
        raise BadAnswer("the answer is too large", status=message.code)
    return message.code, message.headers, body
