"""Cron expressions of five fields, as people write them; only looked at, never run here."""

from __future__ import annotations

import re
from typing import Final

#: Minute, hour, day of the month, month, day of the week: the least and the greatest number of each.
_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS: Final = frozenset(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
)
_DAYS: Final = frozenset(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])
_WORDS: Final = (frozenset[str](), frozenset[str](), frozenset[str](), _MONTHS, _DAYS)
_PART: Final = re.compile(r"(?:\*|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/(\d{1,2}))?", re.IGNORECASE)


def is_cron(text: str) -> bool:
    """Say whether a text is a cron expression: five fields of numbers, names, ranges, lists and steps."""
    fields = text.split()
    return len(fields) == 5 and all(_is_field(field, place) for place, field in enumerate(fields))


def looks_like_cron(text: str) -> bool:
    """Say whether somebody meant one, right or wrong: no name has five words of stars and digits."""
    return bool(re.fullmatch(r"[\d*/,a-zA-Z-]+(?:\s+[\d*/,a-zA-Z-]+){3,6}", text)) and any(
        character in text for character in "*0123456789"
    )


def _is_field(field: str, place: int) -> bool:
    return all(_is_part(part, place) for part in field.split(","))


def _is_part(part: str, place: int) -> bool:
    found = _PART.fullmatch(part)
    if found is None or (found[3] is not None and int(found[3]) == 0):
        return False
    told = [value for value in (found[1], found[2]) if value is not None]
    numbers = [int(value) for value in told if value.isdecimal()]
    least, greatest = _RANGES[place]
    words = [value.casefold() for value in told if not value.isdecimal()]
    in_range = all(least <= number <= greatest for number in numbers)
    return in_range and set(words) <= _WORDS[place] and numbers == sorted(numbers)
