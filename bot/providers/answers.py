"""Reads a provider's API responses: turns refusals into errors, and extracts messages and values.

A missing required value raises BadAnswer, which names the field. A malformed optional value is ignored and
logged once. A malformed list entry doesn't affect the other entries (``read_entries``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Any, TypeVar
from urllib.parse import quote

import structlog

from bot.domain.failure_causes import OWN_LIMITS, find_reason, lacks_capacity
from bot.providers.words import cut_words, find_value, read_words
from bot.support import errors
from bot.support.responses import Response

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Listing(list[T]):
    """The entries of a list, in the server's order.

    Unless ``is_whole``, entries are missing because they couldn't be identified. Something that isn't in the
    list may then still exist.
    """

    def __init__(self, entries: Iterable[T] = (), *, is_whole: bool = True) -> None:
        super().__init__(entries)
        self.is_whole = is_whole


def to_error(
    response: Response,
    *,
    changes: bool,
    message_pointer: str = "/message",
    error_keys: Collection[str] = (),
    is_plain: bool = False,
) -> errors.ProviderError:
    """Return the error for a non-2xx response, with the server's own message cleaned and shortened.

    ``message_pointer`` locates the server's message in the body (a JSON Pointer, RFC 6901), and
    ``error_keys`` are further keys that every error contains. If a 401, 403, 404 or server error lacks the
    message or a key, a proxy in front of the server is assumed to have sent it. The message in such a server
    error is shown only if it says that there is no capacity. ``is_plain`` means that the server may refuse
    requests without JSON, so that a 401 or 403 needs neither message nor keys.
    """
    status, is_own = response.status, False
    said: str | None = None
    with suppress(errors.BadAnswer):
        body = response.json_object()
        said = read_words(body, message_pointer)
        is_own = _has_form(body, message_pointer, error_keys)
    message = said or _read_sentence(response) or f"HTTP {status}"
    if status >= 500 and not is_own and not lacks_capacity(message):
        message = f"HTTP {status}"
    if 300 <= status < 400:
        words = f"The server redirects (HTTP {status}). Ask your Usher admin to check its address."
        return errors.PermanentError(words, status=status)
    if status in {404, 410}:
        if not is_own and (not changes or (said is None and response.body.strip())):
            # This page may come from a proxy whose backend is down, so the workspace may still exist.
            return errors.BadAnswer(f"HTTP {status} with a page that is not the API's", status=status)
        return errors.NotFound(message, status=status)
    if status == 429:
        return errors.RateLimited(message, status=status, retry_after=response.retry_after())
    if changes and status in {408, 502, 504}:
        # This answer came from a proxy or gateway. The server itself may have carried out the call.
        return errors.UnknownOutcome(message, status=status, retry_after=response.retry_after())
    if status >= 500 or status in {408, 425}:
        return errors.ServerFailed(message, status=status, retry_after=response.retry_after())
    # A page with status 400 doesn't count, because the server itself sends one if it can't parse the request.
    is_page = status > 400 and response.body.lstrip()[:1] == b"<"
    if status == 407 or is_page or (status in {401, 403} and not is_own and not is_plain):
        words = f"something in front of the server refused this (HTTP {status})"
        return errors.RefusedInFront(words, status=status)
    if status < 400:
        return errors.BadAnswer(message, status=status)
    return _find_refusal_class(status, message)(message, status=status)


def _find_refusal_class(status: int, message: str) -> type[errors.PermanentError]:
    if status == 401 and not _ACCOUNT_OFF_PATTERN.search(message):
        return errors.CredentialExpired if "expire" in message.casefold() else errors.CredentialRefused
    if status == 402 or find_reason(message) in OWN_LIMITS:
        return errors.LimitReached
    kinds: dict[int, type[errors.PermanentError]] = {
        401: errors.Forbidden,
        403: errors.Forbidden,
        409: errors.Conflict,
        423: errors.Conflict,
    }
    return kinds.get(status, errors.InvalidRequest)


#: Matches messages about a problem with the account itself, such as "account disabled", which a new
#: credential wouldn't fix.
_ACCOUNT_OFF_PATTERN = re.compile(
    r"\b(user|account)\b.{0,20}\b(not active|inactive|suspended|deactivated|disabled|blocked|locked"
    r"|dormant|closed|terminated|banned|archived|awaiting approval|pending approval|not (yet )?approved)\b",
    re.IGNORECASE,
)


def _has_form(body: Mapping[str, Any], message_pointer: str, error_keys: Collection[str]) -> bool:
    """Return whether the body looks like one of the API's errors, even if its message is empty."""
    *outer, last = message_pointer.split("/")[1:]
    place = find_value(body, outer)
    if isinstance(place, list):
        return last.isdecimal() and int(last) < len(place)
    return isinstance(place, dict) and last in place and all(key in body for key in error_keys)


#: Maximum size, in bytes, of a response body that is treated as a plain-text message.
MAX_SENTENCE_BYTES = 2000


def _read_sentence(response: Response) -> str:
    kind, body = response.headers.get("Content-Type", ""), response.body.strip()
    if "html" in kind.casefold() or len(body) > MAX_SENTENCE_BYTES:
        return ""
    try:
        value = response.json()
    except errors.BadAnswer:
        value = "" if body[:1] in {b"<", b"{", b"["} else body.decode("utf-8", "replace")
    return cut_words(value) if isinstance(value, str) else ""


