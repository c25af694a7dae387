"""Times and durations as people type them: ``until 18:00``, ``for 2h``, ``um 18 Uhr``. Pure functions.

A duration (``2h``, ``90 min``, ``1h30``, ``half an hour``) is called a *length* in the code, and counts from
now. A time of day means the next moment at which clocks in the user's time zone show that time. ``for`` and
``in`` introduce a duration, while ``until``, ``till``, ``at`` and ``by`` introduce a time of day. Without
such a word, hours of 13 or more (``17h``) are read as a time of day, and fewer (``2h``) as a duration,
because 13 is the first hour that a 12-hour clock doesn't show. Machine formats such as
``2027-01-15T18:00:00+00:00`` and ``PT2H`` are accepted. A time zone written next to a time applies to that
time. Past times are refused, and so are ambiguous ones, because Usher doesn't guess.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import product
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.time_parsing.days import (
    find_weekday,
    is_day,
    parse_day,
    resolve_day,
    resolve_instant,
    write_day,
)
from bot.domain.time_parsing.words import LEADS, Kind, SaidZone, spell_clock, split_zone

Why = Literal["unreadable", "no_time", "ambiguous", "past", "soon", "far", "other_weekday"]

#: How far ahead a time may be, in seconds (two weeks). Anything later is probably a typo or belongs in a
#: schedule.
FARTHEST_SECONDS: Final = 14 * 86_400.0

_NIGHT: Final = (*range(17, 24), *range(5))
#: Maps each part of the day to its hours. Night runs past midnight.
_PARTS: Final = {
    "morning": range(12),
    "afternoon": range(12, 19),
    "evening": range(16, 24),
    "night": _NIGHT,
    "tonight": _NIGHT,
    "lunch": range(11, 15),
}
_NIGHT_ENDS: Final = 5
#: Maps phrases for the end of a day to the times that people may mean by them.
_ENDS: Final = {"eod": ("17:00", "18:00"), "all_day": ("18:00", "24:00")}
_NUMBER: Final = r"([0-9]{1,4}(?:[.,][0-9]{1,2})?)"
#: Matches a duration in weeks, days, hours, minutes and seconds, in that order. Minutes that follow hours
#: need no unit: ``1h30``.
_LENGTH: Final = (
    rf"(?:{_NUMBER} ?w(?:(?:ee)?k)?(?: and)?)? ?(?:{_NUMBER} ?d(?:ay)?(?: and)?)? ?"
    rf"(?:{_NUMBER} ?h(?:(?:ou)?rs?)?(?: and)? ?(?:([0-5]?[0-9])(?: ?m(?:in(?:ute)?s?)?)?)?"
    rf"|{_NUMBER} ?m(?:in(?:ute)?s?)?)?(?: ?(?:and )?{_NUMBER} ?s(?:ec(?:ond)?s?)?)?"
)
#: Matches a duration in machine format, such as ``PT2H``.
_ISO_LENGTH: Final = rf"p(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:t(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?)?"
#: Matches the T between a date and a time, as in ``2027-01-15t18:00``, or before a time on its own.
_ISO_JOINT: Final = r"(?<=[0-9]{4}-[0-9]{2}-[0-9]{2})t(?=[0-9]{2}:)|^t(?=[0-9]{2}:)"
#: Matches a date and a time without separators, as in ``20270115t180000``.
_ISO_BARE: Final = r"\b([0-9]{4})([0-9]{2})([0-9]{2})t([0-9]{2})([0-9]{2})([0-9]{2})\b"
_CLOCK: Final = (
    r"([0-9]{1,2})(?: ?([:.h~]|o'clock) ?([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]{1,9})?))?)?"
    r"(?: ?(am|pm|h|o'clock))?"
)
_DIGITS: Final = r"([0-9]{2})([0-5][0-9])"
_NOW: Final = frozenset(
    {"now", "right now", "at once", "right away", "straight away", "immediately", "asap", "jetzt", "sofort"}
)
_NAMED_TIMES: Final = {"noon": 12, "midnight": 0}
#: Maximum length, in characters, of a string that is read as a time.
_MAX_CHARACTERS: Final = 60
#: The first hour that a 12-hour clock doesn't show.
_AFTERNOON: Final = 13
_HALF_DAY: Final = 12
#: ``at 3`` may mean 3 in the morning or 3 in the afternoon. If the next such time is before six tomorrow
#: morning and more than this many seconds away, the user is asked which one they meant.
_NEAR_SECONDS: Final = 6 * 3_600.0
_MORNING: Final = 6
#: Maximum number of possible times to offer if a time zone's name is ambiguous.
_MAX_OPTIONS: Final = 4
_HALF_YEAR: Final = timedelta(days=182)
#: First two digits of a year. ``2026`` is a year rather than a time, unless a word such as ``at`` precedes
#: it.
_CENTURY: Final = 20


class Moment(NamedTuple):
    """A time in the future, in epoch seconds.

    ``seconds`` is the duration, if one was given. ``is_next_day`` means that only a time of day was given and
    it has passed for today, which the answer must mention. Midnight never has: it is the end of today.
    ``is_shifted`` means that clocks skip that time on that day, so the moment is later by as much as they
    skip.
    """

    at: float
    seconds: float | None = None
    is_next_day: bool = False
    is_shifted: bool = False


class Unread(NamedTuple):
    """Why a string doesn't name a usable time, and the ways to read it if it is ambiguous."""

    why: Why
    options: tuple[str, ...] = ()


