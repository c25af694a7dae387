"""Working hours as people write them: the days, and the times at which they begin and end. Pure functions.

Hours recur only if a word says so (``is_recurring``) or weekdays are listed. An hour without am or pm is read
on the 24-hour clock, with three exceptions: the end has am or pm, the hours would end before they begin, or
they would begin before six in the morning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.time_parsing.days import (
    DAYS,
    EVERY_DAY,
    WEEKDAYS,
    WEEKEND,
    days_of,
    is_day,
    resolve_day,
    span_weekdays,
    write_day,
)
from bot.domain.time_parsing.moments import TimeOfDay, parse, time_kind
from bot.domain.time_parsing.words import PARTS, SaidZone, normalize_word, spell, split_zone

DAY_MINUTES: Final = 24 * 60
#: Minimum length of working hours, in minutes.
LEAST_MINUTES: Final = 30
#: Maps plural words such as *mornings* to the singular. A plural always makes the hours recur. A singular
#: makes them recur only after *every*.
_PLURAL_PARTS: Final = {**{f"{part}s": part for part in PARTS}, "nightly": "night"}
_RECURRING_WORDS: Final = {*_PLURAL_PARTS, "daily", "weekly", "hourly", "monthly", "weekdays", "weekends"}
#: Words that turn a weekday into a single day (*this Monday*). A string with one of them isn't read as hours,
#: because hours on weekdays recur.
SINGLE_WORDS: Final = frozenset({"this", "coming", "next"})
_UNITS: Final = frozenset({"week", "hour", "month", "minute", "weekend"})
#: Words that may appear between days and times.
_JOINING_WORDS: Final = frozenset({"every", "on", "from", "at", "and", "the", "in"})
_TO: Final = frozenset({"to", "-", "through", "thru"})
_UNTIL: Final = re.compile(r" ?(?:-|\b(?:to|until|till)\b) ?")
_MAX_CHARACTERS: Final = 100
_HALF_DAY: Final = DAY_MINUTES // 2
#: Working hours typed without am or pm are taken to begin in the afternoon if they would otherwise begin
#: before this minute of the day.
_EARLIEST_MINUTE: Final = 6 * 60
#: Matches the five fields of a cron schedule, and its short forms such as ``@daily``.
_CRON: Final = re.compile(r"(?:[\d*][\d*/,-]*\s+){4}[\w*][\w*/,-]*|@(?:hourly|daily|weekly|monthly|yearly)")
#: Words that introduce the time at which something should begin.
_BEGINNING_LEADS: Final = frozenset({"at", "in", "on", "by", "after", "from"})
_SCHEDULE_WORDS: Final = frozenset(
    {*_RECURRING_WORDS, *PARTS, *_UNITS, *_JOINING_WORDS, *_TO, "noon", "midnight", "am", "pm", "o'clock"}
    | {"half", "quarter", "past", "other", "second", "until", "till", "of", "first", "last"}
)


class Wanted(NamedTuple):
    """The working hours that a user asked for: the days, and the times as minutes since midnight.

    The days are names of weekdays, or dates. ``today``, ``tomorrow`` and ``7dec`` are kept as words until
    ``on`` replaces them with dates. ``zone`` is the zone written next to the times, or "" for the user's own.
    """

    days: frozenset[str]
    starts: int | None = None
    stops: int | None = None
    zone: str = ""

    def on(self, today: date) -> Wanted:
        """Return the hours with dates instead of words such as ``today``. All dates are from ``today`` on."""
        dated = {
            day: found[0].isoformat() for day in self.days - EVERY_DAY if (found := resolve_day(day, today))
        }
        return self._replace(days=frozenset(dated.get(day, day) for day in self.days))

    def contradicts(self, other: Wanted) -> bool:
        """Return whether both sets of hours plan a start, or both plan a stop, on the same day."""
        pairs = ((self.starts, other.starts), (self.stops, other.stops))
        return bool(self.days & other.days) and any(None not in pair for pair in pairs)

    def without(self, others: Iterable[Wanted]) -> Wanted:
        """If these hours only plan stops, leave out the days on which other hours begin at that time."""
        if self.starts is not None:
            return self
        same = (one.days for one in others if (one.starts, one.zone) == (self.stops, self.zone))
        return self._replace(days=self.days.difference(*same))


def is_recurring(words: Sequence[str]) -> bool:
    """Return whether words such as ``every day``, ``daily`` or ``mondays`` say that something recurs."""
    read = [normalize_word(word) for word in words]
    return any(
        word in _RECURRING_WORDS or (word.endswith("days") and is_day(word[:-1])) for word in read
    ) or any(
        first == "every" and (then in {*_UNITS, *PARTS} or then[:1].isdigit() or bool(days_of(then)))
        for first, then in pairwise(read)
    )


def read_hours(text: str) -> Wanted | None:
    """Return the hours that a string names, such as ``weekdays 9:00-18:00`` and ``mon -20:00``, or None."""
    hours, said = _parse(text)
    zone = "" if said is None else _find_key(said)
    return None if hours is None or zone is None else hours._replace(zone=zone)


def list_zone_readings(text: str) -> tuple[str, ...]:
    """If a text's zone is ambiguous, return the text once for each possible zone.

    The possible zone takes the place of the ambiguous one, such as *IST*. Return an empty tuple if the zone
    isn't ambiguous.
    """
    hours, said = _parse(text)
    zones = said.zones if hours and said else ()
    return tuple(f"{split_zone(text)[0]} {zone}" for zone in zones) if len(zones) > 1 else ()


def has_odd_offset(text: str) -> bool:
    """Return whether the hours' UTC offset belongs to no named zone, as in ``9:00-17:00 +05:30``."""
    hours, said = _parse(text)
    return hours is not None and said is not None and len(said.zones) == 1 and _find_key(said) is None


