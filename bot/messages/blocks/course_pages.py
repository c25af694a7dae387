"""Renders a course for teachers, members and other people, and the form for posting a class card."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from bot.domain import timetable
from bot.domain.message_context import ClassFacts
from bot.domain.notices import Answer
from bot.domain.time_parsing import DAYS
from bot.domain.workspaces import State
from bot.messages.blocks import courses as cards
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.buttons import open_buttons
from bot.messages.blocks.cards import fill_notice
from bot.messages.blocks.kit import Block, Element, Markup, fill
from bot.messages.texts import answers, times
from bot.messages.texts import courses as class_words

NO_COURSES: Final = (
    "No courses yet. To join one, press *Join* on its card in its channel. "
    "To teach one, press the button, or type `{command}card CONNECTION/TEMPLATE` in its channel."
)

THEIRS: Final = "*{name}* is {who}'s course. {then}. To join, press *Join* on its card in its channel."
WRONG: Final = {
    "hours": "Choose the days, and when lessons begin and end on them.",
    **dict.fromkeys(("from", "until"), "A course ends after its first day, and within a year from today."),
    "today": "This is for a single class. Leave it empty for a course.",
    "max": "Enter a whole number from 1 to 5,000.",
}

POST: Final = "Post a class card"
#: Labels and hints for the form's fields. A field that corresponds to a flag of the ``card`` command has the
#: flag's name.
FIELDS: Final = {
    "what": ("What everyone gets", ""),
    "title": ("Title", ""),
    "channel": ("Channel", ""),
    "today": ("Stop the workspaces at", "Everyone is warned first."),
    "hours": ("Lessons on", "Workspaces are ready when each lesson begins."),
    "begin": ("Lessons begin at", ""),
    "end": ("Lessons end at", ""),
    "from": ("First day", ""),
    "until": ("Last day", ""),
    "with": ("Co-teachers", ""),
    "max": ("Places", ""),
}
#: Hint for the text field *What everyone gets*. A form that lists templates has a menu instead of this field.
WHAT_HINT: Final = "A template, such as saturn/course, or everyone's own workspace: notebook"

#: The callback id of the form for a class card. ``FIELD_TYPES`` maps each field to the type of its element,
#: and ``REQUIRED_FIELDS`` lists the mandatory fields.
CARD_CALLBACK: Final = "card"
FIELD_TYPES: Final = {
    **dict.fromkeys(("what", "title", "max"), "plain_text_input"),
    **dict.fromkeys(("begin", "end", "today"), "timepicker"),
    **dict.fromkeys(("from", "until"), "datepicker"),
    "channel": "conversations_select",
    "hours": "checkboxes",
    "with": "multi_users_select",
}
REQUIRED_FIELDS: Final = frozenset({"what", "channel"})
#: Name of the form's page for a course with a timetable. Only this page has the ``COURSE_FIELDS``, and only
#: the page for a single class has the ``CLASS_FIELDS``.
COURSE_PAGE: Final = "course"
COURSE_FIELDS: Final = frozenset({"hours", "begin", "end", "from", "until", "with"})
CLASS_FIELDS: Final = frozenset({"today"})


def render_course(facts: ClassFacts) -> list[Block]:
    """Render a course for a teacher (with buttons that change it), for a member, or for anyone else."""
    card, lines, buttons = (
        facts.card,
        [*cards.format_course(facts), _format_current_or_next_lesson(facts)],
        list[Element](),
    )
    if card.is_over(facts.now):
        lines = [kit.join([lines[0], class_words.COURSE_OVER])]
    elif facts.is_teacher:
        lines.append(_format_counts(facts))
        buttons = _list_change_buttons(facts)
    elif facts.workspace is not None or facts.pending is not None:
        buttons = cards.list_member_buttons(card)
    else:
        who = kit.mention(facts.people.get(card.principal.key))
        lines = [fill(THEIRS, name=card.title, who=who, then=Markup(lines[-1]))]
    own, first = ([], []) if card.is_over(facts.now) else _describe_membership(facts)
    return kit.row(kit.join([*lines, *own], "\n"), [*first, *buttons])


def _describe_membership(facts: ClassFacts) -> tuple[list[str], list[Element]]:
    if facts.pending is not None:
        why, button = cards.describe_missing(facts, facts.pending)
        # Drop the button's colour, because the Home tab already has a coloured button for the account.
        return [fill("You've pressed *Join*, but {why}", why=why)], [kit.without_colour(button)]
    if facts.workspace is None:
        return [], []
    if facts.workspace.state is State.RUNNING:
        buttons = map(kit.without_colour, open_buttons(facts.workspace))
        return [fill_notice("Your workspace *{name}* on {title} is running.", facts.workspace)], [*buttons]
    return [fill_notice("I'll start your workspace *{name}* on {title} for it.", facts.workspace)], []


def _list_change_buttons(facts: ClassFacts) -> list[Element]:
    card, on = facts.card, timetable.find_lesson_on(facts.card, facts.now)
    coming = timetable.find_lesson_after(card, facts.now if on is None else on.at)
    buttons = list[Element]()
    if coming is not None:
        day = times.format_weekday(coming.local[:10], card.day(facts.now))
        label = f"Cancel {day} for everyone"
        press = ButtonValue("course_change", f"{card.id} skip {coming.local[:10]}", at=coming.at)
        buttons.append(kit.button(label, press))
    if timetable.list_days_from_today(card, card.off, facts.now):
        buttons.append(
            kit.button(class_words.HOLD_ALL, ButtonValue("course_change", f"{card.id} resume", number=1))
        )
    buttons += [*cards.list_problem_buttons(facts), *cards.list_end_buttons(facts)]
    return kit.add_labels(buttons, facts.objects)


def _format_counts(facts: ClassFacts) -> str:
    if not facts.counts.joined:
        return "Nobody has joined yet"
    said = ["{joined} joined", *([] if "none" in facts.linking else ["{linked} linked an account"])]
    said += ["{ready} ready"] if timetable.find_lesson_on(facts.card, facts.now) is not None else []
    return fill(" · ".join(said), **asdict(facts.counts))


def _format_current_or_next_lesson(facts: ClassFacts) -> str:
    coming = timetable.find_lesson(facts.card, facts.now)
    if coming is not None and coming.at <= facts.now:
        return fill("A lesson is on until {until}", until=kit.moment(coming.until, facts.now, facts.zone))
    return (
        "No more lessons"
        if coming is None
        else fill("Next lesson: {at}", at=kit.moment(coming.at, facts.now, facts.zone))
    )


def show_no_courses(command: Markup) -> Answer:
    """Explain how to join a course and how to teach one."""
    return kit.message(fill(NO_COURSES, command=command), buttons=[card_button()])


def answer_courses(every: Sequence[ClassFacts]) -> Answer:
    """List courses and the reader's own classes."""
    rows = (render_course(one) if one.card.is_course else cards.render_class(one) for one in every)
    return kit.answer(block for row in rows for block in row)