#: Maximum number of characters that ``clean`` keeps of a name sent by a server.
MAX_NAME_LENGTH = 250
#: Maximum length, in characters, of a percent-encoded id in a path.
MAX_ID_LENGTH = 1000
#: Timestamps above this value are read as milliseconds, all others as seconds. In milliseconds, this value is
#: a time in 1973. In seconds, it is a time in the year 5138, and later times count as missing.
_MIN_MILLISECONDS = 1e11
#: Earliest plausible time, in epoch seconds (1971).
_MIN_SECONDS = 31_536_000.0


def require_text(answer: Any, key: str, where: str = "") -> str:
    """Return a required, non-empty string; if it is missing, raise BadAnswer with ``where`` and ``key``."""
    value = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(value, str) or not value:
        raise errors.BadAnswer(f"the answer's field {where}{key} is not a text")
    return value


@lru_cache(maxsize=1000)
def log_oddity(problem: str) -> None:
    """Log an oddity in a response. ``problem`` names the field, but not its value."""
    log.warning("odd answer", problem=problem)


def find_text(answer: Mapping[str, Any], key: str, where: str = "") -> str | None:
    """Return an optional string, converting a number to text. Anything else counts as missing."""
    value = answer.get(key)
    if isinstance(value, str):
        return value or None
    # An integer may be too large to be converted to a float.
    if not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and isfinite(value))
    ):
        return str(value)
    if value is not None:
        log_oddity(f"{where}{key} is not a text")
    return None


@lru_cache(maxsize=16_384)
def encode_id(text: str) -> str:
    """Return an id percent-encoded for one path segment, or "" if the string can't be an id."""
    try:
        quoted = quote(text, safe="")
    except UnicodeEncodeError:
        return ""
    return "" if set(text) == {"."} or len(quoted) > MAX_ID_LENGTH else quoted


def require_id(answer: Any, key: str, where: str = "") -> str:
    """Return an id, which may be an integer; raise BadAnswer if it is missing or can't be used in a path."""
    value = answer.get(key) if isinstance(answer, Mapping) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not encode_id(value):
        raise errors.BadAnswer(f"the answer's field {where}{key} is no id")
    return value


#: Upper limit for a plausible amount. Values at or above it are treated as missing.
MAX_AMOUNT = 1e9


def find_amount(answer: Mapping[str, Any], key: str) -> float | None:
    """Return an amount, or None if it is missing or implausible."""
    value = answer.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MAX_AMOUNT else None


def find_account_id(answer: Mapping[str, Any], key: str = "id") -> str:
    """Return an account's id, or "" if there is none. An integer is converted to text."""
    value = answer.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""


def format_creation(value: Any) -> str:
    """Return an account's creation time as used in ``account_id``, or "" if the value isn't a time."""
    made_at = parse_time(value)
    return "" if made_at is None else f"created={made_at:.6f}"


def find_object(answer: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
    """Return a nested object, or an empty one if it is missing or isn't an object."""
    value = answer.get(key)
    if isinstance(value, Mapping):
        return value
    if value is not None:
        log_oddity(f"{where}{key} is not an object")
    return {}


def parse_time(value: Any, form: str = "") -> float | None:
    """Convert an ISO 8601 time, or a number of (milli)seconds, to epoch seconds; None for anything else.

    ``form`` is an additional format to try, in ``strptime`` notation. Servers represent a missing time as 0
    or as the year 1, 1970 or 9999, so times before 1971 or after 5138 count as missing.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = _parse_time(str(value), form)
    else:
        number = number / 1000.0 if number > _MIN_MILLISECONDS else number
    return number if _MIN_SECONDS <= number < _MIN_MILLISECONDS else None


def _parse_time(text: str, form: str) -> float:
    try:
        try:
            read = datetime.fromisoformat(text.strip().upper())
        except ValueError:
            read = datetime.strptime(text.strip(), form)  # noqa: DTZ007 - below
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def read_entries(pages: Iterable[Mapping[str, Any]], key: str, read: Callable[[Any], T | None]) -> Listing[T]:
    """Apply ``read`` to each entry of the list under ``key``. Leave out entries for which it returns None.

    If ``read`` raises BadAnswer or a page lacks the list, the problem is logged and the result is marked as
    incomplete. Raises BadAnswer if an incomplete list has no entries left, because it may not be empty.
    """
    found: list[T] = []
    problem: errors.BadAnswer | None = None
    for page in pages:
        values = page.get(key)
        if not isinstance(values, list):
            problem = errors.BadAnswer(f"the answer's field {key} is not a list")
            log_oddity(problem.message)
            continue
        for value in values:
            try:
                one = read(value)
            except errors.BadAnswer as error:
                problem = error
                log_oddity(f"an entry of {key}: {error.message}")
            else:
                found += [] if one is None else [one]
    is_whole = problem is None and getattr(pages, "is_whole", True)
    if not found and not is_whole:
        raise problem or errors.BadAnswer(f"the pages of {key} find no end")
    return Listing(found, is_whole=is_whole)


def require_object(answer: Any, key: str, where: str = "") -> dict[str, Any]:
    """Return a required object; raise BadAnswer if it is missing."""
    value = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(value, dict):
        raise errors.BadAnswer(f"the answer's field {where}{key} is not an object")
    return value