class TimeOfDay(NamedTuple):
    """A time of day as it was typed.

    ``is_open`` means that it is only an hour, from 1 to 12, which may be in either half of the day.
    ``is_sure`` means that it is clear which half is meant, because of am or pm or a spelling such as
    ``08:30``. ``part`` is am, pm or the part of the day. ``options`` are other ways to read the same text.
    """

    hour: int
    minute: int = 0
    second: float = 0.0
    is_open: bool = False
    day: str = ""
    part: str = ""
    is_sure: bool = False
    options: tuple[str, ...] = ()
    zone: SaidZone | None = None

    @property
    def is_twelve(self) -> bool:
        """Return whether a time with minutes may be 12 hours later, as ``8:30`` may mean 20:30."""
        return not (self.is_sure or self.is_open or self.part) and 1 <= self.hour < _HALF_DAY

    @property
    def minutes(self) -> int:
        """Return the number of minutes since midnight."""
        return self.hour * 60 + self.minute


def read(text: str, zone: ZoneInfo, now: float, *, kind: Kind = "", soonest: float = 0.0) -> Moment | Unread:
    """Return the time after ``now`` that a string names, or why it names none. Never raise an error.

    ``kind`` says how to read a string without a word such as ``until``. A time less than ``soonest`` seconds
    ahead is refused.
    """
    found = parse(text, kind)
    if isinstance(found, Unread):
        return found
    try:
        if isinstance(found, float):
            moment: Moment | Unread = Moment(now + found, seconds=found)
        elif found.zone is None:
            moment = _resolve(found, zone, now)
        else:
            moment = _resolve_elsewhere(found, found.zone, zone, now)
    except (ValueError, OverflowError):  # In UTC, it is outside the years 1 to 9999.
        return Unread("far")
    if isinstance(moment, Unread):
        return moment
    if moment.at <= now or moment.at - now < soonest:
        return Unread("soon")
    return Unread("far") if moment.at - now > FARTHEST_SECONDS else moment


def is_now(text: str) -> bool:
    """Return whether a string means now or immediately."""
    return " ".join(text.casefold().split()) in _NOW