def ask_end(facts: ClassFacts) -> Answer:
    """Ask whether to end a class or a course."""
    card, label = facts.card, cards.get_words(facts.card).end[2]
    button = kit.button(label, "class_stop", card.id, style=kit.DANGER, of=card.title)
    template, end = class_words.END_CLASS, cards.get_end_words(facts.effects, is_any=card.spec is None)
    effect = fill(class_words.END_COURSE if card.is_course else template, course=card.title, **end)
    problems = [] if card.is_course else cards.list_problem_buttons(facts)
    return kit.message(f"{effect} {fill(answers.TO_CONTINUE, button=label)}", buttons=[button, *problems])


def answer_join_offer(facts: ClassFacts) -> Answer:
    """Explain what joining a course means, with the *Join* button."""
    card = facts.card
    button = kit.button(class_words.JOIN, "class_join", card.id, style=kit.PRIMARY, of=card.title)
    return kit.message(
        kit.join([*cards.format_course(facts), cards.format_joining(facts)], "\n"), buttons=[button]
    )


def _build_field(name: str, **keys: Any) -> Block:
    given = {key: one for key, one in keys.items() if one not in ("", None)}
    element = {"type": FIELD_TYPES[name], "action_id": name} | given
    label, hint = FIELDS[name]
    hint = WHAT_HINT if element["type"] == "plain_text_input" and name == "what" else hint
    return kit.field(name, label, element, hint, optional=name not in REQUIRED_FIELDS)


def card_button() -> Element:
    """Return the button that opens the form of a class card."""
    return kit.button(POST, "card_form")


def build_card_form(channel: str, page: str = "", *, has_choices: bool = False) -> dict[str, Any]:
    """Return the form that posts a class card, with ``channel`` already filled in if it is known.

    Page ``course`` also has the fields for a timetable. If ``has_choices`` is true, the teacher chooses what
    everyone gets from a menu instead of typing it.
    """
    days = [kit.option(day, f"{date(2024, 1, number):%A}") for number, day in enumerate(DAYS, 1)]
    only = {"include": ["public", "private"], "exclude_bot_users": True}
    more: dict[str, dict[str, Any]] = {
        "hours": {"options": days},
        "channel": {"filter": only, "initial_conversation": channel},
    }
    is_course = page == COURSE_PAGE
    names = [name for name in FIELDS if name not in (CLASS_FIELDS if is_course else COURSE_FIELDS)]
    if has_choices:
        more["what"] = {"type": "external_select", "action_id": "card:template", "min_query_length": 0}
    fields = [_build_field(name, **more.get(name, {})) for name in names]
    turn = ("class", "Only one class…") if is_course else (COURSE_PAGE, "Several lessons…")
    fields += kit.actions([kit.button(turn[1], "card_page", turn[0])])
    return kit.modal(
        POST,
        fields,
        submit="Post",
        callback_id=CARD_CALLBACK,
        private_metadata=page,
    )
