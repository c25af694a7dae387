"""Server responses, read as a whole or in pieces, and parsed within limits."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from bot.support import errors
from bot.support.cleaning import Hider, hide_secrets

MAX_DEPTH = 50
MAX_RETRY_AFTER = 3600.0
#: Smallest number that is read as epoch seconds rather than as a delay, because no delay lasts thirty years.
MIN_EPOCH_SECONDS = 1e9
_NOT_JSON = object()


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response, from which all secrets known to Usher have been removed.

    Attributes:
        status: The HTTP status.
        headers: The headers, with case-insensitive names.
        body: The body.
        raw: The body as received, for ``json(unredacted=True)``.
    """

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    raw: bytes = field(default=b"", repr=False)

    def json(self, *, unredacted: bool = False) -> Any:
        """Parse the body. Raise BadAnswer if it isn't JSON or is nested more than 50 levels deep.

        With ``unredacted``, the body is parsed as received. This is for responses with a token that the
        caller needs.
        """
        value: Any = _NOT_JSON
        with suppress(ValueError, RecursionError):
            value = json.loads((self.raw or self.body) if unredacted else self.body)
        if value is _NOT_JSON:
            # The parser's error contains the whole body, which may include a token. So raise this error
            # outside the handler.
            raise errors.BadAnswer("the answer is not JSON", status=self.status)
        if is_deeper(value, MAX_DEPTH):
            raise errors.BadAnswer("the answer is nested too deeply", status=self.status)
        return value

    def json_object(self, *, unredacted: bool = False) -> dict[str, Any]:
        """Parse the body as a JSON object. Raise BadAnswer if it isn't one."""
        value = self.json(unredacted=unredacted)
        if not isinstance(value, dict):
            raise errors.BadAnswer("the answer is not a JSON object", status=self.status)
        return value

    def retry_after(self, header: str = "Retry-After") -> float | None:
        """Return how many seconds the server wants us to wait, or None if it doesn't say.

        The result is at most an hour. The header contains seconds, a date or, like ``X-RateLimit-Reset`` on
        some servers, epoch seconds.
        """
        # A date in Retry-After uses the server's clock, so compare it with the Date header if there is one.
        said = self.server_time()
        return parse_retry_after(self.headers.get(header), time.time() if said is None else said)

    def server_time(self) -> float | None:
        """Return the time in the Date header, in epoch seconds, or None if there is none."""
        return _parse_date(self.headers.get("Date", ""))


#: Maximum size, in bytes, of a streamed response that is read whole, such as an error page.
MAX_WHOLE_BYTES = 65_536


class Stream:
    """Reads an open response once, either in pieces or as a whole."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        max_bytes: int,
        secrets: Sequence[str] = (),
    ) -> None:
        self._response = response
        self._hider = Hider(secrets)
        self._room = max_bytes
        self.status = response.status
        #: The response's headers, with secrets removed.
        self.headers = remove_secrets(response.headers, secrets)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece with secrets removed.

        Raise BadAnswer if the response exceeds the size limit.
        """
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

    async def read_all(self, max_bytes: int = MAX_WHOLE_BYTES) -> Response:
        """Read to the end and return the whole response.

        Raise BadAnswer if it is larger than ``max_bytes``.
        """
        body = bytearray()
        async for piece in self:
            body += piece
            if len(body) > max_bytes:
                raise errors.BadAnswer("the answer is too large", status=self.status)
        return Response(self.status, self.headers, bytes(body))


def remove_secrets(headers: CIMultiDictProxy[str], secrets: Sequence[str]) -> CIMultiDictProxy[str]:
    """Return headers with any secrets removed."""
    values = "\n".join(headers.values()).encode(errors="replace")
    if hide_secrets(values, secrets) == values:
        return headers
    shown = ((name, hide_secrets(value.encode(errors="replace"), secrets)) for name, value in headers.items())
    return CIMultiDictProxy(CIMultiDict((name, value.decode(errors="replace")) for name, value in shown))


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return how many seconds to wait according to a Retry-After header, or None if it can't be parsed.

    The header contains seconds, a date or epoch seconds. The result is always between 0 and 3600: a time in
    the past becomes 0, and a longer wait is cut to an hour.
    """
    if not value:
        return None
    try:
        seconds = float(value)
        seconds -= now if seconds > MIN_EPOCH_SECONDS else 0.0
    except ValueError:
        moment = _parse_date(value)
        if moment is None:
            return None
        seconds = moment - now
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _parse_date(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def is_deeper(value: Any, most: int) -> bool:
    """Return whether parsed JSON is nested deeper than ``most`` levels."""
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
