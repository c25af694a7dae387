"""A client for Slack's Web API."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from bot.slack.calls import UNREACHABLE_CODE, SlackAnswer, is_slack_address
from bot.slack.errors import Meaning, classify_code
from bot.slack.methods import CHAT_GET_PERMALINK, FILES_COMPLETE_UPLOAD, UPLOAD_URL
from bot.support.clock import Clock
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from bot.support.responses import parse_retry_after

#: Minimum speed of an upload, in bytes per second. Usher abandons a slower upload and tries again later.
_MIN_UPLOAD_BYTES_PER_SECOND: Final = 200_000
#: Shortest and longest pause, in seconds, after a 429 response that doesn't specify one.
MIN_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 30.0
#: Headers of a request with a JSON body. Without the charset, Slack would add a warning to each response.
_JSON_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}
#: No timeout in aiohttp, because ``call`` enforces its own.
_UNLIMITED: Final = aiohttp.ClientTimeout()


class _Pauses:
    """Pauses after 429 responses that don't specify one: a second, doubled for each further 429 in a row.

    Each method's last pause is kept in memory only.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Maps each method to the length of its last pause and the monotonic time when that pause ends.
        self._last: dict[str, tuple[float, float]] = {}

    def next_pause(self, method: str) -> float:
        """Return the pause in seconds. Calls that are refused during a pause wait until its end."""
        now = self._clock.monotonic()
        seconds, until = self._last.get(method, (MIN_PAUSE_SECONDS / 2, now))
        if now >= until:
            seconds = min(2 * seconds, MAX_PAUSE_SECONDS)
            until = now + seconds
            self._last[method] = seconds, until
        return max(until - now, MIN_PAUSE_SECONDS)

    def forget(self, method: str) -> None:
        """Reset a method's pause to one second after a successful call."""
        self._last.pop(method, None)


class WebApi:
    """The SlackCaller used in production. It leaves the ``session`` open."""

    def __init__(
        self, token: str, base_url: str, session: aiohttp.ClientSession, clock: Clock, timeout: float = 10.0
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._session = session
        self._own = base_url
        self._pauses = _Pauses(clock)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Send one request. If it fails, raise a SlackFailed error, never one that contains the headers."""
        # Methods that write accept JSON, but methods that read accept only forms.
        writes = method.startswith(("chat.", "views.")) or method == FILES_COMPLETE_UPLOAD
        writes = writes and method != CHAT_GET_PERMALINK
        sent = json.dumps(dict(arguments)).encode() if writes else _encode_form(arguments)
        headers = self._headers | (_JSON_HEADERS if writes else {})
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(
                    self._own + method, data=sent, headers=headers, allow_redirects=False, timeout=_UNLIMITED
                ) as response,
            ):
                body = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError):
            raise SlackFailed(method, UNREACHABLE_CODE) from None
        except (aiohttp.ClientError, OSError, ValueError):  # TimeoutError is an OSError.
            raise SlackUnknownOutcome(method, "no_answer") from None
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            data = {}
        if response.status != 200 or not data.get("ok"):
            raise self._to_slack_error(method, response, str(data.get("error") or ""))
        self._pauses.forget(method)
        return SlackAnswer(data, _parse_date(response.headers.get("Date")))

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Post the bytes as a stream, without a token. If that fails, raise a SlackFailed error."""
        if not is_slack_address(url, self._own):
            raise SlackFailed(UPLOAD_URL, "strange_address")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        seconds = self._timeout + size / _MIN_UPLOAD_BYTES_PER_SECOND
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.post(
                    url,
                    data=pieces,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=self._timeout),
                ) as response,
            ):
                status = response.status
        except (aiohttp.ClientError, OSError, ValueError):  # TimeoutError is an OSError.
            raise SlackFailed(UPLOAD_URL, "no_answer") from None
        if status != 200:
            raise SlackFailed(UPLOAD_URL, f"status_{status}")

    def _to_slack_error(self, method: str, response: aiohttp.ClientResponse, code: str) -> SlackFailed:
        status, means = response.status, classify_code(code)
        if status == 429 or means is Meaning.LIMITED:
            wait = parse_retry_after(response.headers.get("Retry-After"), self._clock.now())
            return SlackLimited(method, self._pauses.next_pause(method) if wait is None else max(wait, 1.0))
        if status >= 500 or not code or means is Meaning.UNSURE:
            return SlackUnknownOutcome(method, code or f"status_{status}")
        return SlackPermanent(method, code) if means.is_final else SlackFailed(method, code)


def _encode_form(arguments: Mapping[str, Any]) -> dict[str, str]:
    texts = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in arguments.items()
        if value is not None
    }
    return {key: text for key, text in texts.items() if text}


def _parse_date(value: str | None) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, TypeError):
        return None