def time_kind(text: str) -> Literal["", "length", "time", "day"]:
    """Return which of these a string contains: a duration, a time of day, or only a day or part of the day.

    If it contains none of them, return "".
    """
    found = parse(text)
    if isinstance(found, float):
        return "length"
    if not isinstance(found, Unread) or found.why == "ambiguous":
        return "time"
    return "day" if found.why == "no_time" else ""


def length(text: str) -> float | None:
    """Return the seconds in a duration such as ``2h`` or a unit such as ``hour``. Otherwise, return None."""
    plain = spell_clock(text)
    return _parse_length(plain) or _parse_length(f"1 {plain}")


def parse(text: str, kind: Kind = "") -> float | TimeOfDay | Unread:
    """Parse a string into a duration in seconds or a time of day, regardless of the current time."""
    return Unread("unreadable") if len(text) > _MAX_CHARACTERS else _parse(text, kind)


@lru_cache(maxsize=512)
def _parse(text: str, kind: Kind) -> float | TimeOfDay | Unread:
    plain, zone = split_zone(text)
    plain = spell_clock(re.sub(_ISO_JOINT, " ", re.sub(_ISO_BARE, r"\1-\2-\3 \4:\5:\6", plain)))
    while (first := plain.partition(" "))[0] in LEADS and first[2]:
        plain, kind = first[2], LEADS[first[0]] or kind or "time"
    found: float | TimeOfDay | Unread = _parse_time(plain, is_announced=kind == "time")
    is_length = kind == "length" or found == Unread("unreadable")
    # `for the rest of the day` is refused because it's ambiguous, not because it can't be read.
    if is_length and ((seconds := _parse_length(plain)) is not None or isinstance(found, TimeOfDay)):
        found = Unread("unreadable") if seconds is None else seconds
    if zone is None or isinstance(found, Unread):
        return found
    return found._replace(zone=zone) if isinstance(found, TimeOfDay) else Unread("unreadable")


def _parse_length(text: str) -> float | None:
    """Return a duration in seconds, or None if the string isn't a duration."""
    found = re.fullmatch(_ISO_LENGTH, text) or re.fullmatch(_LENGTH, text)
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, *minutes, seconds = map(_to_decimal, found.groups())
    return (weeks * 7 + days) * 86_400.0 + hours * 3_600.0 + sum(minutes) * 60.0 + seconds


def _to_decimal(text: str | None) -> float:
    return float((text or "0").replace(",", "."))


def _parse_time(text: str, *, is_announced: bool) -> TimeOfDay | Unread:
    """Parse a string into a time of day. The day and the part of the day may be in any order."""
    words = text.removeprefix("on ").split()
    days, parts = [word for word in words if is_day(word)], [word for word in words if word in _PARTS]
    if "tonight" in parts:
        parts.remove("tonight")
    if len(days) > 1 or len(parts) > 1:
        return Unread("unreadable")
    day, part = "".join(days), "".join(parts) or ("tonight" if "tonight" in days else "")
    if day or part:
        text = " ".join(word for word in words if not (is_day(word) or word in _PARTS))
        text = re.sub(r"^(?:at )?(?:on )?|(?: on)?(?: at)?$", "", text)
    if text in _ENDS:
        options = (f"{write_day(day or 'today')} {hour}" for hour in _ENDS[text])
        return Unread("ambiguous", tuple(one.replace("today 24:00", "tonight 00:00") for one in options))
    if not (day or part):
        return _parse_clock(text, is_announced=is_announced)
    time = _parse_clock(text, is_announced=True) if text else Unread("no_time")
    if isinstance(time, Unread):
        return time
    # If a day was named, `2h` can't be a duration, only a time of day. The part of the day may decide between
    # am and pm.
    time = time._replace(day=day, options=())
    if not part:
        return time
    halves = _list_halves(time.hour) if time.hour < _AFTERNOON and not time.is_sure else (time.hour,)
    within = [hour for hour in halves if hour in _PARTS[part]]
    if len(within) != 1 or (part == "morning" and time.hour == _HALF_DAY):
        return Unread("unreadable")
    return time._replace(hour=within[0], is_open=False, part=part)


