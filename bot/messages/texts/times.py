"""How lengths of time and ages are said."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

#: What ``time_mark`` writes; the group is the epoch second.
TIME_MARK = re.compile(r"\{time:(\d{1,11})\}")
_MINUTE = 60
_HOUR = 3600
_DAY = 86_400
#: Where ``roughly`` changes its words, in minutes, and in seconds.
_UNDER_A_MINUTE = 0.75
_A_MINUTE_OR_TWO = 2.5
_BY_THE_MINUTE = 9.5
_ABOUT_AN_HOUR = 3_150
#: Below this an age is said in seconds, below the next in minutes.
_SECONDS_UNTIL = 100


def duration(seconds: float) -> str:
    """Say a length of time in at most two units: ``12 s``, ``1 min 40 s``, ``2 h 5 min``, ``3 days``."""
    whole = max(round(seconds), 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole // _MINUTE, "min", whole % _MINUTE, "s")
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    days = whole // _DAY
    return "1 day" if days == 1 else f"{days} days"


def roughly(seconds: float) -> str:
    """Say a usual length of time, so rounded that it promises nothing: ``about 5 minutes``."""
    minutes = seconds / _MINUTE
    if minutes < _UNDER_A_MINUTE:
        return "under a minute"
    if minutes < _A_MINUTE_OR_TWO:
        return "a minute or two"
    if minutes < _BY_THE_MINUTE:
        return f"about {round(minutes)} minutes"
    if seconds < _ABOUT_AN_HOUR:
        return f"about {round(minutes / 5) * 5} minutes"
    hours = max(round(seconds / _HOUR), 1)
    return "about an hour" if hours == 1 else f"about {hours} hours"


def age(seconds: float) -> str:
    """Say how long ago something was: ``just now``, ``12 s ago``, ``5 min ago``."""
    if seconds < 2:
        return "just now"
    if _SECONDS_UNTIL <= seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min ago"
    return f"{duration(seconds)} ago"


def in_utc(at: float) -> str:
    """Say a time of day for readers whose Slack can't show their own zone; ``at`` in epoch seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")


def day_in_utc(at: float) -> str:
    """Say a day and a time of day for the same readers."""
    return datetime.fromtimestamp(at, UTC).strftime("%-d %b at %H:%M UTC")


def day_in(at: float, now: float, zone: tzinfo) -> str:
    """Say a time with its day in a zone, for pages: ``today at 18:00``, ``tomorrow at 09:00``."""
    local, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    days = (local.date() - today).days
    day = {0: "today", 1: "tomorrow"}.get(days) or local.strftime("%-d %b")
    # Where a person's zone isn't known, its name says which is meant.
    return f"{day} at {local:%H:%M}{' UTC' if str(zone) == 'UTC' else ''}"


def time_mark(at: float) -> str:
    """Return what stands for a time in a stored sentence; ``at`` in epoch seconds."""
    return f"{{time:{int(at)}}}"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
