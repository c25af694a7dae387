"""Read values from responses.

A missing required value becomes BadAnswer naming the field. A malformed optional one is left out and
logged once. In a list, no entry hides another (``entries``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Any, TypeVar

import structlog

from bot.providers.contract import Listing
from bot.support.errors import BadAnswer
from bot.support.hiding import HIDDEN

log = structlog.get_logger(__name__)
T = TypeVar("T")

MAX_MESSAGE = 200
MAX_NAME = 250
#: A larger number of seconds is one of milliseconds: the year 5138, or 1973.
_MILLISECONDS = 1e11


def text_in(answer: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a required, non-empty string; raise BadAnswer naming ``where`` and ``key``."""
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"the answer's field {where}{key} is not a text")
    return value


@lru_cache(maxsize=1000)
def note(problem: str) -> None:
    """Log an oddity in a response, once; ``problem`` names the field and nothing of its value."""
    log.warning("odd answer", problem=problem)


def word_in(answer: Mapping[str, Any], key: str, where: str = "") -> str | None:
    """Return an optional string; a number counts as one, anything else as missing."""
    value = answer.get(key)
    if isinstance(value, str):
        return value or None
    # An integer may be larger than any finite float.
    if not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and isfinite(value))
    ):
        return str(value)
    if value is not None:
        note(f"{where}{key} is not a text")
    return None


def id_in(answer: Any, key: str, where: str = "") -> str:
    """Return an id, also if it is an integer; raise BadAnswer if there is none."""
    value = answer.get(key) if isinstance(answer, Mapping) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"the answer's field {where}{key} is no id")
    return value


def part_of(answer: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
    """Return a nested object; an empty one if it is missing or something else."""
    value = answer.get(key)
    if isinstance(value, Mapping):
        return value
    if value is not None:
        note(f"{where}{key} is not an object")
    return {}


def moment(value: Any) -> float | None:
    """Return a time in epoch seconds: ISO 8601, or a number of seconds or milliseconds; None otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return _iso(str(value))
    if number > _MILLISECONDS:
        number /= 1000.0
    return number if 0.0 < number < _MILLISECONDS else None


def _iso(text: str) -> float | None:
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def entries(pages: Iterable[Mapping[str, Any]], key: str, read: Callable[[Any], T | None]) -> Listing[T]:
    """Read the list under ``key`` entry by entry; ``read`` raises BadAnswer, or returns None to skip one.

    An entry that raises is left out and logged once, as is a page without the list, and then the list is not
    whole. If it contains nothing else, this raises too: nobody may take that for an empty list.
    """
    found: list[T] = []
    problem: BadAnswer | None = None
    for page in pages:
        values = page.get(key)
        if not isinstance(values, list):
            problem = BadAnswer(f"the answer's field {key} is not a list")
            note(problem.message)
            continue
        for value in values:
            try:
                one = read(value)
            except BadAnswer as error:
                problem = error
                note(f"an entry of {key}: {error.message}")
            else:
                found += [] if one is None else [one]
    is_whole = problem is None and getattr(pages, "is_whole", True)
    if not found and not is_whole:
        raise problem or BadAnswer(f"the pages of {key} find no end")
    return Listing(found, is_whole=is_whole)


def object_in(answer: Mapping[str, Any], key: str, where: str = "") -> dict[str, Any]:
    """Return a required object; raise BadAnswer if it isn't there."""
    value = answer.get(key)
    if not isinstance(value, dict):
        raise BadAnswer(f"the answer's field {where}{key} is not an object")
    return value


def clean(text: str, limit: int = MAX_MESSAGE, secrets: Iterable[str] = ()) -> str:
    """Return the text on one line without secrets and invisible characters, cut to ``limit`` characters."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    if text.isascii() and text.isprintable() and "  " not in text:
        line = text.strip()
        return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    # Format characters are kept inside emoji (the joiner); lone surrogates can't be stored.
    visible = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in text
        if letter == "\u200d" or unicodedata.category(letter) not in {"Cf", "Cs"}
    )
    line = re.sub(r"\s+", " ", visible).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
