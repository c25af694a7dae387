"""A course's room, for its teachers and for who has joined it; its forms, and the form of a class card."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from bot.domain.notices import Answer
from bot.domain.time_parsing import DAYS
from bot.features.courses import messages as cards
from bot.features.courses import page_texts as words
from bot.features.courses import texts as class_words
from bot.features.courses import timetable
from bot.features.courses.model import ClassCard, ClassFacts
from bot.features.hours.model import Occurrence
from bot.messages.blocks import kit
from bot.messages.blocks.home_sections import HomeContent, part
from bot.messages.blocks.kit import Block, ButtonValue, Element, Markup, fill
from bot.messages.texts import answers, times, verbs

#: The forms, and what their fields are.
CHANGE, CARD = "course", "card"
KINDS: Final = {
    **dict.fromkeys(("what", "title", "max"), "plain_text_input"),
    **dict.fromkeys(("begin", "end", "today", "time"), "timepicker"),
    **dict.fromkeys(("from", "until", "day", "off", "back"), "datepicker"),
    "channel": "conversations_select",
    "hours": "checkboxes",
    "with": "multi_users_select",
}
NEEDED: Final = frozenset({"what", "channel", "day", "time", "off", "back"})
#: How many courses a Home shows, each of which is a paragraph and its buttons.
SHOWN: Final = 4


@part(20)
def _of_home(facts: HomeContent) -> list[Block]:
    found: Sequence[ClassFacts] = facts.parts.get("courses", ())
    if not found:
        return []
    left = len(found) - SHOWN
    more = fill(words.MORE, count=left, command=Markup(facts.command)) if left > 0 else ""
    blocks = [block for one in found[:SHOWN] for block in room(one)]
    return [kit.header(words.HEADING), *blocks, *([kit.context(more)] if more else [])]


def room(facts: ClassFacts) -> list[Block]:
    """Draw a course for who teaches it, with what they can change; for who has joined it; for others."""
    card, lines, buttons = facts.card, [*cards.course_lines(facts), _coming(facts)], list[Element]()
    if card.is_over(facts.now):
        lines = [f"{lines[0]} {class_words.COURSE_OVER}"]
    elif facts.teaches:
        is_on = timetable.lesson_on(card, facts.now) is not None
        said = words.COUNTS[is_on] if facts.counts.joined else words.NOBODY
        lines.append(fill(said, **asdict(facts.counts)))
        buttons = _changes(facts)
    elif facts.rule is not None:
        lines.append(fill(words.YOURS, **_whose(facts)))
        buttons = cards.member_buttons(facts, card)
    else:
        who = kit.person(facts.people.get(card.principal.key))
        lines = [fill(words.THEIRS, name=card.title, who=who, then=Markup(lines[-1]))]
    return kit.row("\n".join(lines), buttons)


def _coming(facts: ClassFacts) -> str:
    coming = timetable.lesson(facts.card if facts.teaches else facts.rule or facts.card, facts.now)
    if coming is not None and coming.at <= facts.now:
        return fill(words.ON, until=kit.moment(coming.until, facts.now))
    return words.NO_MORE if coming is None else fill(words.NEXT, at=kit.day_moment(coming.at))


def _changeable(card: ClassCard, now: float) -> Occurrence | None:
    """Return the first lesson that can still be left out or moved."""
    on = timetable.lesson_on(card, now)
    return timetable.following(card, now if on is None else on.at)


def _changes(facts: ClassFacts) -> list[Element]:
    card, counts, coming = facts.card, facts.counts, _changeable(facts.card, facts.now)
    forms, buttons = ["with"], list[Element]()
    if coming is not None:
        forms, day = list(words.FORMS), coming.local[:10]
        skip = class_words.SKIP_DAY.format(day=times.date_of(day))
        typed = f"{card.id} {card.day(facts.now)} skip {day}"
        buttons = [kit.button(skip, ButtonValue("course_change", typed, at=coming.at))]
    buttons += [
        kit.button(f"{words.FORMS[what][0]}…", ButtonValue("course_form", card.id, mark=what))
        for what in forms
    ]
    if counts.waiting or counts.failed:
        buttons.append(kit.button(class_words.PROBLEMS, "class_problems", card.id))
    return [*buttons, *cards.end_buttons(facts)]


def show_no_courses(command: Markup) -> Answer:
    """Show the ways to join a course, and to teach one."""
    return kit.message(fill(words.NO_COURSES, command=command), buttons=[card_button()])


def rooms(every: Sequence[ClassFacts]) -> Answer:
    """Answer with courses."""
    return kit.answer(block for one in every for block in room(one))


def _whose(facts: ClassFacts) -> dict[str, str]:
    return {"pattern": facts.card.pattern or facts.card.template, "title": facts.connection_title}


def joining(facts: ClassFacts) -> Answer:
    """Say what joining a course agrees to, with the button that joins it."""
    card, does = facts.card, fill(class_words.COURSE_JOIN, **_whose(facts))
    button = kit.button(class_words.JOIN, "class_join", card.id, style=kit.PRIMARY)
    return kit.message("\n".join([*cards.course_lines(facts), does]), buttons=[button])


def joined(facts: ClassFacts, named: Sequence[Markup]) -> Block:
    """Say how many joined a course, and who did first where the reader may know it."""
    count, name = facts.counts.joined, facts.card.title
    said = fill(words.WHO, name=name, joined=times.counted(count, "person has", "people have"))
    left = [answers.AND_MORE.format(count=count - len(named))] if 0 < len(named) < count else []
    return kit.section(f"{said} {', '.join([*named, *left])}".rstrip())


def form(card: ClassCard, what: str, now: float, people: Iterable[str]) -> dict[str, Any]:
    """Return the form that moves a course's next lesson, pauses the course, or names its co-teachers."""
    coming, (title, does) = _changeable(card, now), words.FORMS[what]
    day, _, time = ("" if coming is None else coming.local).partition("T")
    fields = {
        "move": [_field("day", initial_date=day), _field("time", initial_time=time)],
        "pause": [_field("off", initial_date=card.day(now).isoformat()), _field("back")],
        "with": [_field("with", initial_users=sorted(people))],
    }
    said = fill(does, name=card.title, day=times.date_of(day) if day else "", zone=card.time_zone)
    submit = words.SAVE if what == "with" else title
    texts = {"submit": submit, "close": verbs.CLOSE, "private_metadata": f"{card.id} {what} {day}"}
    return kit.modal(title, [kit.section(said), *fields[what]], callback_id=CHANGE, **texts)


def _field(name: str, **keys: Any) -> Block:
    element = {"type": KINDS[name], "action_id": name} | {key: one for key, one in keys.items() if one}
    return kit.field(name, words.FIELDS[name][0], element, words.FIELDS[name][1], optional=name not in NEEDED)


def card_button() -> Element:
    """Return the button that opens the form of a class card."""
    return kit.button(words.POST, "card_form")


def card_form(channel: str) -> dict[str, Any]:
    """Return the form that posts a class card, to a channel that may be given."""
    days = [kit.option(day, f"{date(2024, 1, number):%A}") for number, day in enumerate(DAYS, 1)]
    only = {"include": ["public", "private"], "exclude_bot_users": True}
    more: dict[str, dict[str, Any]] = {
        "hours": {"options": days},
        "channel": {"filter": only, "initial_conversation": channel},
    }
    fields = [
        _field(name, **more.get(name, {}))
        for name in words.FIELDS
        if name not in {"day", "time", "off", "back"}
    ]
    return kit.modal(words.POST, fields, submit=words.POST_IT, close=verbs.CLOSE, callback_id=CARD)