def _list_halves(hour: int) -> tuple[int, int]:
    return hour % 12, hour % 12 + 12


def _parse_clock(text: str, *, is_announced: bool) -> TimeOfDay | Unread:
    """Return a time of day. Without a word such as ``at``, it must have minutes, am or pm, or a name."""
    if text in _NAMED_TIMES:
        return TimeOfDay(_NAMED_TIMES[text], is_sure=True)
    if (four := re.fullmatch(_DIGITS, text)) and (is_announced or int(four[1]) != _CENTURY):
        hour, minute = int(four[1]), int(four[2])
        return TimeOfDay(hour, minute, is_sure=True) if hour < 24 else Unread("unreadable")
    found = re.fullmatch(_CLOCK, text)
    if found is None:
        return Unread("unreadable")
    hour, minute, second, mark = int(found[1]), int(found[3] or 0), _to_decimal(found[4]), found[5] or ""
    is_of_twelve = mark in {"am", "pm"}
    if hour > 24 or (hour == 24 and (minute or second)) or (is_of_twelve and not 1 <= hour <= _HALF_DAY):
        return Unread("unreadable")
    if is_of_twelve:
        return TimeOfDay(hour % 12 + (12 if mark == "pm" else 0), minute, second, part=mark, is_sure=True)
    is_bare, has_h = found[2] is None, "h" in text.removesuffix("o'clock")
    if not is_announced and ((is_bare and not mark) or (has_h and hour < _AFTERNOON)):
        return Unread("unreadable")  # A bare number isn't read as a time, and `2h` may be a length.
    if is_bare and has_h and 0 < hour < _AFTERNOON:
        return TimeOfDay(hour, minute, options=(f"for {hour}h", f"at {hour:02d}:00"))
    is_open = (is_bare or found[2] == "~") and 1 <= hour <= _HALF_DAY
    is_padded = text.startswith("0") or hour in {0, _HALF_DAY} or found[4] is not None
    return TimeOfDay(hour % 24, minute, second, is_open=is_open, is_sure=(is_padded or has_h) and not is_bare)


def _resolve_elsewhere(time: TimeOfDay, said: SaidZone, home: ZoneInfo, now: float) -> Moment | Unread:
    """Return the moment of a time that is given with its zone. If it is ambiguous, return the options."""
    found, options, refused = dict[float, Moment](), list[str](), list[Unread]()
    for zone in said.zones:
        # "Tomorrow" may be meant in the user's own zone or in the zone written next to the time.
        for today in dict.fromkeys(datetime.fromtimestamp(now, one).date() for one in (home, zone)):
            moment = _resolve(time, zone, now, today)
            if isinstance(moment, Unread):
                options += [f"{one} {zone}" for one in moment.options]
                refused.append(moment)
                continue
            for meant in said.list_zones(moment.at):
                again = _resolve(time, meant, now, today)
                if isinstance(again, Moment) and again.at not in found:
                    found[again.at] = again
                    local = datetime.fromtimestamp(again.at, meant)
                    options.append(f"{local:%Y-%m-%d %H:%M} {meant}"[11 * (not time.day) :])
    options = [*dict.fromkeys(options)]
    if len(options) > 1:
        return Unread("unreadable") if len(options) > _MAX_OPTIONS else Unread("ambiguous", tuple(options))
    if not found:
        return refused[0]
    (moment,) = found.values()
    is_later = datetime.fromtimestamp(moment.at, home).date() > datetime.fromtimestamp(now, home).date()
    return moment._replace(is_next_day=moment.is_next_day and is_later)


