"""Timetables of courses, whose lessons are rules of their members; pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from bot.domain.stops import PlannedStop, StopMode
from bot.domain.time_parsing import load_zone, resolve_instant
from bot.features.courses.model import ClassCard, CourseRule
from bot.features.hours.model import EVENING, YEAR_SECONDS, Occurrence, Timetable, list_dates

#: Without an end, a course lasts so many days; none lasts longer than a year.
DEFAULT_COURSE_DAYS: Final = 140
MAX_COURSE_DAYS: Final = 366
#: How long before a lesson its lead is determined, and its teacher told how many are ready.
PREPARE_SECONDS: Final = 3_000.0
REPORT_SECONDS, LATEST_REPORT_SECONDS = 300.0, 120.0
#: Members lose a large part of a course with lessons of more days than these.
LARGE_DAYS: Final = 31
#: For so many more days after its next lesson, a course goes on that nobody teaches any more.
GRACE_DAYS_WITHOUT_TEACHER: Final = 13
#: Who joined after the evening before a lesson is told so long before it that nothing will be ready.
LATE_WARNING_SECONDS: Final = 3_600.0
ALWAYS_ON: Final = Occurrence(0.0, "start", "", 0.0, float("inf"))


def find_lesson(timetable: Timetable, now: float) -> Occurrence | None:
    """Return the begin of the lesson that is on or comes next; it ends at the begin's ``until``.

    A class is one lesson that has always been on.
    """
    if timetable.starts is None:
        return ALWAYS_ON
    coming = timetable.after(now)
    return None if coming is None else timetable.begin(coming)


def find_lesson_after(timetable: Timetable, after: float) -> Occurrence | None:
    """Return the begin of the first lesson that begins after a moment."""
    return next((one for one in timetable.between(after, after + YEAR_SECONDS) if one.side == "start"), None)


def get_evening_before(timetable: Timetable, lesson: Occurrence) -> float:
    """Return the evening of the day before a lesson."""
    return resolve_instant(
        timetable.day(lesson.at) - timedelta(days=1), EVENING, load_zone(timetable.time_zone)
    )


def find_lesson_on(card: ClassCard, now: float) -> Occurrence | None:
    """Return the begin of the lesson that is on, or for which workspaces are being started."""
    coming = find_lesson(card, now)
    return coming if coming is not None and now >= coming.due_at else None


def list_lesson_days(
    timetable: Timetable, now: float, first: date = date.min, last: date = date.max
) -> list[str]:
    """Return the days, from one to another, that have a lesson still to come or on."""
    since, until = max(first, timetable.day(now)), min(last, date.fromisoformat(timetable.last_day))
    days = [(date.fromisoformat(day), day) for day in list_dates(since, until + timedelta(days=1))]
    return [named for day, named in days if (every := timetable.on(day)) and every[-1].at > now]


def list_days_from_today(timetable: Timetable, days: Iterable[str], now: float) -> list[str]:
    """Return those of some days that aren't over."""
    today = timetable.day(now).isoformat()
    return sorted(day for day in days if day >= today)


def find_lost_days(card: ClassCard, changed: ClassCard, now: float) -> tuple[frozenset[str], list[str]]:
    """Return the weekdays that a change takes from a course, and the days that then have no lesson."""
    left = list_lesson_days(changed, now)
    return card.days - changed.days, [one for one in list_lesson_days(card, now) if one not in left]


def apply_timetable(rule: CourseRule, card: ClassCard) -> CourseRule:
    """Return a person's rule of a course by its present timetable.

    They have agreed to their days, for as long each and up to the last day as when they joined: no change
    adds to that, and what one has taken comes back with another. What they skip stays.
    """
    # 0.2.1 wrote more where somebody joined once more, and days off where a teacher decided.
    days, until = rule.agreed_days | rule.days, max(rule.agreed_until, rule.last_day)
    minutes = max(rule.agreed_minutes, (rule.stops or 0) - (rule.starts or 0))
    is_known = bool(rule.notified_state) and card.state in (
        one["state"] for one in card.timetable_changes[-1:]
    )
    skipped = rule.skipped - (frozenset() if is_known else card.off)
    now: dict[str, Any] = card.timetable() | {
        "days": days & card.days,
        "stops": min(card.stops or 0, (card.starts or 0) + minutes),
        "last_day": min(until, card.last_day),
        "off": skipped | card.off,
        "moved": {day: [begin, min(end, begin + minutes)] for day, (begin, end) in card.moved.items()},
    }
    agreed: dict[str, Any] = {"agreed_days": days, "agreed_minutes": minutes, "agreed_until": until}
    return replace(rule, **now, **agreed, course_off=card.off - skipped, applied_state=card.state)


def plan_lesson_end(rule: CourseRule, until: float, mode: StopMode, start: str = "") -> PlannedStop:
    """Return the end of a lesson."""
    return PlannedStop(until, mode, rule.agreed, True, "lesson", rule.id, rule.course, until, start=start)


def postpone(end: PlannedStop, rules: Collection[CourseRule]) -> PlannedStop | None:
    """Return the end of a lesson that begins before an end, or just then, and ends later."""
    for rule in rules:
        coming = None if rule.paused else rule.after(end.at)
        begin = None if coming is None else rule.begin(coming)
        if begin is not None and begin.side == "start" and begin.due_at <= end.at:
            return replace(plan_lesson_end(rule, begin.until, end.mode), start=end.start)
    return None


def list_unsent_changes(card: ClassCard, notified_state: str) -> list[dict[str, Any]]:
    """Return the changes since the state that a member was notified of, without those taken back."""
    states = [one["state"] for one in card.timetable_changes]
    left = states[::-1].index(notified_state) if notified_state in states else len(states)
    return [card.timetable_changes[-left], *list_unsent_changes(card, states[-left])] if left else []


def get_last_end(card: ClassCard) -> float:
    """Return the end of a course's last lesson; the time of its posting, if it has none."""
    every = card.between(card.created_at, card.created_at + 2 * YEAR_SECONDS)
    return every[-1].at if every else card.created_at


def get_longest_pause(card: ClassCard) -> float:
    """Return the longest time that workspaces are stopped between two lessons, in seconds."""
    every = card.between(card.created_at, card.created_at + 2 * YEAR_SECONDS)
    return max((after.at - one.at for one, after in pairwise(every) if one.side == "stop"), default=0.0)
