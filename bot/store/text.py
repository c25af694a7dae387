"""Text and JSON in a form that every database accepts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum
from typing import Any


def clean(value: Any) -> Any:
    """Return a parameter as every engine stores it: enums as their values, booleans as 0 and 1.

    In text, NUL (PostgreSQL rejects it) and lone surrogates (not valid UTF-8) become U+FFFD.
    """
    if value is None or type(value) is float:
        return value
    if isinstance(value, Enum):
        value = value.value
    if not isinstance(value, str):
        return int(value) if isinstance(value, bool) else value
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def as_json(value: Any) -> str:
    """Return ASCII-only JSON; objects keep the order of their keys."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def from_json(text: str | None) -> Any:
    """Parse stored JSON; return None for None."""
    return None if text is None else json.loads(text)


def as_words(words: Iterable[str] | None) -> str | None:
    """Return words joined by spaces, equal sets always as the same text; None for None."""
    return None if words is None else " ".join(sorted(words))
