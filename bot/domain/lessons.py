"""Courses: class cards with a timetable, and their lessons; pure."""

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any, Final

from bot.domain.classes import ClassCard
from bot.domain.hours import YEAR, Rule

#: Without an end, a course lasts so many days; none lasts longer than a year.
USUAL_DAYS: Final = 140
MOST_DAYS: Final = 366
#: How long before a lesson its lead is determined, and its teacher told how many are ready.
PREPARED_SECONDS: Final = 3_000.0
REPORT_SECONDS, LATEST_REPORT_SECONDS = 300.0, 120.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """Hold when a lesson begins and ends, in epoch seconds, and the local time for which it is planned."""

    begins: float
    ends: float
    local: str


#: What a course and a member's rule of it have in common.
_SHARED: Final = (
    *("id", "principal", "connection", "days", "starts", "stops", "first_day", "last_day", "off", "moved"),
    "lead",
)


def timetable(card: ClassCard) -> Rule:
    """Return the rule that a course's days and times make, as everybody's own is made from it."""
    given: dict[str, Any] = {name: getattr(card, name) for name in _SHARED}
    given |= {"workspace_id": "", "zone": card.time_zone, "seen_zone": card.time_zone}
    return Rule(settled_at=card.created_at, card=card.id, course=card.title, **given)


def lesson(rule: Rule, now: float) -> Lesson | None:
    """Return the lesson that is on or comes next."""
    coming = rule.after(now)
    if coming is None:
        return None
    start, stop = rule.on(date.fromisoformat(coming.local[:10]))
    return Lesson(start.at, stop.at, start.local)


def following(rule: Rule, after: float) -> Lesson | None:
    """Return the first lesson that begins after a moment."""
    coming = lesson(rule, after)
    return coming if coming is None or coming.begins > after else lesson(rule, coming.ends)


def agreed(rule: Rule, before: Rule, after: Rule) -> Rule:
    """Return what a person's rule becomes when its course's timetable changes from one to another.

    They have agreed to their days, for as long each as until now, and to no later one. What they skip stays.
    """
    length = (rule.stops or 0) - (rule.starts or 0)
    return replace(
        rule,
        course=after.course,
        days=rule.days & after.days,
        starts=after.starts,
        stops=min(after.stops or 0, (after.starts or 0) + length),
        first_day=after.first_day,
        last_day=min(rule.last_day, after.last_day),
        off=(rule.off - before.off) | after.off,
        moved={day: (begin, min(end, begin + length)) for day, (begin, end) in after.moved.items()},
    )


def lesson_on(card: ClassCard, now: float) -> Lesson | None:
    """Return the lesson that is on, or for which workspaces are being started."""
    coming = lesson(timetable(card), now) if card.is_course else None
    return coming if coming is not None and now >= coming.begins - card.lead else None


def last_end(card: ClassCard) -> float:
    """Return when a course's last lesson ends; when it was posted, if it has none."""
    every = timetable(card).between(card.created_at, card.created_at + 2 * YEAR)
    return every[-1].at if every else card.created_at


def longest_pause(card: ClassCard) -> float:
    """Return for how many seconds workspaces are stopped at most between two lessons."""
    every = timetable(card).between(card.created_at, card.created_at + 2 * YEAR)
    return max((after.at - one.at for one, after in pairwise(every) if one.side == "stop"), default=0.0)


def looks_at(card: ClassCard, now: float) -> float | None:
    """Return when a course is looked at next because of a lesson."""
    coming = lesson(timetable(card), now)
    if coming is None:
        return None
    ahead = (PREPARED_SECONDS, card.lead, REPORT_SECONDS, 0.0)
    return min(at for at in (*(coming.begins - one for one in ahead), coming.ends) if at > now)
