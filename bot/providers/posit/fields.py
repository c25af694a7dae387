"""Take values out of Workbench's answers, more leniently than the promises: only what is required is missed.

Fields that the reference does not call required may be absent or null; a wrong type is named all the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bot.errors import BadAnswer, NotFound

T = TypeVar("T")

#: Ids are joined by commas in a request, so that nothing but these may stand in one.
_SESSION_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")
_JOB_ID = re.compile(r"[0-9A-Za-z_.:+/=@-]{1,200}")


def session_id(text: str) -> str:
    """Return a session's id; raise NotFound for what can be none."""
    if not _SESSION_ID.fullmatch(text):
        raise NotFound("there is no such session")
    return text


def job_id(text: str) -> str:
    """Return a job's id; raise NotFound for what can be none."""
    if not _JOB_ID.fullmatch(text) or set(text) == {"."}:
        raise NotFound("there is no such job")
    return text


def is_session_id(text: str) -> bool:
    """Say whether a text may be a session's id."""
    return _SESSION_ID.fullmatch(text) is not None


def word_in(answer: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a text, "" where it is absent, null or empty; numbers count as texts (versions, codes)."""
    value = answer.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise BadAnswer(f"the answer's field {where}{key} is not a text")


def required_word_in(answer: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a text that must be there; it may be empty."""
    if answer.get(key) is None:
        raise BadAnswer(f"the answer's field {where}{key} is missing")
    return word_in(answer, key, where)


def words_in(answer: Mapping[str, Any], key: str, where: str = "", *, names: str = "name") -> tuple[str, ...]:
    """Return a list of texts, empty where it is absent; an object stands for its field ``names``."""
    found = []
    for number, entry in enumerate(_list(answer, key, where)):
        value = entry.get(names) if isinstance(entry, dict) else entry
        if not isinstance(value, str):
            raise BadAnswer(f"the answer's field {where}{key}[{number}] is not a text")
        if value:
            found.append(value)
    return tuple(found)


def number_in(answer: Mapping[str, Any], key: str, where: str = "") -> float | None:
    """Return a number, also where it is written as a text; None where it is absent or not finite."""
    value = answer.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise BadAnswer(f"the answer's field {where}{key} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise BadAnswer(f"the answer's field {where}{key} is not a number") from None
    return number if math.isfinite(number) else None


def whole_in(answer: Mapping[str, Any], key: str, where: str = "") -> int | None:
    """Return a whole number, None where it is absent."""
    number = number_in(answer, key, where)
    return None if number is None else int(number)


def flag_in(answer: Mapping[str, Any], key: str) -> bool | None:
    """Return true or false, and None for everything else."""
    value = answer.get(key)
    return value if isinstance(value, bool) else None


def entries_in(
    answer: Mapping[str, Any], key: str, reader: Callable[[Mapping[str, Any], str], T], where: str = ""
) -> tuple[T, ...]:
    """Read a list of objects one by one, empty where it is absent; ``reader`` is told where it reads."""
    return tuple(
        reader(an_object(entry, f"{where}{key}[{number}]"), f"{where}{key}[{number}].")
        for number, entry in enumerate(_list(answer, key, where))
    )


def an_object(value: Any, name: str) -> dict[str, Any]:
    """Return an object; raise BadAnswer naming the field that is none."""
    if not isinstance(value, dict):
        raise BadAnswer(f"the answer's field {name} is not an object")
    return value


def epoch(moment: str) -> float | None:
    """Return the epoch seconds of an ISO 8601 time, None for what is none."""
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return read.timestamp() if read.tzinfo is not None else None


def _list(answer: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = answer.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadAnswer(f"the answer's field {where}{key} is not a list")
    return value
