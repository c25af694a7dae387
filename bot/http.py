"""The one request function of all provider clients: bounded, never redirected, never repeated by itself.

Transport errors of aiohttp end here: they are raised again as ``bot.errors`` kinds ``from None``, because
``repr(ClientResponseError)`` holds the Authorization header (design rule 7).
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TYPE_CHECKING

import aiohttp
from yarl import URL

from bot.errors import BadAnswer, SentTooLate, UnknownOutcome, Unreachable

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy
    from collections.abc import AsyncIterator, Callable, Mapping

#: Answers of the documented methods are a few kilobytes; a list page is the largest.
MAX_BYTES = 2_000_000
MAX_DEPTH = 50
TOTAL_SECONDS = 20.0
CONNECT_SECONDS = 5.0

_send_until: ContextVar[float | None] = ContextVar("send_until", default=None)
_sent: ContextVar[list[bool] | None] = ContextVar("sent", default=None)


class _TooLateError(Exception):
    """Carry the gate's refusal through aiohttp, which wraps OSError and TimeoutError only."""


class _Disconnected(Exception):  # noqa: N818 - reads as a state
    """Replace the two errors after which aiohttp would send a GET a second time by itself (engine.md)."""


async def _no_second_try(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        raise _Disconnected from None


@dataclass(frozen=True, slots=True)
class Response:
    """Hold a whole answer, body bounded by the caller's cap."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    def json(self) -> Any:
        """Parse the body; raise BadAnswer when it is not JSON or nested deeper than 50."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise BadAnswer("the answer is not JSON", status=self.status) from None
        _check_depth(value, self.status)
        return value

    def json_object(self) -> dict[str, Any]:
        """Parse the body as a JSON object; raise BadAnswer when it is anything else."""
        value = self.json()
        if not isinstance(value, dict):
            raise BadAnswer("the answer is not a JSON object", status=self.status)
        return value

    def retry_after(self) -> float | None:
        """Return the seconds of a Retry-After header in either form, capped at an hour; None without one."""
        return parse_retry_after(self.headers.get("Retry-After"), time.time())


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Read a Retry-After header: seconds or an HTTP date, 0–3600; None when absent or unreadable."""
    if not value:
        return None
    from email.utils import parsedate_to_datetime

    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    if seconds != seconds:  # noqa: PLR0124 - the plain test for NaN
        return None
    return min(max(seconds, 0.0), 3600.0)


def _check_depth(value: Any, status: int) -> None:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [
            child
            for parent in layer
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not layer:
            return
    raise BadAnswer("the answer is nested too deeply", status=status)


class Http:
    """Send requests over one injected session. ``monotonic`` is the clock of send windows, in seconds."""

    def __init__(
        self, session: aiohttp.ClientSession, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._monotonic = monotonic

    @staticmethod
    def new_session(*, limit: int = 200) -> aiohttp.ClientSession:
        """Make the session that this class needs: no cookies, no second tries, the gate's last look."""
        return aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=limit),
            middlewares=(_no_second_try,),
            request_class=_gated_request_class(),
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        total: float = TOTAL_SECONDS,
        send_until: float | None = None,
    ) -> Response:
        """Send one request once and return the whole answer, whatever its status.

        ``url`` is taken as it is (already percent-encoded). ``send_until`` drops it when that monotonic time has
        passed at the last moment before the bytes go. Raises Unreachable (nothing sent), SentTooLate (nothing
        sent), UnknownOutcome (sent, no whole answer), BadAnswer (larger than ``max_bytes``).
        """
        async with self.stream(
            method,
            url,
            headers=headers,
            json_body=json_body,
            form=form,
            query=query,
            total=total,
            send_until=send_until,
        ) as opened:
            body = await _read_capped(opened, max_bytes)
            return Response(opened.status, opened.headers, body)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        total: float | None = TOTAL_SECONDS,
        send_until: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an answer for reading piece by piece; the same errors as ``request``."""
        target = URL(url, encoded=True)
        if query:
            target = target.update_query(query)
        sent = [False]
        tokens = (_sent.set(sent), _send_until.set(send_until))
        clock = _clock.set(self._monotonic)
        try:
            async with self._session.request(
                method,
                target,
                headers=headers,
                json=json_body,
                data=form,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS),
            ) as response:
                yield response
        except _TooLateError:
            raise SentTooLate("the send window had closed") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            raise Unreachable("no connection") from None
        except TimeoutError:
            if sent[0]:
                raise UnknownOutcome("no answer in time") from None
            raise Unreachable("no connection in time") from None
        except (_Disconnected, aiohttp.ClientError, OSError):
            if sent[0]:
                raise UnknownOutcome("the connection broke") from None
            raise Unreachable("the connection broke") from None
        finally:
            _clock.reset(clock)
            _sent.reset(tokens[0])
            _send_until.reset(tokens[1])


_clock: ContextVar[Callable[[], float]] = ContextVar("clock", default=time.monotonic)


def _gated_request_class() -> type[aiohttp.ClientRequest]:
    """Return a request class whose ``send`` looks at the send window with the connection already held."""

    class GatedRequest(aiohttp.ClientRequest):
        async def send(self, conn: Any) -> aiohttp.ClientResponse:
            until = _send_until.get()
            if until is not None and _clock.get()() > until:
                raise _TooLateError
            sent = _sent.get()
            if sent is not None:
                sent[0] = True
            return await super().send(conn)

    return GatedRequest


async def _read_capped(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_chunked(65536):
        size += len(piece)
        if size > max_bytes:
            response.close()
            raise BadAnswer("the answer is too large", status=response.status)
        pieces.append(piece)
    return b"".join(pieces)
