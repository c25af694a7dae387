"""The HTTP client that all providers use. It enforces limits, and doesn't follow redirects or retry.

The module converts aiohttp's transport errors to the errors in ``support.errors``, without cause or context,
because ``repr(ClientResponseError)`` contains the Authorization header.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache, partial
from typing import Any, TypedDict, Unpack
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from bot.support import errors
from bot.support.addresses import DIRECT, Proxy
from bot.support.cleaning import clean, hide_secrets
from bot.support.connector import CleanConnector
from bot.support.responses import Response, Stream, remove_secrets
from bot.support.windows import Attempt, GatedRequest, TooLateError, narrow_window, track_attempt

#: Maximum size of a response, in bytes. The largest responses are single pages of long lists.
MAX_BYTES = 2_000_000
TOTAL_SECONDS = 20.0
CONNECT_SECONDS = 5.0
#: If a stream has sent something and is then silent for this many seconds, ``peek`` stops reading it.
QUIET_SECONDS = 0.25
_CHUNK_BYTES = 65_536
_REQUEST_TIMEOUT = 408


class Asking(TypedDict, total=False):
    """Options of an HTTP request. ``total`` is the time limit for the whole exchange, in seconds."""

    json_body: Any
    form: Mapping[str, str] | aiohttp.FormData | None
    query: Mapping[str, str] | None
    total: float | None


class Sending(Asking, total=False):
    """All options of a request: those in ``Asking``, its headers, and the latest time to send it.

    If the monotonic time ``send_until`` has passed by the time the request can be sent, it isn't sent.
    """

    headers: Mapping[str, str] | None
    send_until: float | None


class Http:
    """Sends requests over a given session.

    ``monotonic`` is the clock that decides whether it is too late to send.
    """

    _own: tuple[str, ...] = ()

    def __init__(
        self, session: aiohttp.ClientSession, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._session = session
        self._monotonic = monotonic

    def hide(self, secrets: Iterable[str]) -> None:
        """From now on, remove these secrets of the connections from every response."""
        self._own = (*self._own, *secrets)

    def secrets_of(self, headers: Mapping[str, str] | None, hides: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the secrets that must not appear in the response to a request."""
        sent = (headers or {}).get("Authorization", "").rpartition(" ")[2]
        return (*hides, sent, *self._own)

    @staticmethod
    def new_session(
        proxy: Proxy = DIRECT, *, limit: int = 200, trusting: ssl.SSLContext | bool = True
    ) -> aiohttp.ClientSession:
        """Create a session for this class, without cookies or retries.

        Just before sending a request, the session checks whether the time window for the request has closed.
        ``trusting`` decides which certificates are trusted. True means those that the system trusts.
        """
        session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=CleanConnector(limit=limit, ssl=trusting),
            headers={"User-Agent": "Usher"},
            # aiohttp doesn't read a proxy from the environment by itself, so the middleware is needed only if
            # a proxy is configured.
            middlewares=(proxy,) if proxy.address else (),
            request_class=GatedRequest,
        )
        # By default, aiohttp repeats a GET if the server has closed the connection, and no argument turns
        # this off.
        session._retry_connection = False
        return session

    async def request(
        self,
        method: str,
        url: str,
        *,
        max_bytes: int = MAX_BYTES,
        hides: Sequence[str] = (),
        **options: Unpack[Sending],
    ) -> Response:
        """Send one request, without retries, and return the whole response, whatever its status.

        ``url`` must already be percent-encoded, and is used unchanged. The other options are described in
        ``Sending``. ``hides`` are secrets to remove from the response in addition to those in the request. If
        nothing was sent, raise Unreachable, SentTooLate or InvalidRequest. If the request was sent but the
        response is incomplete, raise UnknownOutcome. If the response is larger than ``max_bytes`` once
        unpacked, raise BadAnswer.
        """
        secrets = self.secrets_of(options.get("headers"), hides)
        async with self.stream(method, url, **options) as opened:
            body = bytearray()
            while not opened.content.at_eof():
                body += await opened.content.readany()
                if len(body) > max_bytes:
                    raise errors.BadAnswer("the answer is too large", status=opened.status)
        raw, headers = bytes(body), remove_secrets(opened.headers, secrets)
        return Response(opened.status, headers, hide_secrets(raw, secrets), raw)

    async def peek(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float = 2.0,
        max_bytes: int = _CHUNK_BYTES,
        hides: Sequence[str] = (),
    ) -> Response:
        """Read up to ``max_bytes`` that a stream sends within ``seconds``, then close the stream.

        Reading ends earlier if the stream falls silent after sending something. If the stream breaks off,
        everything received so far is returned. If not even the headers arrive in time, this raises the same
        errors as ``request``.
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
            said, secrets = bytes(body[:max_bytes]), self.secrets_of(headers, hides)
            answered = remove_secrets(opened.headers, secrets)
            return Response(opened.status, answered, hide_secrets(said, secrets), said)

    def stream(
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
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Open a response so that it can be read piece by piece.

        This may raise the same errors as ``request``.
        """
        has_body = json_body is not None or form is not None
        opening = partial(
            self._session.request,
            method,
            headers=headers,
            json=json_body,
            data=form,
            # Without a body, don't send a content type, because a server may then try to parse the missing
            # body.
            skip_auto_headers=None if has_body else ("Content-Type",),
            allow_redirects=False,
            timeout=_make_timeout(total),
        )
        full_url = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url
        return _Exchange(opening, full_url, Attempt(self._monotonic, narrow_window(send_until)))


