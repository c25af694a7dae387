"""The one request function of all provider clients: bounded, without redirects or automatic retries.

One rule for the proxy holds for all that Usher sends: Slack's library and aiohttp (``trust_env``) read the
environment in different ways. One knows no NO_PROXY, the other takes passwords from ``~/.netrc``, and sends
to the proxy, in clear, what is for this machine.

aiohttp's transport errors end here: they become kinds of ``support.errors`` without cause and context, as
``repr(ClientResponseError)`` contains the Authorization header. A response is parsed as far as it can be
trusted. A request is dropped if its last moment has passed when its connection is ready, before the bytes
go.

A server may leave an unsolicited response on a kept-alive connection (a 408 when it times out, a response
sent twice). The next request on that connection would get it as its response, and every later request the
response to the one before; so a connection that holds unsolicited bytes is closed and never reused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import select
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import lru_cache
from ssl import SSLContext
from typing import Any, Final, TypedDict, Unpack
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import ClientRequest, ClientTimeout
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from multidict import CIMultiDictProxy
from yarl import URL

from bot.support import errors
from bot.support.cleaning import Hider, clean, hidden

#: Responses of the documented methods are a few kilobytes; a list page is the largest.
MAX_BYTES = 2_000_000
TOTAL_SECONDS = 20.0
CONNECT_SECONDS = 5.0
#: After this long without an event, a stream that has sent something is taken to have sent all it has.
QUIET_SECONDS = 0.25
_CHUNK = 65_536


def is_safe_origin(scheme: str, host: str | None) -> bool:
    """Return whether what is sent there can't be read on the way: https, or http on this machine."""
    return bool(host) and (scheme == "https" or (scheme == "http" and is_loopback(host or "")))


def is_loopback(host: str) -> bool:
    """Return whether a host can only be this machine: localhost and what is below it, 127.0.0.0/8 or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_BY_TUNNEL = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Proxy:
    """Hold the proxy's address, empty for none, and the hosts that are reached without it."""

    address: str = ""
    without: str = ""

    def of(self, url: URL) -> URL | None:
        """Return the proxy for an address, None if it is reached directly; this machine always is."""
        host = (url.host or "").lower().removesuffix(".")
        if not self.address or url.scheme not in _BY_TUNNEL or is_loopback(host):
            return None
        exempt = any(_names(entry.strip().lower(), host, url.port) for entry in self.without.split(","))
        return None if exempt else URL(self.address)

    def text_of(self, url: str) -> str | None:
        """Return the same as text, for a library that is told the proxy of one address."""
        found = self.of(URL(url))
        return None if found is None else str(found)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Act as a session's middleware; what a library found in the environment doesn't count."""
        request.update_proxy(self.of(request.url), None, None)
        return await handler(request)


def _names(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY is for a host: its name, a name above it, or ``*``."""
    name, _, wanted = entry.partition(":")
    name = name.removeprefix("*").removeprefix(".")
    if wanted not in ("", str(port)):
        return False
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


DIRECT = Proxy()


class Asking(TypedDict, total=False):
    """Hold the parameters of a request; ``total`` limits everything, in seconds."""

    json_body: Any
    form: Mapping[str, str] | aiohttp.FormData | None
    query: Mapping[str, str] | None
    total: float | None


class Sending(Asking, total=False):
    """Add the parameters of sending; ``send_until`` is the end of its window (``Http.request``)."""

    headers: Mapping[str, str] | None
    send_until: float | None


class _DisconnectedError(Exception):
    """Replace the two errors after which aiohttp would send a GET again by itself."""


