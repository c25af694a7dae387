"""A course's page, opened by a command or a button, and the form for a class card."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.courses import ClassCard
from bot.domain.forms import Value
from bot.domain.notices import Answer
from bot.domain.people import Named
from bot.domain.time_parsing import DAYS
from bot.messages.blocks import course_pages as drawn
from bot.messages.blocks import kit
from bot.services import courses as use_cases
from handlers.requests import routes
from handlers.requests.command_line import Quoted, join_words
from handlers.requests.payload import parse_values
from handlers.requests.request import InvalidFields, Request
from handlers.workspace import class_cards as card_verbs

_FLAG_FIELDS: Final = ("title", "hours", "from", "until", "max", "with")


async def show_courses(request: Request, cards: Sequence[ClassCard]) -> Answer:
    """Show courses. The reader sees more of a course if they teach it."""
    every = [(card, _is_teacher(request, card)) for card in cards]
    return drawn.answer_courses(await request.services.gatherer.describe_courses(request.principal, every))


def _is_teacher(request: Request, card: ClassCard) -> bool:
    who, installation = request.principal, request.caller.context.installation
    return who.key in card.teachers or installation.administers(who, card.principal)


@routes.action("course_room")
async def show_course(request: Request) -> Answer:
    """Show the course whose card was clicked."""
    card = await request.caller.read(use_cases.find_visible_card, request.target or "")
    return await show_courses(request, [card])


@routes.view(drawn.CARD_CALLBACK)
async def submit_card(request: Request) -> Answer:
    """Post the card that the form describes. If there are errors, show them next to the form's fields."""
    sent = {name: _format_value(value) for name, value in parse_values(request.view).items()}
    is_course = request.form_payload == drawn.COURSE_PAGE or bool(
        sent.keys() & {"hours", "begin", "end", "from", "until"}
    )
    if is_course and "today" in sent:
        raise InvalidFields({"today": drawn.WRONG["today"]})
    if is_course:
        sent["hours"] = f"{sent.get('hours', '')} {sent.get('begin', '')}-{sent.get('end', '')}"
    flags, what = {"until": sent.get("today", ""), **sent}, sent.get("what", "")
    # The name has its own field, so it is certainly a name and needs no confirmation.
    what = what if "/" in what else Quoted(what)
    typed = [
        "card",
        join_words([what]),
        *(f"--{name} {flags[name]}" for name in _FLAG_FIELDS if flags.get(name)),
    ]
    surface = request.surface._replace(channel_id=sent.get("channel"))
    asked = replace(request.redirect("workspace", "card", (what,)), text=" ".join(typed), surface=surface)
    try:
        return await card_verbs.post(asked)
    except InvalidFields as wrong:
        if not is_course and "until" in wrong.errors:
            raise InvalidFields({"today": wrong.errors["until"]}) from None
        # If the hours can't be read, show only that problem. Something like *--x* in a title is read as a
        # flag, which has no field.
        first = {"hours"} & wrong.errors.keys() or wrong.errors
        errors = {name: drawn.WRONG.get(name, wrong.errors[name]) for name in first}
        raise InvalidFields(
            {name if name in drawn.FIELDS else "title": said for name, said in errors.items()}
        ) from None


def _format_value(value: Value) -> str:
    if isinstance(value, str):
        return value
    return ",".join(one if one in DAYS else kit.mention(Named(one)) for one in value)