def _resolve(time: TimeOfDay, zone: tzinfo, now: float, today: date | None = None) -> Moment | Unread:
    """Return the next moment at which clocks in a zone show a given time."""
    if time.options:
        return Unread("ambiguous", time.options)
    today = today or datetime.fromtimestamp(now, zone).date()
    if time.day:
        return _resolve_on_day(time, zone, now, today)
    hours = _list_halves(time.hour) if time.is_open else (time.hour,)
    # Two days are enough, because a time that clocks skip today is shifted rather than left out.
    days = (today, today + timedelta(days=1))
    found = [_to_moment(day, hour, time, zone, now) for day in days for hour in hours]
    moment = min((one for one in found if one.at > now), key=lambda one: one.at)
    local = datetime.fromtimestamp(moment.at, zone)
    is_next_day = local.date() > today
    if is_next_day and time.is_open and moment.at - now > _NEAR_SECONDS and local.hour < _MORNING:
        # Someone who types `at 3` in the afternoon is unlikely to mean 3 in the morning.
        return Unread("ambiguous", tuple(f"tomorrow {hour:02d}:{time.minute:02d}" for hour in hours))
    if is_next_day and time.is_twelve and _to_moment(today, time.hour + 12, time, zone, now).at > now:
        # After 8:30 in the morning, many people who type `8:30` mean this evening.
        typed, later = f"tomorrow {time.hour:02d}:{time.minute:02d}", f"{time.hour + 12}:{time.minute:02d}"
        return Unread("ambiguous", (typed, later))
    is_midnight = (local.hour, local.minute) == (0, 0)
    return moment._replace(is_next_day=is_next_day and not is_midnight)


def _resolve_on_day(time: TimeOfDay, zone: tzinfo, now: float, today: date) -> Moment | Unread:
    """Return the moment of a time on a named day. If several moments are possible, return the options."""
    days = resolve_day(time.day, today)
    hours = _list_halves(time.hour) if time.is_open and len(days) == 1 else (time.hour,)
    left = dict[str, Moment]()
    for day, hour in product(days, hours):
        named = day.isoformat() if len(days) > 1 else write_day(time.day)
        if (moment := _resolve_on_date(time, day, hour, zone, now)).at > now:
            left[f"{named} {hour:02d}:{time.minute:02d}"] = moment
    if not left:
        said = parse_day(time.day)
        is_other = (
            said and said.day and said.weekday is not None and said._replace(weekday=None).resolve(today)
        )
        return Unread("past" if days else "other_weekday" if is_other else "unreadable")
    if all((day - today).days > FARTHEST_SECONDS / 86_400.0 + 1 for day in days):
        # A date without a year that was in the last two weeks is unlikely to mean next year's.
        recent = resolve_day(time.day, today - timedelta(seconds=FARTHEST_SECONDS))
        is_past = bool(recent) and recent[0] < today and days[0] - today > _HALF_YEAR
        return Unread("past" if is_past else "far")
    return Unread("ambiguous", tuple(left)) if len(left) > 1 else next(iter(left.values()))


def _resolve_on_date(time: TimeOfDay, day: date, hour: int, zone: tzinfo, now: float) -> Moment:
    """Return the moment of a given hour on a date.

    *Tonight* may mean after midnight. If the day is a weekday and the time has passed, it means the same day
    next week.
    """
    is_night = time.day in {"today", "tonight"} and time.part in {"night", "tonight"} and hour < _NIGHT_ENDS
    moment = _to_moment(day + timedelta(days=is_night), hour, time, zone, now)
    is_again = moment.at <= now and find_weekday(time.day) is not None
    return _to_moment(day + timedelta(days=7), hour, time, zone, now) if is_again else moment


def _to_moment(day: date, hour: int, time: TimeOfDay, zone: tzinfo, now: float) -> Moment:
    """Return the moment of a time on a day. If clocks show it twice, return the next one after ``now``."""
    at = resolve_instant(day, hour * 60 + time.minute, zone, now - time.second) + time.second
    shown = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return Moment(at, is_shifted=(shown.hour, shown.minute) != (hour, time.minute))
