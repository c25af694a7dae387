"""A course's page: requested in words or by a button, changed by its buttons and forms; a card's form."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from bot.domain.forms import Value
from bot.domain.notices import Answer
from bot.domain.people import Named, Principal
from bot.domain.time_parsing import DAYS
from bot.features.courses import card_verbs, changes, orders, use_cases, verbs
from bot.features.courses import page_messages as drawn
from bot.features.courses import page_texts as words
from bot.features.courses import texts as class_words
from bot.features.courses.message_context import load_courses
from bot.features.courses.model import ClassCard
from bot.messages.blocks import kit, replies
from bot.messages.verb import Effect, Verb
from bot.support.errors import Refused
from handlers import routes
from handlers.command_line import Quoted, join_words
from handlers.payload import parse_values
from handlers.request import InvalidFields, Request

#: The fields of a card's form that are flags.
_FLAG_FIELDS: Final = ("title", "hours", "from", "until", "max", "with")


@routes.verb(
    Verb(
        usage="courses [TITLE]",
        summary="show your courses, or one, and when the next lesson is",
        group="class",
        order=140,
        effect=Effect.SHOWS,
        accepts=("course", "words"),
        also="course class classes lesson lessons",
        alone="Show my courses",
        does="Show {rest}",
    )
)
async def show(request: Request) -> Answer:
    """Show one's own courses, or the one with a title."""
    named = await verbs.find_own_courses(request, request.name) if request.name else []
    shown = [(card, is_teacher) for card, is_teacher, rest in named if not rest]
    shown = shown or list(await request.caller.read(changes.list_own_courses))
    if not shown:
        return drawn.show_no_courses(request.command)
    answer = await _show_courses(request, shown)
    if not named or len(shown) > 1:
        return answer
    members = await _list_members(request, shown[0][0])
    return kit.with_blocks(answer, (*answer.blocks[:1], members, *answer.blocks[1:]))


async def _show_courses(request: Request, every: Sequence[tuple[ClassCard, bool]]) -> Answer:
    return drawn.answer_courses(await load_courses(request.services.gatherer, request.principal, every))


def _is_teacher(request: Request, card: ClassCard) -> bool:
    """Return whether they may change a course: an Usher admin may, too."""
    who, installation = request.principal, request.caller.context.installation
    return who.key in card.teachers or installation.administers(who, card.principal)


async def _list_members(request: Request, card: ClassCard) -> kit.Block:
    """Return the line with the number of a course's members, and their names to its teachers."""
    found = (
        await request.caller.read(changes.list_first_members, card.id) if _is_teacher(request, card) else []
    )
    people = await request.services.names.find_names(request.principal, *(one.principal for one in found))
    (facts,) = await load_courses(request.services.gatherer, request.principal, [(card, True)])
    return drawn.format_members(facts, list(map(kit.mention, people.values())))


@routes.action("course_room")
async def show_course(request: Request) -> Answer:
    """Answer the button on a course's card: with the course's page, or its owner's name."""
    card = await request.caller.read(use_cases.find_visible_card, request.target or "")
    return await _show_courses(request, [(card, _is_teacher(request, card))])


async def _find_taught_course(request: Request, card_id: str) -> ClassCard:
    """Return a course that they may change; raises Answered with its owner's name."""
    found = request.caller.read(use_cases.require_teacher, "class_change", card_id)
    return await verbs.require_teacher(request, card_id, found)


@routes.action("course_form")
async def open_form(request: Request) -> Answer:
    """Open the form of a button; if none can be opened, answer with the words to type."""
    card, press = await _find_taught_course(request, request.target or ""), request.press
    people = [Principal.from_key(key).user_id for key in card.co_teachers]
    what = press.mark if press is not None and press.mark in words.COURSE_FORMS else "with"
    view = drawn.build_course_form(card, what, request.services.clock.now(), people)
    usage = request.fill(class_words.COURSE_USAGE, course=card.title)
    return replace(replies.hint(usage), view=view)


@routes.view(drawn.COURSE_CALLBACK)
async def submit_form(request: Request) -> Answer:
    """Change a course as its form says, in the words that can be typed; name its co-teachers."""
    (key, what, former), sent = request.form_payload.split(" "), parse_values(request.view)
    card = await _find_taught_course(request, key)
    if what == "with":
        named = {replace(card.principal, user_id=user).key for user in sent.get("with", ())}
        await verbs.check_teachers(request, named - card.teachers)
        change: orders.Change = ("teachers", {}, {"co_teachers": frozenset(named) - {card.principal.key}})
        return await verbs.change_course(request, card, change)
    field, back, now = "back", str(sent.get("back") or ""), request.services.clock.now()
    off = max(str(sent.get("off") or ""), card.day(now).isoformat())
    typed = f"pause {off} to {date.fromisoformat(back) - timedelta(days=1)}" if back > off else ""
    if what == "move":
        field, typed = "day", f"move {former} to {sent.get('day')} {sent.get('time')}"
    try:
        is_change = orders.parse_order(card, typed, now) is not None
    except Refused:
        is_change = False
    if not is_change:
        raise InvalidFields({field: words.WRONG[field]})
    return await verbs.apply_order(request, key, typed)


@routes.view(drawn.CARD_CALLBACK)
async def submit_card(request: Request) -> Answer:
    """Post the card of a form, as if it had been typed; problems are shown at its fields."""
    sent = {name: _format_value(value) for name, value in parse_values(request.view).items()}
    is_course = bool(sent.keys() & {"hours", "begin", "end", "from", "until"})
    if is_course and "today" in sent:
        raise InvalidFields({"today": words.WRONG["today"]})
    if is_course:
        sent["hours"] = f"{sent.get('hours', '')} {sent.get('begin', '')}-{sent.get('end', '')}"
    flags, what = {"until": sent.get("today", ""), **sent}, sent.get("what", "")
    # Nobody is asked about a name that was entered as one.
    what = what if "/" in what else Quoted(what)
    typed = [
        "card",
        join_words([what]),
        *(f"--{name} {flags[name]}" for name in _FLAG_FIELDS if flags.get(name)),
    ]
    surface = replace(request.surface, channel_id=sent.get("channel"))
    asked = replace(request.redirect("workspace", "card", (what,)), text=" ".join(typed), surface=surface)
    try:
        return await card_verbs.post(asked)
    except InvalidFields as wrong:
        if not is_course and "until" in wrong.errors:
            raise InvalidFields({"today": wrong.errors["until"]}) from None
        # Without lessons nothing else about them can be read.
        first = {"hours"} & wrong.errors.keys() or wrong.errors
        raise InvalidFields({name: words.WRONG.get(name, wrong.errors[name]) for name in first}) from None


def _format_value(value: Value) -> str:
    """Format a field's value as it is typed: people are mentioned."""
    if isinstance(value, str):
        return value
    return ",".join(one if one in DAYS else kit.mention(Named(one)) for one in value)
