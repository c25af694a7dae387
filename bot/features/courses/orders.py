"""Orders about a course: the words after its title, and the change that they name."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any, Final

from bot.domain import time_parsing
from bot.domain.time_parsing import DAY_MINUTES, EVERY_DAY, Wanted, clock
from bot.features.courses import changes as cases
from bot.features.courses import texts as words
from bot.features.courses import timetable as courses_timetable
from bot.features.courses.model import ClassCard
from bot.features.hours.model import list_dates
from bot.messages.texts.times import format_date, format_weekday, join_names
from bot.support.errors import Refused

#: The name of a change, the words about it, and the fields of the card that it changes.
Change = tuple[str, dict[str, str], dict[str, Any]]
_SPAN_PATTERN: Final = re.compile(
    r"\s+(?:to|until|till|-)\s+|(?<=[a-z])-|\s*[\u2013\u2014]\s*", re.IGNORECASE
)
_LEADING_WORD_PATTERN: Final = re.compile(r"(?:(?:on|until|till|from|this|at)\b)?\s*", re.IGNORECASE)
_SAME_TIME_PATTERN: Final = re.compile(r",? *\b(?:at )?(?:the )?same time$", re.IGNORECASE)
_BOUND_PATTERN: Final = re.compile(r"(.*)\b(until|till|from)\s+(.+)", re.IGNORECASE)
_MENTION_PATTERN: Final = re.compile(r"<@([UW][A-Z0-9]+)[^<>]*>|,|&|\band\b")
ORDER_PATTERN: Final = re.compile(
    r"(join|leave|skip|pause|resume|on|move|end|hours|until|from|without|with)\b\s*(.{0,500})", re.IGNORECASE
)


def get_verb(text: str) -> str:
    """Return the first word of an order, in small letters."""
    return text.partition(" ")[0].casefold()


def parse_order(card: ClassCard, text: str, now: float, typed_on: date | None = None) -> Change | None:
    """Return the change named by the words after a course's title; None if there is none.

    Raises Refused: ``course.no_lesson``, ``course.teacher``.
    """
    found, off, today = ORDER_PATTERN.fullmatch(text), card.off, typed_on or card.day(now)
    if found is None:
        return None
    verb, said = found[1].casefold(), found[2]
    day, _, last = parse_days(said, today)
    match verb:
        case "end":
            return "end", {}, {}
        case "with" | "without":
            named = {replace(card.principal, user_id=one).key for one in parse_mentions(said)}
            to = (
                card.co_teachers - named
                if verb == "without"
                else card.co_teachers | named - {card.principal.key}
            )
            return "teachers", {}, {"co_teachers": to}
        case "hours" | "until" | "from":
            fields = _parse_hours(card, said if verb == "hours" else text, today)
            return ("hours", {}, fields) if fields else None
        case "on" | "resume" if not said:
            off = frozenset(one for one in off if one < today.isoformat())
        case "skip" | "pause":
            off = off.union(
                *(_list_days(card, *span, now) for span in time_parsing.read_pause(verb, said, today))
            )
        case "move" if day and last:
            return _parse_move(card, day, last, now, today)
    if off == card.off:
        return None
    return "skip" if off > card.off else "back", cases.describe_days_off(card, off), {"off": off}


def parse_days(text: str, today: date) -> tuple[date | None, date | None, str]:
    """Return the first and the last day that a text names, and the words for the last, if any."""
    first, last = [*_SPAN_PATTERN.split(_LEADING_WORD_PATTERN.sub("", text, count=1), maxsplit=1), ""][:2]
    day = time_parsing.day_of(first, today)
    return day, time_parsing.day_of(last, day) if last and day else day, last


def _list_days(card: ClassCard, first: date, last: date, now: float) -> list[str]:
    """Return the days of a span with lessons, of several without one that is on; raises Refused."""
    days, on = (
        courses_timetable.list_lesson_days(card, now, first, last),
        courses_timetable.find_lesson_on(card, now),
    )
    if not days:
        every = courses_timetable.list_lesson_days(card, now)
        said = words.format_span(first.isoformat(), last.isoformat())
        coming = words.NEXT_LESSONS[min(len(every), 2)].format(
            days=join_names(map(format_weekday, every[:2]))
        )
        none = words.NO_LESSON_THEN.format(course=card.title, days=said)
        raise Refused("course.no_lesson", f"{none} {coming}")
    # As it was said, and also for another timetable.
    last = min(last, date.fromisoformat(card.last_day))
    span = list_dates(max(first, card.day(now)), last + timedelta(days=1))
    return span if len(span) == 1 or on is None else [one for one in span if one != on.local[:10]]


def _parse_move(card: ClassCard, day: date, text: str, now: float, today: date) -> Change | None:
    """Return the move of a lesson to another day or time of the course, which makes it no longer."""
    text = _SAME_TIME_PATTERN.sub("", text)
    (former,), (where, _, when) = _list_days(card, day, day, now), text.rpartition(" ")
    times = time_parsing.read_hours(f"fri {when}") if ":" in when or (where and "-" in when) else None
    starts, stops = (None, None) if times is None else (times.starts, times.stops)
    named = text if starts is None else where
    named = _LEADING_WORD_PATTERN.sub("", named, count=1)
    to = time_parsing.day_of(named, today) if named else day
    if to is None:
        return None
    begin, end = card.moved.get(former, (card.starts or 0, card.stops or 0))
    first = begin if starts is None else starts
    last, new = first + end - begin if stops is None else stops, to.isoformat()
    if not first < last <= first + end - begin:
        return None
    is_free = to == day or not card.on(to)
    begins = time_parsing.resolve_instant(to, first, time_parsing.load_zone(card.time_zone))
    if not (is_free and begins > now and new <= card.last_day and last < DAY_MINUTES):
        return None
    said = {"former": format_date(former), "day": format_date(new), "begin": clock(first), "end": clock(last)}
    moved = {one: times for one, times in card.moved.items() if one != former} | {new: [first, last]}
    what = "shift" if to == day else "move"
    return what, {**said, "to": new}, {"off": card.off - {new} | {former} - {new}, "moved": moved}


def _parse_hours(card: ClassCard, text: str, today: date) -> dict[str, Any]:
    """Return the fields of ``tue,fri 8:00-9:30 until 12 February``; none if that can't be read."""
    given = {"from": "", "until": ""}
    while (found := _BOUND_PATTERN.fullmatch(text)) and time_parsing.day_of(found[3], today):
        text, given["from" if found[2].casefold() == "from" else "until"] = found[1], found[3]
    wanted = time_parsing.read_hours(text) if text.strip() else card.wanted if any(given.values()) else None
    return build_timetable(wanted, given["from"], given["until"], today, card) if is_timetable(wanted) else {}


