"""Read the times that people type: ``until 18:00``, ``for 2h``, ``at 6 pm``, ``tomorrow 9:00``; pure.

A *length* counts from now (``2h``, ``90 min``, ``1h30``, ``half an hour``); a *time of day* is the next one
in the person's time zone. ``for`` and ``in`` announce a length, ``until``, ``till``, ``at`` and ``by`` a time
of day. Without such a word, ``17h`` is a time of day, and ``2h`` a length: an hour from 13 on is one of the
day.
"""

import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.timers import MORE_SECONDS

Kind = Literal["", "length", "time"]
Why = Literal["unreadable", "no_time", "ambiguous", "past", "soon", "far"]

#: The farthest moment that is accepted: two weeks. Anything later is a schedule, or a typo.
FARTHEST_SECONDS: Final = 14 * 86_400.0

#: The words that announce a time, and what follows them.
LEADS: Final[Mapping[str, Kind]] = {
    "for": "length",
    "in": "length",
    "after": "length",
    "until": "time",
    "till": "time",
    "til": "time",
    "'til": "time",
    "at": "time",
    "by": "time",
}
#: Words for a length that counts from a planned end, and those that mean an hour with it.
_LONGER: Final = frozenset({"longer", "more", "another", "extra", "additional", "further"})
_SOME: Final = frozenset({"time", "a", "bit", "little", "some", "while"})
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_NUMBERS: Final = {"a": "1", "an": "1"} | {
    word: str(number)
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        start=1,
    )
}
_NUMBER: Final = r"([0-9]{1,4}(?:[.,][0-9]{1,2})?)"
_UNITS: Final = {"d": 86_400.0, "h": 3_600.0, "m": 60.0}
_WEEKS, _DAYS, _HOURS, _MINUTES = (
    r" ?w(?:(?:ee)?ks?)?",
    r" ?d(?:ays?)?",
    r" ?h(?:(?:ou)?rs?)?",
    r" ?m(?:in(?:ute)?s?)?",
)
#: In this order; minutes need no unit after hours: ``1h30``.
_LENGTH: Final = re.compile(
    rf"(?:{_NUMBER}{_WEEKS}(?: and)?)? ?(?:{_NUMBER}{_DAYS}(?: and)?)? ?"
    rf"(?:{_NUMBER}{_HOURS}(?: and)? ?(?:([0-5]?[0-9])(?:{_MINUTES})?)?"
    rf"|{_NUMBER}{_MINUTES})?"
)
#: ``1 hour and a half``, ``2 and a half hours`` and ``half an hour``; number words are digits by then.
_AND_A_HALF: Final = re.compile(rf"{_NUMBER} ?(?:(d|h)[a-z]* and 1 half|and 1 half (d|h)[a-z]*)")
_HALF: Final = re.compile(r"half(?: 1)? (d|h)(?:ay|our)")
_CLOCK: Final = re.compile(r"([0-9]{1,2})(?: ?[:.h] ?([0-5][0-9]))?(?: ?(am|pm|h|o'clock))?")
_DIGITS: Final = re.compile(r"([0-9]{2})([0-5][0-9])")
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAMED_TIMES: Final = {"noon": 12, "midday": 12, "midnight": 0}
#: A time has at most this many characters, and this many words.
_LONGEST: Final = 60
_MOST_WORDS: Final = 16
#: From this hour on, a number is an hour of the day in any country.
_AFTERNOON: Final = 13


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold a future moment, in epoch seconds.

    ``seconds`` is the length, if one was given. ``is_next_day``: only a time of day was given, and the next
    one isn't today; whoever acts on it must say so. ``is_shifted``: the clocks skip that time on that day, so
    the moment is as long after the change as the time given is after the skipped hour's beginning.
    """

    at: float
    seconds: float | None = None
    is_next_day: bool = False
    is_shifted: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """Say why a text names no usable moment; ``options`` are readable texts, one of which may be meant."""

    why: Why
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Hold a time at the end of a command: the word that announces it, and all of it, for ``read``.

    ``lead`` is empty for a length that nothing announces. ``is_within``: words follow it.
    """

    lead: str
    text: str
    is_within: bool = False


@dataclass(frozen=True, slots=True)
class _Time:
    """Hold a time of day as it was typed; ``is_open``: the hour is one of twelve, and which is not said."""

    hour: int
    minute: int = 0
    is_open: bool = False
    day: str = ""
    #: Other readings of the same text, if it has any.
    options: tuple[str, ...] = ()


