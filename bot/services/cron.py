"""Cron expressions of five fields, as people write them; validated here, never run."""

from __future__ import annotations

import re
from typing import Final

#: Minute, hour, day of the month, month, day of the week: the smallest and largest number of each.
_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: The most days that each month can have.
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS: Final = frozenset(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])
_WORDS: Final = (frozenset[str](), frozenset[str](), frozenset[str](), frozenset(_MONTHS), _DAYS)
_PART: Final = re.compile(r"(?:\*|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/(\d{1,2}))?", re.IGNORECASE)


def is_cron(text: str) -> bool:
    """Say whether a text is a cron expression: five fields of numbers, names, ranges, lists and steps."""
    fields = text.split()
    return len(fields) == 5 and all(_is_field(field, place) for place, field in enumerate(fields))


def fires(cron: str) -> bool:
    """Say whether an expression can ever fire: if only days of the month are given, one of them must exist.

    If days of the week are given too, matching either is enough.
    """
    _minute, _hour, days, months, weekdays = cron.split()
    if weekdays[0] != "*":
        return True
    longest = max(_LONGEST[month - 1] for month in _numbers(months, 3))
    return min(_numbers(days, 2)) <= longest


def _numbers(field: str, place: int) -> set[int]:
    """Return the numbers that a field means."""
    least, greatest = _RANGES[place]
    named: set[int] = set()
    for part in field.casefold().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = least if first == "*" else _number(first)
        # A single number with a step runs to the end of its range.
        end = _number(last) if last else greatest if first == "*" or step else begin
        # Such as November to February: the range wraps around the end of the year.
        end += greatest if end < begin else 0
        named.update((number - 1) % greatest + 1 for number in range(begin, end + 1, int(step or 1)))
    return named


def _number(word: str) -> int:
    return int(word) if word.isdecimal() else _MONTHS.index(word) + 1


def looks_like_cron(text: str) -> bool:
    """Say whether a text was meant as a cron expression, valid or not: no name is five words like that."""
    return bool(re.fullmatch(r"[\d*/,a-zA-Z-]+(?:\s+[\d*/,a-zA-Z-]+){3,6}", text)) and any(
        character in text for character in "*0123456789"
    )


def _is_field(field: str, place: int) -> bool:
    return all(_is_part(part, place) for part in field.split(","))


def _is_part(part: str, place: int) -> bool:
    found = _PART.fullmatch(part)
    if found is None or (found[3] is not None and int(found[3]) == 0):
        return False
    parts = [value for value in (found[1], found[2]) if value is not None]
    numbers = [int(value) for value in parts if value.isdecimal()]
    least, greatest = _RANGES[place]
    words = [value.casefold() for value in parts if not value.isdecimal()]
    in_range = all(least <= number <= greatest for number in numbers)
    return in_range and set(words) <= _WORDS[place] and numbers == sorted(numbers)
