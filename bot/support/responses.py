"""A whole response, parsed as far as it can be trusted: bounded depth, JSON only where JSON is wanted."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from multidict import CIMultiDictProxy

from bot.support.errors import BadAnswer

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
            raise BadAnswer("the answer is not JSON", status=self.status)
        if is_deeper(value, MAX_DEPTH):
            raise BadAnswer("the answer is nested too deeply", status=self.status)
        return value

    def json_object(self, *, revealed: bool = False) -> dict[str, Any]:
        """Parse the body as a JSON object; raise BadAnswer if it is anything else."""
        value = self.revealed() if revealed else self.json()
        if not isinstance(value, dict):
            raise BadAnswer("the answer is not a JSON object", status=self.status)
        return value

    def retry_after(self) -> float | None:
        """Return the seconds of a Retry-After header in either form, at most an hour; None without one."""
        # A date is compared with the server's own clock if the response says it.
        said = _epoch(self.headers.get("Date", ""))
        return parse_retry_after(self.headers.get("Retry-After"), time.time() if said is None else said)


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