def zone_of(name: str | None) -> ZoneInfo:
    """Return a person's time zone; UTC if Slack gives none that is known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def read(text: str, zone: ZoneInfo, now: float, *, kind: Kind = "", soonest: float = 0.0) -> Moment | Unread:
    """Return the moment that a text names, later than ``now``, or why there is none; never raises.

    ``kind`` is what a text without a word such as ``until`` most likely is. A moment less than ``soonest``
    seconds ahead is refused.
    """
    found = _parsed(text, kind)
    if isinstance(found, Unread):
        return found
    if isinstance(found, float):
        moment: Moment | Unread = Moment(now + found, seconds=found)
    else:
        moment = _resolved(found, zone, now)
    if isinstance(moment, Unread):
        return moment
    if moment.at <= now or moment.at - now < soonest:
        return Unread("soon")
    return Unread("far") if moment.at - now > FARTHEST_SECONDS else moment


def split(words: Sequence[str], besides: Container[int] = ()) -> tuple[tuple[str, ...], Phrase | None]:
    """Split the first time off a request's words: ``stop at 6pm notebook``; ``besides`` are places of names.

    It begins with a word such as ``until`` or ``for``, or with a day; or it is a few words that can hardly be
    anything else: ``6pm``, ``18:00``, ``2h``, ``90 min``. Anything else is part of a name.
    """
    for at, word in enumerate(words):
        lead = word.casefold()
        is_announced = lead in LEADS or is_day(lead)
        if at in besides or not (is_announced or _begins_a_time(lead)):
            continue
        for end in range(min(len(words), at + _MOST_WORDS), at + is_announced, -1):
            if any(place in besides for place in range(at, end)):
                continue
            found = _parsed(" ".join(words[at:end]), "")
            if _is_time(found) if is_announced else not isinstance(found, Unread):
                lead = lead if lead in LEADS else "" if isinstance(found, float) else "at"
                is_within = end < len(words)
                return (*words[:at], *words[end:]), Phrase(lead, " ".join(words[at:end]), is_within)
    return tuple(words), None


def _begins_a_time(word: str) -> bool:
    return word[:1].isdigit() or word in _NUMBERS or word == "half"


def longer(words: Sequence[str]) -> tuple[tuple[str, ...], float] | None:
    """Split how much longer off a command's words: ``another hour``, ``30 min more``, ``longer`` (an hour).

    Return the other words and the seconds; None if nothing says *longer*.
    """
    folded = [word.casefold().strip(".,;:!?") for word in words]
    if not _LONGER.intersection(folded):
        return None
    for at in range(len(words)):
        for end in range(min(len(words), at + _MOST_WORDS), at, -1):
            seconds = _more(folded[at:end])
            if seconds is not None:
                return (*words[:at], *words[end:]), seconds
    return None


def _more(words: Sequence[str]) -> float | None:
    """Return how much longer words mean, if they mean nothing else."""
    length = [word for word in words if word not in _LONGER and word not in {"by", "for"}]
    if not _LONGER.intersection(words):
        return None
    if set(length) <= _SOME:
        return MORE_SECONDS if length or "longer" in words else None
    return _length(" ".join(length)) or _length(f"1 {' '.join(length)}")


def _is_time(found: float | _Time | Unread) -> bool:
    return not isinstance(found, Unread) or found.why == "ambiguous"


def _parsed(text: str, kind: Kind) -> float | _Time | Unread:
    """Parse a text, whenever it is: a length in seconds, or a time of day."""
    if len(text) > _LONGEST:
        return Unread("unreadable")
    plain = " ".join(text.casefold().replace("\u2019", "'").split())
    plain = re.sub(r"\b([ap])\.?m\b\.?", r"\1m", plain).rstrip(" .,;!?")
    while (first := plain.partition(" "))[0] in LEADS and first[2]:
        plain, kind = first[2], LEADS[first[0]]
    if not plain:
        return Unread("unreadable")
    if kind == "length":
        seconds = _length(plain)
        return seconds if seconds is not None else Unread("unreadable")
    time = _time(plain, is_announced=kind == "time")
    if isinstance(time, Unread) and time.why == "unreadable":
        seconds = _length(plain)
        return seconds if seconds is not None else time
    return time


def _length(text: str) -> float | None:
    """Return how many seconds a length has."""
    plain = " ".join(_NUMBERS.get(word, word) for word in text.split())
    if half := _HALF.fullmatch(plain):
        return _UNITS[half[1]] / 2
    if more := _AND_A_HALF.fullmatch(plain):
        return (_decimal(more[1]) + 0.5) * _UNITS[more[2] or more[3]]
    found = _LENGTH.fullmatch(plain)
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, minutes, only_minutes = (_decimal(number) for number in found.groups())
    return (weeks * 7 + days) * 86_400.0 + hours * 3_600.0 + (minutes + only_minutes) * 60.0


def _decimal(text: str | None) -> float:
    return float((text or "0").replace(",", "."))


def _time(text: str, *, is_announced: bool) -> _Time | Unread:
    """Return the time of day that a text names, with its day; the day may come first or last."""
    words = text.removeprefix("on ").split()
    for at in (0, -1):
        if not is_day(words[at]):
            continue
        day = words.pop(at)
        rest = " ".join(words).removeprefix("at ").removesuffix(" on").strip()
        time = _clock(rest, is_announced=True) if rest else Unread("no_time")
        return time if isinstance(time, Unread) else _on(time, day)
    return _clock(text, is_announced=is_announced)


def _on(time: _Time, day: str) -> _Time | Unread:
    if time.options:
        # With a day, `2h` can only be a time.
        return _Time(time.hour, time.minute, day=day)
    if not time.is_open:
        return _Time(time.hour, time.minute, day=day)
    if day == "tonight":
        return _Time(time.hour % 12 + 12, time.minute, day=day)
    return Unread("ambiguous", tuple(f"{day} {hour:02d}:{time.minute:02d}" for hour in _halves(time.hour)))


def _halves(hour: int) -> tuple[int, int]:
    return hour % 12, hour % 12 + 12


def day_of(text: str, today: date) -> date | None:
    """Return the day that a text names, from ``today`` on: a date, ``12 February``, ``Feb 12``, a weekday."""
    words = text.casefold().replace(",", " ").replace(".", " ").split()
    if len(words) == 1 and is_day(words[0]):
        weekday = _weekday(words[0])
        if weekday is not None:
            return today + timedelta(days=(weekday - today.weekday()) % 7)
        return (
            date.fromisoformat(words[0])
            if words[0][0].isdigit()
            else today + timedelta(days=words[0] == "tomorrow")
        )
    numbers = [re.sub(r"(?<=\d)(st|nd|rd|th)$", "", word) for word in words if word[0].isdigit()]
    months = [
        at for word in words for at, name in enumerate(_MONTHS, 1) if len(word) > 2 and name.startswith(word)
    ]
    if len(months) != 1 or len(numbers) != len(words) - 1 or not all(map(str.isdecimal, numbers)):
        return None
    years = [int(one) for one in numbers[1:]] or [today.year, today.year + 1]
    found = (_date(year, months[0], int(numbers[0])) for year in years) if numbers else ()
    return next((day for day in found if day is not None and day >= today), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def is_day(word: str) -> bool:
    """Return whether a word names a day: ``tomorrow``, a weekday, or a date."""
    is_named = word in {"today", "tonight", "tomorrow"} or _weekday(word) is not None
    return is_named or bool(_ISO_DATE.fullmatch(word))


def _weekday(word: str) -> int | None:
    """Return the number of a weekday, given in full or by its first three or four letters."""
    is_long = len(word) in {3, 4}
    return next(
        (at for at, day in enumerate(_WEEKDAYS) if word == day or (is_long and day.startswith(word))), None
    )


def _clock(text: str, *, is_announced: bool) -> _Time | Unread:
    """Return a time of day; unless it is announced as one, it needs a minute, am or pm, or a name."""
    if text in _NAMED_TIMES:
        return _Time(_NAMED_TIMES[text])
    if is_announced and (four := _DIGITS.fullmatch(text)):
        return _Time(int(four[1]), int(four[2])) if int(four[1]) < 24 else Unread("unreadable")
    found = _CLOCK.fullmatch(text)
    if found is None:
        return Unread("unreadable")
    hour, minute, mark = int(found[1]), int(found[2] or 0), found[3] or ""
    is_of_twelve = mark in {"am", "pm"}
    if hour > 24 or (hour == 24 and minute) or (is_of_twelve and not 1 <= hour <= 12):
        return Unread("unreadable")
    if is_of_twelve:
        return _Time(hour % 12 + (12 if mark == "pm" else 0), minute)
    is_bare, has_h = found[2] is None, "h" in text.removesuffix("o'clock")
    if not is_announced and ((is_bare and not mark) or (has_h and hour < _AFTERNOON)):
        # A number alone isn't a time, and lengths are written like this, too.
        return Unread("unreadable")
    if is_bare and has_h and 0 < hour < _AFTERNOON:
        return _Time(hour, minute, options=(f"for {hour}h", f"at {hour:02d}:00"))
    return _Time(hour % 24, minute, is_open=is_bare and 1 <= hour <= 12)


def _resolved(time: _Time, zone: ZoneInfo, now: float) -> Moment | Unread:
    """Return the next such moment in a zone."""
    if time.options:
        return Unread("ambiguous", time.options)
    today = datetime.fromtimestamp(now, zone).date()
    if time.day:
        return _on_day(time, zone, now, today)
    hours = _halves(time.hour) if time.is_open else (time.hour,)
    # Two days are enough: a time that the clocks skip today is shifted, not lost.
    days = (today, today + timedelta(days=1))
    found = [_moment(day, hour, time.minute, zone, now) for day in days for hour in hours]
    moment = min((one for one in found if one.at > now), key=lambda one: one.at)
    is_next_day = datetime.fromtimestamp(moment.at, zone).date() > today
    return Moment(moment.at, is_next_day=is_next_day, is_shifted=moment.is_shifted)


def _on_day(time: _Time, zone: ZoneInfo, now: float, today: date) -> Moment | Unread:
    weekday = _weekday(time.day)
    if time.day in {"today", "tonight"}:
        # Midnight tonight is where the day ends.
        day = today + timedelta(days=1 if time.day == "tonight" and time.hour == 0 else 0)
    elif time.day == "tomorrow":
        day = today + timedelta(days=1)
    elif weekday is not None:
        day = today + timedelta(days=(weekday - today.weekday()) % 7)
        if _moment(day, time.hour, time.minute, zone, now).at <= now:
            day += timedelta(days=7)
    else:
        try:
            day = date.fromisoformat(time.day)
        except ValueError:
            return Unread("unreadable")
    if not 0 <= (day - today).days <= FARTHEST_SECONDS / 86_400.0 + 1:
        return Unread("past" if day < today else "far")
    moment = _moment(day, time.hour, time.minute, zone, now)
    return moment if moment.at > now else Unread("past")


def _moment(day: date, hour: int, minute: int, zone: ZoneInfo, now: float) -> Moment:
    """Return a time of a day: of a time that occurs twice, the next one."""
    at = instant(day, hour * 60 + minute, zone, now)
    shown = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return Moment(at, is_shifted=(shown.hour, shown.minute) != (hour, minute))


def instant(day: date, minute: int, zone: ZoneInfo, after: float = -math.inf) -> float:
    """Return when the clocks of a zone show a minute of a day, counted from midnight; it may be the next day.

    What they skip is as much later. What they show twice is the first time, unless that isn't later than
    ``after`` and the second is.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    first, second = (local.replace(fold=fold).timestamp() for fold in (0, 1))
    return second if first <= after < second else first