def is_timetable(wanted: Wanted | None) -> bool:
    """Return whether hours are lessons: on weekdays, each with a begin and a later end."""
    if wanted is None or wanted.starts is None or wanted.stops is None:
        return False
    return wanted.days <= EVERY_DAY and wanted.starts < wanted.stops < DAY_MINUTES


def build_timetable(
    wanted: Wanted | None, first: str, until: str, today: date, card: ClassCard | None = None
) -> dict[str, Any]:
    """Return the fields of a course's days and times; none for a class, or if its days can't be read.

    What isn't said is as usual, or as ``card`` has it.
    """
    usual = today if card is None else date.fromisoformat(card.first_day)
    begin = time_parsing.day_of(first, today) if first else usual
    last = (begin or today) + timedelta(days=courses_timetable.DEFAULT_COURSE_DAYS)
    last = last if card is None else date.fromisoformat(card.last_day)
    end = time_parsing.day_of(until, max(begin or today, today)) if until else last
    longest = today + timedelta(days=courses_timetable.MAX_COURSE_DAYS)
    if wanted is None or begin is None or end is None or not begin <= end <= longest:
        return {}
    return {**asdict(wanted), "first_day": begin.isoformat(), "last_day": end.isoformat()}


def parse_mentions(text: str) -> list[str]:
    """Return the Slack ids that a text mentions; raises Refused if it names anybody otherwise."""
    found = [one[1] for one in _MENTION_PATTERN.finditer(text) if one[1]]
    if (name := _MENTION_PATTERN.sub("", text).strip()) or not found:
        raise Refused("course.teacher", words.NO_MENTION.format(name=name or words.NOBODY_NAMED))
    return found