def _find_key(said: SaidZone) -> str | None:
    """Return the name of a zone in the zone data, or None if there is no such zone or there are several."""
    if len(said.zones) != 1:
        return None
    (zone,) = said.zones
    if isinstance(zone, ZoneInfo):
        return zone.key
    hours, rest = divmod(zone.utcoffset(None) or timedelta(), timedelta(hours=1))
    # The sign in these names is reversed: Etc/GMT-2 is UTC+2.
    return None if rest else f"Etc/GMT{-hours:+d}" if hours else "UTC"


def _parse(text: str) -> tuple[Wanted | None, SaidZone | None]:
    """Parse a string into hours without their zone, and the zone."""
    if len(text) > _MAX_CHARACTERS:
        return None, None
    plain, said = split_zone(text)
    words = [normalize_word(word.strip(",")) for word in plain.split()]
    if any(first in SINGLE_WORDS and days_of(then) for first, then in pairwise(words)):
        return None, said
    plain = re.sub(r"\bduring (?:the )?week\b", "weekdays", plain)
    plain = re.sub(r"\bbetween (.+?) and ", r"\1 to ", plain)
    return _read(spell(re.sub(r"[,&](?! ?[0-9]{4}\b(?!-))", " ", plain)).split()), said


def _read(words: list[str]) -> Wanted | None:
    if "except" in words:
        at = words.index("except")
        left_out = frozenset[str]().union(*map(days_of, words[at:]))
        found = _read([*words[:at], *(word for word in words[at + 1 :] if not days_of(word))])
        return found._replace(days=found.days - left_out) if found and found.days > left_out else None
    if any(first[:1].isdigit() and then in {*_UNITS, "day"} for first, then in pairwise(words)):
        return None  # A number of days or hours, as in ``every 2 days``.
    is_daily = any(first == "every" and then in PARTS for first, then in pairwise(words))
    is_daily = is_daily or not _PLURAL_PARTS.keys().isdisjoint(words)
    # In `every monday until friday`, Friday is an end date, so "until" doesn't join a span of weekdays here.
    joining = _TO if "every" in words else _TO | {"until", "till"}
    words = [_PLURAL_PARTS.get(word, word) for word in words if word not in _JOINING_WORDS]
    begin = next((at for at, word in enumerate(words) if days_of(word)), len(words))
    end, days = begin, frozenset[str]()
    while end < len(words) and (named := days_of(words[end])):
        days, end = days | named, end + 1
        is_span = len(named) == 1 and len(words) > end + 1 and words[end] in joining
        if is_span and (last := days_of(words[end + 1])):
            days, end = days | span_weekdays(named, last), end + 2
    # The days must be next to each other, and must all be weekdays or all be dates.
    if any(map(days_of, words[end:])) or not (days or is_daily) or (days & EVERY_DAY and days - EVERY_DAY):
        return None
    times = " ".join([*words[:begin], *words[end:]])
    ends = next(filter(None, map(_read_ends, _list_possible_start_ends(times))), None)
    return None if ends is None else Wanted(days or EVERY_DAY, *ends)