async def _no_second_try(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        raise _DisconnectedError from None


class Http:
    """Send requests over one injected session. ``monotonic`` is the clock of send windows, in seconds."""

    _own: tuple[str, ...] = ()

    def __init__(
        self, session: aiohttp.ClientSession, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._monotonic = monotonic

    def hide(self, secrets: Iterable[str]) -> None:
        """Remove these from every response: the connections' own secrets. A request's own always are."""
        self._own = (*self._own, *secrets)

    def secrets_of(self, headers: Mapping[str, str] | None, hides: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the secrets that must not appear in the response to a request."""
        sent = (headers or {}).get("Authorization", "").rpartition(" ")[2]
        return (*hides, sent, *self._own)

    @staticmethod
    def new_session(
        proxy: Proxy = DIRECT, *, limit: int = 200, trusting: ssl.SSLContext | bool = True
    ) -> aiohttp.ClientSession:
        """Make the session that this class needs: no cookies, no retries, the send window's last check.

        ``trusting`` decides which certificates are believed: True for the system's.
        """
        return aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=CleanConnector(limit=limit, ssl=trusting),
            headers={"User-Agent": "Usher"},
            # Without a proxy there is none to ask for: an environment's isn't looked at.
            middlewares=(_no_second_try, proxy) if proxy.address else (_no_second_try,),
            request_class=GatedRequest,
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        max_bytes: int = MAX_BYTES,
        hides: Sequence[str] = (),
        **options: Unpack[Sending],
    ) -> Response:
        """Send one request once and return the whole response, whatever its status.

        ``url`` is used as it is (already percent-encoded). ``send_until`` drops the request if that monotonic
        time has passed just before the bytes leave. ``total`` limits everything, in seconds. ``hides``
        are secrets that must not come back, besides those of the request itself. Raises Unreachable,
        SentTooLate, InvalidRequest (nothing sent), UnknownOutcome (sent, no whole response), BadAnswer (more
        than ``max_bytes`` once unpacked).
        """
        query = options.get("query") or {}
        if "access_token" in query:
            hides = (*hides, query["access_token"])
        secrets = self.secrets_of(options.get("headers"), hides)
        async with self.stream(method, url, **options) as opened:
            body = await _read_capped(opened, max_bytes)
            return Response(opened.status, opened.headers, hidden(body, secrets), body)

    async def glance(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float = 2.0,
        max_bytes: int = _CHUNK,
    ) -> Response:
        """Read what a stream has to say now, for ``seconds`` or ``max_bytes`` at most, then close it.

        It ends earlier once the stream has sent something and falls silent. Raises as ``request`` does if not
        even the headers arrive in time; a stream that breaks off counts with what it sent.
        """
        body = bytearray()
        async with self.stream("GET", url, headers=headers, total=seconds) as opened:
            try:
                while len(body) < max_bytes:
                    async with asyncio.timeout(QUIET_SECONDS if body.strip() else None):
                        piece = await opened.content.readany()
                    if not piece:
                        break
                    body += piece
            except (TimeoutError, aiohttp.ClientError):
                pass
            said = bytes(body[:max_bytes])
            return Response(opened.status, opened.headers, hidden(said, self.secrets_of(headers)), said)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        form: Mapping[str, str] | aiohttp.FormData | None = None,
        query: Mapping[str, str] | None = None,
        total: float | None = TOTAL_SECONDS,
        send_until: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open a response for reading piece by piece; the same errors as ``request``."""
        attempt = Attempt(self._monotonic, window(send_until))
        has_body = json_body is not None or form is not None
        response = await self._open(
            attempt,
            method,
            _with_query(url, query),
            headers=headers,
            json=json_body,
            data=form,
            # No body, no content type: a server may try to parse what the header promises.
            skip_auto_headers=None if has_body else ("Content-Type",),
            allow_redirects=False,
            timeout=_timeout(total),
        )
        distrust(attempt.protocol, response.status)
        failure: errors.ProviderError | None = None
        try:
            yield response
        except TimeoutError:
            failure = errors.UnknownOutcome("no answer in time", status=response.status)
        except (aiohttp.ClientError, OSError):
            failure = errors.UnknownOutcome("the connection broke", status=response.status)
        finally:
            response.close()
        if failure is not None:
            _raise_alone(failure)

    async def _open(self, attempt: Attempt, method: str, url: str, **options: Any) -> aiohttp.ClientResponse:
        try:
            with trying(attempt):
                return await self._session.request(method, URL(url, encoded=True), **options)
        except (TooLateError, _DisconnectedError, aiohttp.ClientError, OSError, ValueError) as error:
            failure = _translated(error, sent=attempt.sent)
        # Raised outside the handler, so that not even __context__ leads back to aiohttp's error.
        raise failure


@lru_cache(maxsize=64)
def _timeout(total: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)


def _with_query(url: str, query: Mapping[str, str] | None) -> str:
    if not query:
        return url
    return url + ("&" if "?" in url else "?") + urlencode(query)


def _raise_alone(failure: errors.ProviderError) -> None:
    try:
        raise failure
    finally:
        failure.__context__ = None


def _translated(error: Exception, *, sent: bool) -> errors.ProviderError:
    """Return our error for a transport error; TimeoutError is an OSError."""
    match error:
        case TooLateError():
            return errors.SentTooLate("the send window had closed")
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "")
            return errors.Unreachable(f"the server's certificate is not trusted: {clean(why)}")
        case aiohttp.ClientSSLError():
            return errors.Unreachable("no encrypted connection")
        case aiohttp.ClientProxyConnectionError():
            return errors.Unreachable("no connection to the HTTP proxy")
        case aiohttp.ClientHttpProxyError():
            return errors.Unreachable(f"the HTTP proxy refuses the connection with {error.status}")
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return errors.Unreachable("no connection")
        case TimeoutError():
            return (
                errors.UnknownOutcome("no answer in time")
                if sent
                else errors.Unreachable("no connection in time")
            )
        case _DisconnectedError() | aiohttp.ClientError() | OSError() if sent:
            return errors.UnknownOutcome("the connection broke")
        case _DisconnectedError() | aiohttp.ClientConnectionError() | OSError():
            return errors.Unreachable("the connection broke")
        case _:
            return errors.InvalidRequest("What you asked for can't be sent. Change it, then try again.")


async def _read_capped(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    while piece := await response.content.read(_CHUNK):
        body += piece
        if len(body) > max_bytes:
            raise errors.BadAnswer("the answer is too large", status=response.status)
    return bytes(body)


MAX_DEPTH = 50
MAX_RETRY_AFTER = 3600.0
_NOT_JSON = object()


@dataclass(frozen=True, slots=True)
class Response:
    """Hold a whole response, its body limited by the caller, with the secrets that Usher knows removed."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    #: As received.
    raw: bytes = field(default=b"", repr=False)

    def json(self) -> Any:
        """Parse the body; raise BadAnswer if it isn't JSON or is nested deeper than 50."""
        return self._parsed(self.body)

    def revealed(self) -> Any:
        """Parse the body as received, for responses whose purpose is a token. Raises as ``json`` does."""
        return self._parsed(self.raw or self.body)

    def _parsed(self, body: bytes) -> Any:
        value: Any = _NOT_JSON
        with suppress(ValueError, RecursionError):
            value = json.loads(body)
        if value is _NOT_JSON:
            # Raised outside the handler: the parser's error contains the whole body, which may be a token.
            raise errors.BadAnswer("the answer is not JSON", status=self.status)
        if is_deeper(value, MAX_DEPTH):
            raise errors.BadAnswer("the answer is nested too deeply", status=self.status)
        return value

    def json_object(self, *, revealed: bool = False) -> dict[str, Any]:
        """Parse the body as a JSON object; raise BadAnswer if it is anything else."""
        value = self.revealed() if revealed else self.json()
        if not isinstance(value, dict):
            raise errors.BadAnswer("the answer is not a JSON object", status=self.status)
        return value

    def retry_after(self) -> float | None:
        """Return the seconds of a Retry-After header in either form, at most an hour; None without one."""
        # A date is compared with the server's own clock if the response says it.
        said = _epoch(self.headers.get("Date", ""))
        return parse_retry_after(self.headers.get("Retry-After"), time.time() if said is None else said)


#: How large a streamed response may be if it is read whole after all, such as an error page.
WHOLE_BYTES = 65_536


class Stream:
    """Read one open response, once: iterate over its pieces, or read it whole."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        max_bytes: int,
        secrets: Sequence[str] = (),
    ) -> None:
        self._response = response
        self._hider = Hider(secrets)
        self._room = max_bytes

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self._response.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Return the response's headers."""
        return self._response.headers

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece with secrets removed; raise BadAnswer once the limit is reached."""
        shown = b""
        while not shown:
            if self._room <= 0:
                raise errors.BadAnswer("the answer is too large", status=self.status)
            piece = await self._response.content.readany()
            if not piece:
                shown = self._hider.rest()
                if not shown:
                    raise StopAsyncIteration
                return shown
            shown = self._hider.feed(piece[: self._room])
            self._room -= len(piece)
        return shown

    async def whole(self, max_bytes: int = WHOLE_BYTES) -> Response:
        """Read to the end and return everything; raise BadAnswer if it is larger than ``max_bytes``."""
        body = bytearray()
        async for piece in self:
            body += piece
            if len(body) > max_bytes:
                raise errors.BadAnswer("the answer is too large", status=self.status)
        return Response(self.status, self.headers, bytes(body))


@asynccontextmanager
async def open_stream(
    http: Http,
    method: str,
    url: str,
    *,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    json_body: Any = None,
) -> AsyncIterator[Stream]:
    """Send one request once and open its response, whatever its status; redirects are not followed.

    It is requested uncompressed, so that each piece arrives when it is sent. Raises as ``Http.request`` does:
    UnknownOutcome if it breaks off, BadAnswer beyond ``max_bytes``.
    """
    wanted = {**(headers or {}), "Accept-Encoding": "identity"}
    async with http.stream(method, url, headers=wanted, json_body=json_body, total=None) as response:
        yield Stream(response, max_bytes, http.secrets_of(headers))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Parse a Retry-After header: seconds or an HTTP date, 0–3600; None if absent or unreadable."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = _epoch(value)
        if moment is None:
            return None
        seconds = moment - now
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _epoch(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def is_deeper(value: Any, most: int) -> bool:
    """Return whether parsed JSON is nested more than so deeply."""
    layer = [value]
    for _ in range(most):
        layer = [
            child
            for parent in layer
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not layer:
            return False
    return True


class TooLateError(Exception):
    """Signal that the send window had closed before the first byte."""


def freely() -> bool:
    """Let a request leave, whatever has become of this process."""
    return True


@dataclass(frozen=True, slots=True)
class Window:
    """Hold until when a request may leave, by the monotonic clock, and what else is asked at that moment."""

    until: float = math.inf
    may_leave: Callable[[], bool] = freely


@dataclass(slots=True)
class Attempt:
    """Hold the window of a request, by which clock, and whether it left."""

    monotonic: Callable[[], float]
    window: Window
    sent: bool = False
    #: The connection that it left by.
    protocol: ResponseHandler | None = None

    def leave(self, protocol: ResponseHandler | None) -> None:
        """Check the window one last time; raise TooLateError if it has closed."""
        if self.monotonic() > self.window.until or not self.window.may_leave():
            raise TooLateError
        self.sent, self.protocol = True, protocol


#: What the request class has to know about one request, and what it found out.
_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)
#: The window of what all requests belong to.
_window: ContextVar[Window | None] = ContextVar("window", default=None)


@contextmanager
def leaving_by(window: Window) -> Iterator[None]:
    """Let no request made within leave outside of a window, even if the process stands still meanwhile."""
    token = _window.set(window)
    try:
        yield
    finally:
        _window.reset(token)


def window(until: float | None = None) -> Window:
    """Return the window of what is being asked for now; one request's own may end sooner."""
    found = _window.get() or Window()
    return found if until is None or until >= found.until else replace(found, until=until)


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


_REQUEST_TIMEOUT: Final = 408


class CleanConnector(aiohttp.TCPConnector):
    """Pool connections as aiohttp does, and check each before it is reused.

    aiohttp checks when a connection is returned, not for what arrives after that.
    """

    def __init__(self, *, limit: int = 100, ssl: SSLContext | bool = True) -> None:
        super().__init__(limit=limit, ssl=ssl)
        #: A poll object for the socket of each connection that was used before, which never blocks. On a new
        #: connection, bytes waiting to be read belong to its set-up (TLS).
        self._polls: WeakKeyDictionary[ResponseHandler, select.poll | None] = WeakKeyDictionary()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - as aiohttp calls it
    ) -> Connection:
        """Return a connection without any bytes waiting to be read."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                return connection
            if protocol not in self._polls:
                self._polls[protocol] = _poll(protocol)
                return connection
            poll = self._polls[protocol]
            # Already read, but by nobody; or arrived, and not yet read by the event loop.
            if not protocol.should_close and (poll is None or not poll.poll(0)):
                return connection
            connection.close()


def distrust(protocol: ResponseHandler | None, status: int) -> None:
    """Don't reuse a connection after a 408: it may belong to no request, and the real answer may follow."""
    if status == _REQUEST_TIMEOUT and protocol is not None:
        protocol.force_close()


def _poll(protocol: ResponseHandler) -> select.poll | None:
    """Return a poll object that tells whether bytes, or the end of the stream, have arrived at the socket."""
    transport = protocol.transport
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None:
        return None
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return poll
