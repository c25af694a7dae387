"""Courses after their card was posted: what members press, and what their teachers type."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from bot.domain import moments
from bot.domain.classes import ClassCard
from bot.domain.hours import DAY_MINUTES, clock, dates
from bot.domain.notices import Answer
from bot.messages.blocks import classes as drawn
from bot.messages.blocks import replies
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import classes as words
from bot.messages.texts.times import date_of
from bot.services import calendars
from bot.services import lessons as cases
from handlers import routes
from handlers.request import Request

#: What a change is called, what is said of it, and the fields of the card that it changes.
Change = tuple[str, dict[str, str], dict[str, Any]]
#: What a button says of a day, or of the time after which a lesson is meant.
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{0,11}")
_UNTIL: Final = re.compile(r"\s+(?:to|until|till|-)\s+|\s*[\u2013\u2014]\s*", re.IGNORECASE)
ORDER: Final = re.compile(
    r"(skip|pause|resume|on|move|end)\b\s*(?:(?:on|until|till|from)\b)?\s*(.*)", re.IGNORECASE
)


async def named(request: Request, text: str) -> list[tuple[ClassCard, str]]:
    """Return the courses of a person's Slack workspace with whose title a text begins, and what follows."""
    are_together = request.asked.context.installation.are_together
    return [
        (card, text[len(card.title) :].strip())
        for card in await request.services.store.courses()
        if f"{text.casefold()} ".startswith(f"{card.title.casefold()} ")
        and are_together(request.principal, card.principal)
    ]


async def without(request: Request) -> Answer | None:
    """Answer ``no Statistics on Thursday``: its teacher leaves it out for all, a member for themselves."""
    if request.arguments[:1] not in {("no",), ("No",)}:
        return None
    for card, rest in await named(request, " ".join(request.arguments[1:])):
        change = order(card, f"skip {rest}", card.day(request.services.clock.now()))
        if change is not None and request.principal.key in card.teachers:
            return await changed(request, card, change)
        if change is not None and len(off := change[2]["off"] - card.off) == 1:
            return await skip(replace(request, target=f"{card.id} {min(off)}"))
    return None


def order(card: ClassCard, text: str, today: date) -> Change | None:
    """Return what the words after a course's title change; None if they can't be read or change nothing."""
    found, off = ORDER.fullmatch(text), card.off
    if found is None:
        return None
    verb, (first, last) = found[1].casefold(), [*_UNTIL.split(found[2], maxsplit=1), ""][:2]
    # A pause until Monday is one of a week, on a Monday.
    day = moments.day_of(first, today + timedelta(days=verb == "pause"))
    until = moments.day_of(last, day) if last and day else day
    match verb:
        case "end":
            return "end", {}, {}
        case "on" | "resume":
            off = frozenset(one for one in off if one < today.isoformat())
        case "pause" if day:
            off = off.union(dates(today, day))
        case "skip" if day and until:
            off = off.union(dates(day, until + timedelta(days=1)))
        case "move" if day and last:
            return _move(card, day, last, today)
    if off == card.off:
        return None
    return "skip" if off > card.off else "back", {"days": words.dates_of(off ^ card.off)}, {"off": off}


def _move(card: ClassCard, day: date, text: str, today: date) -> Change | None:
    """Return how a lesson moves to another day or time of the course, and gets no longer."""
    where, _, when = text.rpartition(" ")
    starts = moments.minute_of(when.partition("-")[0]) if ":" in when else None
    to, former = moments.day_of(where if starts else text, today) or day, day.isoformat()
    begin, end = card.moved.get(former, (card.starts or 0, card.stops or 0))
    first = starts[0] if starts else begin
    last, new = first + end - begin, to.isoformat()
    is_free = to == day or not card.on(to)
    if not (card.on(day) and is_free and today <= to and new <= card.last_day and last < DAY_MINUTES):
        return None
    said = {"former": date_of(former), "day": date_of(new), "begin": clock(first), "end": clock(last)}
    moved = {one: times for one, times in card.moved.items() if one != former} | {new: [first, last]}
    what = "shift" if to == day else "move"
    return what, {**said, "to": new}, {"off": card.off - {new} | {former} - {new}, "moved": moved}


async def changed(request: Request, card: ClassCard, change: Change | None) -> Answer:
    """Change a course as its teacher says, and tell them what it is now."""
    if change is None:
        return replies.hint(request.filled(words.COURSE_USAGE, course=card.title))
    what, said, to = change
    now = await request.asked.to(cases.change, card.id, what, said, to)
    news = fill(words.CHANGED[what], course=now.title, lessons=drawn.timetable(now), **said)
    return replies.answer(fill(words.CHANGED_FOR_ALL, news=Markup(news)))


@routes.action("lesson_skip")
async def skip(request: Request) -> Answer:
    """Skip one's next lesson, or the one that a button names."""
    card_id, _, day = (request.target or "").partition(" ")
    rule, day = await request.asked.to(cases.skip, card_id, day if _DAY.fullmatch(day) else "")
    return replies.answer(fill(words.SKIPPING, course=rule.course, day=date_of(day)))


@routes.action("course_leave")
async def leave(request: Request) -> Answer:
    """Leave a course."""
    card = await request.asked.to(cases.leave, request.target or "")
    return replies.answer(fill(words.LEFT_COURSE, course=card.title))


@routes.action("course_calendar")
async def calendar(request: Request) -> Answer:
    """Show the private address of one's lessons for a calendar, once."""
    return drawn.calendar(*await request.asked.to(calendars.address, request.target or ""))


@routes.action("calendar_new")
async def new_calendar(request: Request) -> Answer:
    """Replace that address."""
    return drawn.calendar(*await request.asked.to(calendars.address, request.target or "", renews=True))


@routes.action("calendar_end")
async def end_calendar(request: Request) -> Answer:
    """End that address."""
    card = await request.asked.to(calendars.end, request.target or "")
    return replies.answer(fill(words.CALENDAR_ENDED, course=card.title), replaces=True)