def _list_possible_start_ends(text: str) -> Iterator[tuple[str, str]]:
    """Yield each pair of start and end that a string with times may mean. A missing start or end is ""."""
    for found in _UNTIL.finditer(text):
        before, after = text[: found.start()], text[found.end() :]
        if after:
            # `every evening until 10`
            yield ("", f"{before} {after}") if before in PARTS else (before, after)
    yield text, ""


def _read_ends(ends: tuple[str, str]) -> tuple[int | None, int | None] | None:
    """Return a start and an end as minutes of the day, or None if they can't be working hours."""
    begin, end = map(_read_clock, ends)
    if (ends[0] and not begin) or (ends[1] and not end):
        return None
    if begin and end:
        starts, stops = _choose_halves(begin, end)
        return (starts, stops) if (stops - starts) % DAY_MINUTES >= LEAST_MINUTES else None
    if end:
        return None, end.minutes or DAY_MINUTES  # Midnight is the end of the day here.
    return (begin.minutes, None) if begin else None


def _read_clock(text: str) -> TimeOfDay | None:
    """Return a string as a time of day, or None if it isn't one or contains anything else."""
    found = parse(text, "time")
    if isinstance(found, TimeOfDay) and not (found.day or found.options or found.zone):
        return found
    return None


def _choose_halves(begin: TimeOfDay, end: TimeOfDay) -> tuple[int, int]:
    """Return a start and an end in minutes. An am or pm at one of them may decide the other."""
    starts, stops = begin.minutes, end.minutes
    if begin.is_open and end.part:
        either = (starts % _HALF_DAY, starts % _HALF_DAY + _HALF_DAY)
        lasting = {minute: (stops - minute) % DAY_MINUTES for minute in either}
        starts = min((one for one in either if lasting[one] >= LEAST_MINUTES), key=lasting.__getitem__)
    elif (end.is_open or (begin.is_open and end.is_twelve)) and stops <= starts < stops + _HALF_DAY:
        stops = (stops + _HALF_DAY) % DAY_MINUTES
    elif begin.is_open and (end.is_open or end.is_twelve) and starts < _EARLIEST_MINUTE:
        # `from 1 till 3:30` means the afternoon, because people who mean the night say so.
        starts, stops = starts + _HALF_DAY, (stops + _HALF_DAY) % DAY_MINUTES
    return starts, stops


def is_schedule(text: str) -> bool:
    """Return whether a string only says when something should happen, either once or repeatedly."""
    if len(text) > _MAX_CHARACTERS:
        return False
    first = text.casefold().partition(" ")[0]
    is_led = first in _BEGINNING_LEADS or bool(days_of(first))
    if _CRON.fullmatch(text.casefold()) or read_hours(text) or (is_led and time_kind(text)):
        return True
    words = spell(text).split()
    is_said = all(word[:1].isdigit() or word in _SCHEDULE_WORDS or bool(days_of(word)) for word in words)
    return is_said and is_recurring(words)


def clock(minute: int | None) -> str:
    """Format a minute of the day as ``HH:MM``, or return "" for None."""
    return "" if minute is None else f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def write_hours(hours: Wanted) -> str:
    """Format working hours as text that ``read_hours`` can parse."""
    until = "" if hours.stops is None else f"-{clock(hours.stops)}"
    names = {WEEKDAYS: "weekdays", WEEKEND: "weekends", EVERY_DAY: "daily"}
    in_order = [*(day for day in DAYS if day in hours.days), *map(write_day, sorted(hours.days - EVERY_DAY))]
    zone = f" {hours.zone}" if hours.zone else ""
    return f"{names.get(hours.days) or ','.join(in_order)} {clock(hours.starts)}{until}{zone}"
