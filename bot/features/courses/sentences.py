"""Builders of the labels of courses: orders of a member or a teacher, on days that a text names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from bot.domain import time_parsing
from bot.domain.time_parsing import clock
from bot.features.courses import changes as cases
from bot.features.courses import orders, store, timetable
from bot.features.courses.model import ClassCard
from bot.features.hours.orders import find_days, is_span
from bot.support.errors import Refused
from handlers import intents, vocabulary
from handlers.command_line import join_words
from handlers.intents import Sentence

#: What is typed after a title, by its label, where no day belongs to it.
_WHOLE_COURSE_ORDERS: Final = {"leave": "leave", "end-course": "end"}
#: The most words of a time of day.
_MAX_TIME_WORDS: Final = 6
_SPAN_PATTERN: Final = re.compile(r"\s*(?:[-\u2013\u2014]|\b(?:to|until|till?)\b)\s*")
_HALF_A_DAY: Final = 720
#: Announce a day or a time, and may stand in the place of a title.
_LEADS: Final = frozenset({*time_parsing.LEADS, "on", "from", ""})


@intents.commands("skip")
@intents.commands("move")
@intents.commands("pause-course")
@intents.commands("leave")
@intents.commands("end-course")
async def build_changes(text: Sentence, label: str) -> list[str]:
    """Return the changes of a label to one's courses: to those that are named, or to any."""
    return [
        f"card {join_words((card.title,))} {order}"
        for card, is_teacher in await _list_own(text)
        for order in _list_orders(text, label, card, is_teacher=is_teacher)
    ]


@intents.commands("join")
async def build_joining(text: Sentence, _: str) -> list[str]:
    """Return the way into a course of colleagues that the words name."""
    request, said = text.request, " ".join(text.words)
    place, now = request.caller.context.installation, request.services.clock.now()
    every = await request.services.store.read(store.list_courses)
    return [
        f"card {join_words((card.title,))} join"
        for card in every
        if card.title.casefold() in said
        and place.are_together(request.principal, card.principal)
        and not card.is_over(now)
    ]


@intents.forms("move")
@intents.forms("pause-course")
@intents.forms("leave")
@intents.forms("end-course")
@intents.forms("join")
async def ask_for_course(text: Sentence, _: str) -> list[str]:
    """Return the command of a course's room, where the days of a change or its lesson are missing."""
    titles = [f" {join_words((card.title,))}" for card in text.courses]
    if not titles and {*vocabulary.COURSE_WORDS, "courses"}.isdisjoint(text.words):
        return []
    return [f"courses{one}" for one in titles or [""]]


async def _list_own(text: Sentence) -> Sequence[tuple[ClassCard, bool]]:
    """Return one's own courses that may be meant, and whether one teaches each."""
    named = {one.id for one in text.courses}
    own = await text.request.caller.read(cases.list_own_courses) if named or not text.workspaces else []
    return [one for one in own if not named or one[0].id in named]


def _list_orders(text: Sentence, name: str, card: ClassCard, *, is_teacher: bool) -> list[str]:
    """Return the orders to type after a course's title; only possible ones."""
    if not is_teacher and name != "skip":
        return ["leave"] if name in _WHOLE_COURSE_ORDERS else []
    now, given = text.request.services.clock.now(), text.request.typed_words or text.request.arguments
    spans = [span for span in text.names.find_spans(given) if span.courses]
    titles = {at for span in spans for at in range(span.begin, span.end)}
    # A number in a title is no time.
    words = ["" if at in titles else word for at, word in enumerate(text.words)]
    return [one for one in _read_orders(text, words, name, card, now) if _is_possible(card, one, now)]


def _is_possible(card: ClassCard, order: str, now: float) -> bool:
    try:
        return order == "leave" or orders.parse_order(card, order, now) is not None
    except Refused:
        return False


def _read_orders(text: Sentence, words: Sequence[str], name: str, card: ClassCard, now: float) -> list[str]:
    """Return a change of a course on the days that words name, each span of days on its own."""
    if name in _WHOLE_COURSE_ORDERS:
        return [_WHOLE_COURSE_ORDERS[name]]
    days = find_days(words, card.day(now))
    coming = next(iter(timetable.list_lesson_days(card, now)), "")
    if name == "move":
        return _read_move(text, words, days, card, coming)
    spans = list[tuple[str, date, date | None]]()
    for begin, _, day in days:
        is_last = bool(spans) and is_span(words[begin - 1]) and begin - 1 in {one[1] for one in days}
        lead = words[begin - 1] if begin else ""
        spans[-1:] = [(*spans[-1][:2], day)] if is_last else [*spans[-1:], (lead, day, None)]
    if name == "skip":
        every = [f"skip {first}" + (f" to {last}" if last else "") for _, first, last in spans]
        return every or ([f"skip {coming}"] if coming else [])
    return [
        f"pause from {first} to {last}" if last else f"pause until {first}"
        for lead, first, last in spans
        if last or is_span(lead)
    ]


def _read_move(
    text: Sentence,
    words: Sequence[str],
    days: Sequence[tuple[int, int, date]],
    card: ClassCard,
    coming: str,
) -> list[str]:
    """Return a move of the lesson of the first day, or of the next one, to another day or time."""
    is_target = len(days) > 1 or (bool(days) and is_span(words[days[0][0] - 1]))
    source = days[0][2].isoformat() if len(days) > is_target else coming
    target = days[-1][2].isoformat() if is_target else source
    dated = {at for begin, end, _ in days for at in range(begin, end)}
    places, clock_times = _find_times(["" if at in dated else word for at, word in enumerate(words)], card)
    read = {at for at, word in enumerate(words) if word in _LEADS or is_span(word)} | dated | {*places}
    if not (source and (is_target or clock_times)) or {*text.find_time_places(words)} - read:
        # A move that leaves a time out isn't what was said.
        return []
    return [" ".join(["move", source, "to", target, *clock_times])]


def _find_times(words: Sequence[str], card: ClassCard) -> tuple[range, Sequence[str]]:
    """Return the place of the times of a lesson, and those as typed, none if there is none.

    Of two halves of the day, the one nearer to the lesson is meant.
    """
    usual = card.starts or 0
    for at in range(len(words)):
        for end in range(min(at + _MAX_TIME_WORDS, len(words)), at, -1):
            text = " ".join(words[at:end])
            wanted = time_parsing.read_hours(f"fri {text}") if words[at] else None
            if wanted is None or wanted.starts is None or len(wanted.days) != 1:
                continue
            _, is_open = time_parsing.parse_minute(_SPAN_PATTERN.split(text)[0]) or (0, False)
            later = _HALF_A_DAY if is_open and wanted.starts < _HALF_A_DAY else 0
            distance = wanted.starts - usual
            shift = later if abs(distance + later) < abs(distance) else 0
            both = [one + shift for one in (wanted.starts, wanted.stops) if one is not None]
            return range(at, end), ["-".join(map(clock, both))]
    return range(0), []
