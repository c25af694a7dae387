"""Courses: class cards with a timetable, whose lessons are rules of whoever joined; pure."""

from dataclasses import replace
from itertools import pairwise
from typing import Final

from bot.domain.classes import ClassCard
from bot.domain.hours import YEAR, Occurrence, Rule, Timetable

#: Without an end, a course lasts so many days; none lasts longer than a year.
USUAL_DAYS: Final = 140
MOST_DAYS: Final = 366
#: How long before a lesson its lead is determined, and its teacher told how many are ready.
PREPARED_SECONDS: Final = 3_000.0
REPORT_SECONDS, LATEST_REPORT_SECONDS = 300.0, 120.0


def lesson(of: Timetable, now: float) -> Occurrence | None:
    """Return the begin of the lesson that is on or comes next; it ends at the begin's ``until``."""
    coming = of.after(now)
    return None if coming is None else of.begin(coming)


def following(of: Timetable, after: float) -> Occurrence | None:
    """Return the begin of the first lesson that begins after a moment."""
    return next((one for one in of.between(after, after + YEAR) if one.side == "start"), None)


def lesson_on(card: ClassCard, now: float) -> Occurrence | None:
    """Return the begin of the lesson that is on, or for which workspaces are being started."""
    coming = lesson(card, now) if card.is_course else None
    return coming if coming is not None and now >= coming.due_at else None


def agreed(rule: Rule, before: ClassCard, after: ClassCard) -> Rule:
    """Return what a person's rule becomes when its course's timetable changes from one to another.

    They have agreed to their days, for as long each as until now, and to no later one. What they skip stays.
    """
    length = (rule.stops or 0) - (rule.starts or 0)
    return replace(
        rule,
        days=rule.days & after.days,
        starts=after.starts,
        stops=min(after.stops or 0, (after.starts or 0) + length),
        first_day=after.first_day,
        last_day=min(rule.last_day, after.last_day),
        off=(rule.off - before.off) | after.off,
        moved={day: (begin, min(end, begin + length)) for day, (begin, end) in after.moved.items()},
    )


def last_end(card: ClassCard) -> float:
    """Return when a course's last lesson ends; when it was posted, if it has none."""
    every = card.between(card.created_at, card.created_at + 2 * YEAR)
    return every[-1].at if every else card.created_at


def longest_pause(card: ClassCard) -> float:
    """Return for how many seconds workspaces are stopped at most between two lessons."""
    every = card.between(card.created_at, card.created_at + 2 * YEAR)
    return max((after.at - one.at for one, after in pairwise(every) if one.side == "stop"), default=0.0)
