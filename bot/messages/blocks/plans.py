"""Lines and buttons about the working hours and lessons that start and stop a workspace."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain import timetable as courses_timetable
from bot.domain.courses import ClassCard
from bot.domain.hours import HoursRule, group_days
from bot.domain.message_context import ClassFacts, WorkspaceFacts
from bot.domain.time_parsing import DAYS, EVERY_DAY, clock, resolve_instant
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Element, Markup, fill
from bot.messages.texts import courses as texts
from bot.messages.texts import hours as words
from bot.messages.texts import times

#: A day on which no time zone changes its clocks, used to format times of day.
_ANY_DAY: Final = date(2024, 1, 15)


def format_time_of_day(minutes: int | None, reader_zone: ZoneInfo | None) -> Markup:
    """Format a recurring time in the reader's style, with a 12- or 24-hour clock.

    If there are several readers, or the reader's time zone is unknown, the time is plain text, because Slack
    would show each reader a different time.
    """
    if minutes is None or reader_zone is None:
        return Markup(clock(minutes))
    at = resolve_instant(_ANY_DAY, minutes, reader_zone)
    return Markup(f"<!date^{at:.0f}^{{time}}|{clock(minutes)}>")


def format_zones(zones: Iterable[str], reader_zone: ZoneInfo | None) -> Markup:
    """Name the time zones of recurring times, as in `` (Singapore)``, unless all are the reader's own."""
    found = dict.fromkeys(zones)
    if reader_zone is not None and found.keys() <= {reader_zone.key}:
        return Markup("")
    cities = (one.rpartition("/")[2].replace("_", " ") for one in found)
    return Markup(f" ({', '.join(map(kit.line, cities))})") if found else Markup("")


def format_rule(rule: HoursRule, now: float, reader_zone: ZoneInfo | None) -> Markup:
    """Format hours, as in ``weekdays 09:00–18:00``."""
    named = [day.capitalize() for day in DAYS if day in rule.days]
    named += [times.format_date(day, rule.day(now)) for day in sorted(rule.days - EVERY_DAY)]
    days = words.DAY_NAMES.get(rule.days) or ", ".join(named)
    template = "{days} {begin}\u2013{end}" if rule.starts is not None else "{days} until {end}"
    template = "{days} from {begin}" if rule.stops is None else template
    begin, end = (format_time_of_day(one, reader_zone) for one in (rule.starts, rule.stops))
    return Markup(template.format(days=days, begin=begin, end=end))


def format_weekdays(named: Collection[str]) -> str:
    """Format weekdays, as in ``Tuesdays and Thursdays``."""
    if named == EVERY_DAY:
        return "every day"
    return times.join_names(
        f"{date(2024, 1, number):%A}s" for number, day in enumerate(DAYS, 1) if day in named
    )


def format_days_off(card: ClassCard, now: float) -> list[str]:
    """Return a line that lists the coming days without a lesson, or [] if there are none."""
    off = courses_timetable.list_days_from_today(card, card.off, now)
    days = times.format_dates(group_days(card, off), card.day(now))
    return [fill("No lessons {days}.", days=days)] if off else []


def format_timetable(card: ClassCard, now: float, reader_zone: ZoneInfo | None) -> Markup:
    """Format a course's days, times and last day: ``Tuesdays, 08:00–09:30 (UTC), until 12 Feb``."""
    begin, end = (format_time_of_day(one, reader_zone) for one in (card.starts, card.stops))
    names = {
        "begin": begin,
        "end": end,
        "zone": format_zones([card.time_zone], reader_zone),
        "last": times.format_date(card.last_day, card.day(now)),
    }
    return Markup(fill("{days}, {begin}–{end}{zone}, until {last}", days=format_weekdays(card.days), **names))


def list_lessons(facts: WorkspaceFacts) -> list[str]:
    """Return a line for each course whose lessons use this workspace."""
    return [
        " ".join(
            [
                fill(
                    texts.COURSE_HOURS, course=one.title, lessons=format_timetable(one, facts.now, facts.zone)
                ),
                *format_days_off(one, facts.now),
            ]
        )
        for one in facts.lessons
    ]


def list_lesson_buttons(facts: WorkspaceFacts) -> list[Element]:
    """Return one button for each course that the person has joined, to leave that course."""
    numbers = range(len(facts.lessons)) if len(facts.lessons) > 1 else [None]
    return [
        kit.button(
            f"Leave {one.title}",
            ButtonValue("course_leave", one.id, number=at),
        )
        for at, one in zip(numbers, facts.lessons, strict=False)
    ]


def name_stopper(facts: ClassFacts) -> Markup:
    """Name the person who is ending the class."""
    return kit.mention(facts.people.get(facts.card.stopper))