@lru_cache(maxsize=64)
def _make_timeout(total: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS)


class _Exchange(AbstractAsyncContextManager[aiohttp.ClientResponse]):
    """Sends a request and opens its response, translates the errors of both, and closes the response.

    Every call enters this context, and a class takes a fraction of the time that a generator takes.
    """

    __slots__ = ("_attempt", "_opening", "_response", "_url")

    def __init__(
        self, opening: Callable[[URL], Awaitable[aiohttp.ClientResponse]], url: str, attempt: Attempt
    ) -> None:
        self._opening, self._url, self._attempt = opening, url, attempt

    async def __aenter__(self) -> aiohttp.ClientResponse:
        attempt, failure = self._attempt, None
        try:
            with track_attempt(attempt):
                self._response = await self._opening(URL(self._url, encoded=True))
        except (TooLateError, aiohttp.ClientError, OSError, ValueError) as error:
            failure = _translate(error, sent=attempt.sent)
        # Raise the error outside the handler, so that nothing in it leads back to aiohttp's error, not even
        # ``__context__``.
        if failure is not None:
            raise failure
        if self._response.status == _REQUEST_TIMEOUT and attempt.protocol is not None:
            # The server may have sent this 408 before it got the request, with the real response still to
            # come. So never reuse the connection.
            attempt.protocol.force_close()
        return self._response

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._response.close()
        match error:
            case TimeoutError():
                failure = errors.UnknownOutcome("no answer in time", status=self._response.status)
            case aiohttp.ClientError() | OSError():
                failure = errors.UnknownOutcome("the connection broke", status=self._response.status)
            case _:
                return
        try:
            raise failure
        finally:
            failure.__context__ = None


def _translate(error: Exception, *, sent: bool) -> errors.ProviderError:
    """Translate a transport error into one of our own.

    TimeoutError must come first, because it is also an OSError.
    """
    match error:
        case TooLateError():
            return errors.SentTooLate("the send window had closed")
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "")
            return errors.UntrustedCertificate(f"the server's certificate is not trusted: {clean(why)}")
        case aiohttp.ClientSSLError():
            return errors.Unreachable("no encrypted connection")
        case aiohttp.ClientProxyConnectionError():
            return errors.Unreachable("no connection to the HTTP proxy")
        case aiohttp.ClientHttpProxyError():
            return errors.Unreachable(f"the HTTP proxy refuses the connection with {error.status}")
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return errors.Unreachable("no connection")
        case TimeoutError() if sent:
            return errors.UnknownOutcome("no answer in time")
        case TimeoutError():
            return errors.Unreachable("no connection in time")
        case aiohttp.ClientError() | OSError() if sent:
            return errors.UnknownOutcome("the connection broke")
        case aiohttp.ClientConnectionError() | OSError():
            return errors.Unreachable("the connection broke")
        case _:
            return errors.InvalidRequest("What you asked for can't be sent. Change it, then try again.")


@asynccontextmanager
async def open_stream(
    http: Http,
    method: str,
    url: str,
    *,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    json_body: Any = None,
    hides: Sequence[str] = (),
) -> AsyncIterator[Stream]:
    """Send one request, without retries, and open its response, whatever its status.

    Redirects aren't followed. The response is requested uncompressed, so that each piece arrives as soon as
    it is sent. This raises the same errors as ``Http.request``: UnknownOutcome if the response breaks off,
    and BadAnswer if it is longer than ``max_bytes``.
    """
    wanted = {**(headers or {}), "Accept-Encoding": "identity"}
    async with http.stream(method, url, headers=wanted, json_body=json_body, total=None) as response:
        yield Stream(response, max_bytes, http.secrets_of(headers, hides))
