"""Parses times as people write them: points in time, durations, days, and weekly hours. Pure functions.

``read`` returns a *moment*, which is a single point in time. ``read_pause`` returns spans of *days*.
``read_hours`` returns *hours*, which are time ranges on given weekdays or dates. Commands and free text are
parsed in the same way.
"""

from bot.domain.time_parsing.days import (
    DAYS,
    EVERY_DAY,
    WEEKDAYS,
    WEEKEND,
    day_of,
    days_of,
    is_day,
    list_days,
    read_pause,
    resolve_instant,
)
from bot.domain.time_parsing.moments import (
    FARTHEST_SECONDS,
    Moment,
    Unread,
    Why,
    is_now,
    length,
    read,
    time_kind,
)
from bot.domain.time_parsing.week import (
    DAY_MINUTES,
    SINGLE_WORDS,
    Wanted,
    clock,
    has_odd_offset,
    is_recurring,
    is_schedule,
    list_zone_readings,
    read_hours,
    write_hours,
)
from bot.domain.time_parsing.words import LEADS, MONTHS, load_zone, normalize_word

__all__ = [
    "DAYS",
    "DAY_MINUTES",
    "EVERY_DAY",
    "FARTHEST_SECONDS",
    "LEADS",
    "MONTHS",
    "SINGLE_WORDS",
    "WEEKDAYS",
    "WEEKEND",
    "Moment",
    "Unread",
    "Wanted",
    "Why",
    "clock",
    "day_of",
    "days_of",
    "has_odd_offset",
    "is_day",
    "is_now",
    "is_recurring",
    "is_schedule",
    "length",
    "list_days",
    "list_zone_readings",
    "load_zone",
    "normalize_word",
    "read",
    "read_hours",
    "read_pause",
    "resolve_instant",
    "time_kind",
    "write_hours",
]
