"""Formats durations, times, counts and lists of names."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby
from typing import Final

#: Matches a time in 12-hour format. If people type times in this format, Usher uses it in its answers, too.
_TWELVE_HOURS = re.compile(r"\d\s?[ap]\.?m\b", re.IGNORECASE)
_MINUTE = 60
_HOUR = 3600
_DAY = 86_400


def format_duration(seconds: float) -> str:
    """Format a duration using at most two units: ``12 s``, ``1 min 40 s``, ``2 h 5 min``, ``3 days``."""
    whole = max(round(seconds), 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole // _MINUTE, "min", whole % _MINUTE, "s")
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return format_count(whole // _DAY, "day")


def format_roughly(seconds: float) -> str:
    """Format a typical duration, too roughly for anyone to take it as a promise: ``about 5 minutes``."""
    minutes = seconds / _MINUTE
    if minutes < 0.75:
        return "under a minute"
    if minutes < 2.5:
        return "a minute or two"
    if minutes < 9.5:
        return f"about {round(minutes)} minutes"
    if minutes < 52.5:
        return f"about {round(minutes / 5) * 5} minutes"
    hours = max(round(seconds / _HOUR), 1)
    return "about an hour" if hours == 1 else f"about {hours} hours"


def format_count(count: int, one: str, several: str = "") -> str:
    """Format a number of things: ``1 place``, ``1,200 lines``. By default, the plural adds an s."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def format_time_in_utc(at: float) -> str:
    """Format a time (in epoch seconds) in UTC, used where Slack can't show the reader's own time."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")


def format_day_in_utc(at: float) -> str:
    """Format a day and time in UTC, shown where Slack can't show the reader's own time."""
    return datetime.fromtimestamp(at, UTC).strftime("%-d %b %Y at %H:%M UTC")


def format_day(at: float, now: float, zone: tzinfo) -> str:
    """Format a day and time for a page: ``today at 18:00``, ``3 Jan 2027 at 09:00``."""
    local, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    days = (local.date() - today).days
    day = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    day = day or local.strftime("%-d %b" if local.year == today.year else "%-d %b %Y")
    # If the person's time zone isn't known, the time is in UTC.
    return f"{day} at {format_clock_time(at, zone)}{' UTC' if str(zone) == 'UTC' else ''}"


def format_other_day(at: float, now: float, zone: tzinfo) -> str:
    """Format the day of a time: ``Mon 30 Nov``, ``Mon 4 Jan 2027``. If that is the day of ``now``, return "".

    The day has its weekday, so that it fits into a sentence such as "I'll stop it Mon 30 Nov at 18:00".
    Unlike *tomorrow*, it stays true.
    """
    local, today = datetime.fromtimestamp(at, zone).date(), datetime.fromtimestamp(now, zone).date()
    if local == today:
        return ""
    return format_weekday(local.isoformat(), today)


def format_clock_time(at: float, zone: tzinfo) -> str:
    """Format a time of day for a page. A script on the page rewrites it in the browser's own style."""
    return f"{datetime.fromtimestamp(at, zone):%H:%M}"


def format_label(at: float, now: float, zone: tzinfo, typed: str) -> str:
    """Format a time for a button's label. The date is left out if it is today.

    The time is in 12- or 24-hour style, as in ``typed``, because Slack can't format times in labels. If
    nobody typed a time, the sentence above the button gives the time in the reader's style.
    """
    local = datetime.fromtimestamp(at, zone)
    clock = f"{local:%-I:%M %p}" if _TWELVE_HOURS.search(typed) else format_clock_time(at, zone)
    clock += " UTC" if str(zone) == "UTC" else ""
    return " at ".join(filter(None, [format_other_day(at, now, zone), clock]))


def format_date(day: str, today: date) -> str:
    """Format an ISO date: ``24 Nov``, or ``24 Nov 2026`` if that isn't this year."""
    found = date.fromisoformat(day)
    return found.strftime("%-d %b" if found.year == today.year else "%-d %b %Y")


def format_weekday(day: str, today: date) -> str:
    """Format an ISO date with its weekday: ``Tue 24 Nov``, or ``Mon 4 Jan 2027`` if that isn't this year."""
    return f"{date.fromisoformat(day):%a} {format_date(day, today)}"


def format_dates(spans: Iterable[tuple[str, str]], today: date) -> str:
    """Format spans, each given by its first and last day: ``on Tue 24 Nov and from 22 Dec to 6 Jan``."""
    said: list[str] = []
    for (_, is_day), found in groupby(spans, key=lambda span: (span[1][:7], span[0] == span[1])):
        *most, last = found
        # If several days are in the same month, only the last of them names the month.
        days = join_names([*(_day_of(day) for day, _ in most), format_date(last[1], today)])
        days = days if most else format_weekday(last[1], today)
        said += [f"on {days}"] if is_day else [_format_span(*span, today) for span in [*most, last]]
    return join_names(said)


def _format_span(first: str, last: str, today: date) -> str:
    # If both days are in the same year, only the last one names the year.
    year_of = date.fromisoformat(last) if first[:4] == last[:4] else today
    begin = _day_of(first) if first[:7] == last[:7] else format_date(first, year_of)
    return f"from {begin} to {format_date(last, today)}"


def _day_of(day: str) -> str:
    return str(date.fromisoformat(day).day)


def join_names(names: Iterable[str]) -> str:
    """Join names: ``one, another and a third``."""
    *most, last = [*names] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


SOMEBODY: Final = "somebody"
#: How to refer to a person in a Slack workspace where Usher is no longer installed.
ELSEWHERE: Final = "{who} (in another Slack workspace)"
