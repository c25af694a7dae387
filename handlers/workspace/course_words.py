"""Parses what people type about a course: commands after its title, and the timetable of a new course."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, Final

from bot.domain import time_parsing
from bot.domain import timetable as courses_timetable
from bot.domain.courses import ClassCard
from bot.domain.hours import list_dates
from bot.domain.time_parsing import DAY_MINUTES, EVERY_DAY, Wanted
from bot.messages.texts import courses as words
from bot.messages.texts.times import format_weekday, join_names
from bot.support.errors import Refused

_MENTION_PATTERN: Final = re.compile(r"<@([UW][A-Z0-9]+)[^<>]*>|,|&|\band\b")
#: Matches an instruction that is typed after a course's title, such as ``skip tomorrow``. Doesn't match a
#: question.
ORDER_PATTERN: Final = re.compile(r"(?:join|leave|resume|end)[.!]*|skip\b[^?]{0,500}", re.IGNORECASE)


def get_verb(text: str) -> str:
    """Return an instruction's first word, in lower case."""
    return text.partition(" ")[0].casefold().rstrip(".!")


def list_days_off(card: ClassCard, text: str, now: float) -> list[str]:
    """Return the days in ``24 Dec`` or ``22 Dec to 6 Jan``. Return [] if they are unclear.

    Raise Refused (``course.no_lesson``) if none of these days has a lesson.
    """
    return [
        day
        for span in time_parsing.read_pause("skip", text, card.day(now))
        for day in _list_days(card, *span, now)
    ]


def _list_days(card: ClassCard, first: date, last: date, now: float) -> list[str]:
    """Return the remaining days in a span of dates. Raise Refused if none of them has a lesson.

    If the span is longer than a day and a lesson is in progress, today is left out.
    """
    days, on = (
        courses_timetable.list_lesson_days(card, now, first, last),
        courses_timetable.find_lesson_on(card, now),
    )
    if not days:
        every = courses_timetable.list_lesson_days(card, now)
        today = card.day(now)
        said = words.format_span(first.isoformat(), last.isoformat(), today)
        coming = words.NEXT_LESSONS[min(len(every), 2)].format(
            days=join_names(format_weekday(day, today) for day in every[:2])
        )
        none = f"*{card.title}* has no lesson {said}."
        raise Refused("course.no_lesson", f"{none} {coming}")
    # The span includes days without lessons, as typed.
    last = min(last, date.fromisoformat(card.last_day))
    span = list_dates(max(first, card.day(now)), last + timedelta(days=1))
    return span if len(span) == 1 or on is None else [one for one in span if one != on.local[:10]]


def build_timetable(wanted: Wanted | None, first: str, until: str, today: date) -> dict[str, Any]:
    """Return the card's fields for a course's days and times.

    For a single class or unclear days, return {}.
    """
    if wanted is None or wanted.starts is None or wanted.stops is None:
        return {}
    begin = time_parsing.day_of(first, today) if first else today
    longest = today + timedelta(days=courses_timetable.MAX_COURSE_DAYS)
    if begin is None or begin > longest:
        return {}
    last = begin + timedelta(days=courses_timetable.DEFAULT_COURSE_DAYS)
    end = time_parsing.day_of(until, max(begin, today)) if until else last
    if end is None or not begin <= end <= longest:
        return {}
    hours = {"days": wanted.days, "starts": wanted.starts, "stops": wanted.stops}
    return {**hours, "first_day": begin.isoformat(), "last_day": end.isoformat()}


def read_timetable(text: str) -> tuple[Wanted | None, str]:
    """Return the hours of lessons, and what is wrong with them ("" if nothing is).

    Lessons recur on days of the week. Each starts and ends on the same day, and its times must not name a
    time zone.
    """
    wanted = time_parsing.read_hours(text)
    has_zone = wanted is not None and wanted.zone
    if has_zone or time_parsing.has_odd_offset(text) or time_parsing.list_zone_readings(text):
        return wanted, words.NO_ZONE
    if wanted is None or wanted.starts is None or wanted.stops is None:
        return wanted, words.BAD_HOURS
    is_possible = wanted.days <= EVERY_DAY and wanted.starts < wanted.stops < DAY_MINUTES
    return wanted, "" if is_possible else words.BAD_HOURS


def parse_mentions(text: str) -> list[str]:
    """Return the ids of the people mentioned in the text.

    If it names anyone in another way, raise Refused.
    """
    found = [one[1] for one in _MENTION_PATTERN.finditer(text) if one[1]]
    if (name := _MENTION_PATTERN.sub("", text).strip()) or not found:
        raise Refused("course.teacher", words.NO_MENTION.format(name=name or "that"))
    return found
