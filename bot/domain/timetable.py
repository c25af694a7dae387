"""Lessons, computed from the timetables of courses. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from bot.domain.courses import ClassCard, FormerMember
from bot.domain.hours import EVENING, YEAR_SECONDS, Occurrence, Timetable, list_dates
from bot.domain.stops import PlannedStop, StopMode
from bot.domain.time_parsing import DAYS, load_zone, resolve_instant

#: How many days a course lasts if no end is given. No course may last longer than ``MAX_COURSE_DAYS``.
DEFAULT_COURSE_DAYS: Final = 140
MAX_COURSE_DAYS: Final = 366
#: How many seconds before a lesson Usher begins to prepare it, by working out when to start the workspaces.
PREPARE_SECONDS: Final = 3_000.0
#: How many seconds before a lesson its teachers are told how many members are ready. If that number can still
#: change, the report may be delayed until ``LATEST_REPORT_SECONDS`` before the lesson.
REPORT_SECONDS, LATEST_REPORT_SECONDS = 300.0, 120.0
#: How long, in seconds, a lesson that is over may still be reported as missed.
MAX_LESSON_AGE_SECONDS: Final = 14 * 86_400.0
ALWAYS_ON: Final = Occurrence(0.0, "start", "", 0.0, float("inf"))


def find_lesson(timetable: Timetable, now: float) -> Occurrence | None:
    """Return the start of the current or next lesson. Its ``until`` is the end of the lesson.

    A class is treated as a single lesson that is already in progress.
    """
    if timetable.starts is None:
        return ALWAYS_ON
    coming = timetable.after(now)
    return None if coming is None else timetable.begin(coming)


def find_lesson_after(timetable: Timetable, after: float) -> Occurrence | None:
    """Return the start of the first lesson that begins later than ``after``."""
    return next((one for one in timetable.between(after, after + YEAR_SECONDS) if one.side == "start"), None)


def get_evening_before(timetable: Timetable, lesson: Occurrence) -> float:
    """Return 18:00 on the day before a lesson, in the timetable's zone."""
    day = timetable.day(lesson.at) - timedelta(days=1)
    return resolve_instant(day, EVENING, load_zone(timetable.time_zone))


def find_lesson_on(card: ClassCard, now: float) -> Occurrence | None:
    """Return the start of the current lesson, or of the next one once its workspaces are being started."""
    coming = find_lesson(card, now)
    return coming if coming is not None and now >= coming.due_at else None


def list_lesson_days(
    timetable: Timetable, now: float, first: date = date.min, last: date = date.max
) -> list[str]:
    """Return the days from ``first`` to ``last`` with a lesson that isn't over yet."""
    since, until = max(first, timetable.day(now)), min(last, date.fromisoformat(timetable.last_day))
    days = [(date.fromisoformat(day), day) for day in list_dates(since, until + timedelta(days=1))]
    return [named for day, named in days if (every := timetable.on(day)) and every[-1].at > now]


def find_last_lesson(timetable: Timetable, now: float) -> Occurrence | None:
    """Return the start of the most recent lesson that has ended."""
    every = timetable.between(now - MAX_LESSON_AGE_SECONDS, now)
    return next((timetable.begin(one) for one in reversed(every) if one.side == "stop"), None)


def list_days_from_today(timetable: Timetable, days: Iterable[str], now: float) -> list[str]:
    """Return those of the given days that aren't over, in order."""
    today = timetable.day(now).isoformat()
    return sorted(day for day in days if day >= today)


def get_last_end(card: ClassCard) -> float:
    """Return when a course's last lesson ends or, if it has none, when the course was posted."""
    every = card.between(card.created_at, card.created_at + 2 * YEAR_SECONDS)
    return every[-1].at if every else card.created_at


def get_longest_pause(card: ClassCard) -> float:
    """Return the longest time between two lessons, in seconds."""
    every = card.between(card.created_at, card.created_at + 2 * YEAR_SECONDS)
    return max((after.at - one.at for one, after in pairwise(every) if one.side == "stop"), default=0.0)


def plan_lesson_end(card: ClassCard, until: float, mode: StopMode, start: str = "") -> PlannedStop:
    """Return the stop that is planned for the end of a lesson."""
    return PlannedStop(until, mode, False, True, "lesson", card.id, card.title, until, start=start)


def postpone(end: PlannedStop, cards: Sequence[ClassCard]) -> PlannedStop | None:
    """Return the end of the lesson during which a planned stop is due, as another planned stop.

    The lesson must begin no later than the stop and end after it. If there is no such lesson, return None.
    """
    for card in cards:
        coming = card.after(end.at)
        begin = None if coming is None else card.begin(coming)
        if begin is not None and begin.side == "start" and begin.due_at <= end.at:
            return replace(plan_lesson_end(card, begin.until, end.mode), start=end.start)
    return None


def find_skipped_next(card: ClassCard, former: FormerMember, now: float) -> Occurrence | None:
    """Return the current or next lesson if a former member is skipping it, otherwise None."""
    coming = find_lesson(card, now)
    return coming if coming is not None and coming.local[:10] in former.skipped else None


def list_days_beyond(card: ClassCard, former: FormerMember, now: float) -> tuple[list[str], list[str]]:
    """Return the days with lessons that a former member didn't agree to, and the days that they skip.

    Past days are left out. So is the current or next lesson in the second list, because members may still
    skip that one.
    """
    days, coming = list_lesson_days(card, now), find_lesson(card, now)
    is_longer = (card.stops or 0) - (card.starts or 0) > former.minutes
    beyond = [
        day
        for day in days
        if is_longer or day > former.last_day or DAYS[date.fromisoformat(day).weekday()] not in former.days
    ]
    skipped = [one for one in days if one in former.skipped]
    return beyond, [one for one in skipped if coming is None or one != coming.local[:10]]