def minute_of(text: str) -> tuple[int, bool] | None:
    """Return the minute of the day that a text names, and whether it may mean 12 hours later; else None."""
    found = _parsed(text, "time")
    if not isinstance(found, _Time) or found.day or found.options:
        return None
    return found.hour * 60 + found.minute, found.is_open


#: A time of day that may be one of each half.
_OF_TWELVE: Final = re.compile(r"(?:[1-9]|1[0-2])(?:[:.][0-5][0-9])?")
_HALF_A_DAY: Final = 720


def instead(text: str, last: float, zone: ZoneInfo, now: float) -> float | None:
    """Return what a text makes of a moment: another time, *am* or *pm*, another day; None for anything else.

    A time that may be one of each half of a day is the one that is nearer to that moment.
    """
    local, today = datetime.fromtimestamp(last, zone), datetime.fromtimestamp(now, zone).date()
    minutes, ahead, near = [local.hour * 60 + local.minute], (-1, 0, 1), last
    found, day = minute_of(text), local.date()
    if is_day(text):
        day, ahead = day_of(text.replace("tonight", "today"), today) or day, (0, 0, 0)
    elif text in {"am", "pm"}:
        # On the same day, or else on the next.
        minutes, ahead, near = [minutes[0] % _HALF_A_DAY + _HALF_A_DAY * (text == "pm")], (0, 1, 1), now
    elif found is not None:
        is_open = bool(_OF_TWELVE.fullmatch(text))
        minutes = [found[0], (found[0] + _HALF_A_DAY) % (2 * _HALF_A_DAY)] if is_open else [found[0]]
    else:
        return None
    ats = [instant(day + timedelta(days=days), minute, zone) for days in ahead for minute in minutes]
    return min((at for at in ats if at > now), key=lambda at: abs(at - near), default=None)


def written(at: float, zone: ZoneInfo, now: float) -> str:
    """Return a moment of the coming days as it is typed, to the minute after it: ``tomorrow 18:00``."""
    local = datetime.fromtimestamp(math.ceil(at / 60.0) * 60.0, zone)
    ahead = (local.date() - datetime.fromtimestamp(now, zone).date()).days
    named = {0: "today", 1: "tomorrow"} | {days: _WEEKDAYS[local.weekday()] for days in range(2, 7)}
    return f"{named.get(ahead) or local.date()} {local:%H:%M}"
