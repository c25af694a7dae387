"""Changes to posted courses, made with buttons or typed commands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from bot.domain.courses import ClassCard
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.messages.blocks import course_pages as rooms
from bot.messages.blocks import courses as drawn
from bot.messages.blocks import hours as hours_drawn
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import Element, Markup, fill
from bot.messages.texts import courses as words
from bot.messages.texts.times import join_names
from bot.services import course_changes as cases
from bot.services import courses as use_cases
from bot.store import courses as class_rows
from bot.store import workspaces as workspace_rows
from bot.support.cleaning import STRAIGHT
from bot.support.errors import Refused
from handlers.requests import routes
from handlers.requests.request import Answered, InvalidFields, Request
from handlers.workspace import course_words as orders

#: Verbs that change people's own membership.
_OWN_VERBS = frozenset({"join", "leave"})
Result = TypeVar("Result")


async def find_own_courses(request: Request, text: str) -> list[tuple[ClassCard, bool, str]]:
    """Return the user's courses whose title comes first in a string, each with the rest of the string.

    Each result also says whether the user teaches the course. If some of the courses have their card in this
    channel, only these are returned.
    """
    found = match_titles(await request.caller.read(cases.list_own_courses), text)
    return [one for one in found if one[0].channel_id == request.surface.channel_id] or found


def match_titles(courses: Iterable[tuple[ClassCard, bool]], text: str) -> list[tuple[ClassCard, bool, str]]:
    """Return the courses whose title comes first in a string.

    Spaces, hyphens and underscores are all the same.
    """
    found = []
    for card, is_teacher in courses:
        title = r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", card.title.translate(STRAIGHT))))
        if begun := re.match(rf"{title}(?=\s|$)", text, re.IGNORECASE):
            found.append((card, is_teacher, text[begun.end() :].strip()))
    return found


async def change_by_words(request: Request, text: str) -> Answer | None:
    """Change the course whose title comes first in the text. If there are several, ask which one is meant.

    Return None if the text doesn't begin with a course's title. If none of the user's own courses fits,
    classes are considered, and other people's courses, which administrators may change.
    """
    found = await find_own_courses(request, text) or await _list_others(request, text)
    found = [one for one in found if orders.ORDER_PATTERN.fullmatch(one[2])]
    # A class has no lessons that could be skipped, so it can only be ended.
    found = [one for one in found if one[0].is_course or orders.get_verb(one[2]) == "end"]
    # Someone who doesn't teach the course can only join or leave it.
    found = [one for one in found if one[1] or orders.get_verb(one[2]) in _OWN_VERBS] or found[:1]
    now = request.services.clock.now()
    # If several courses fit, keep those that have a lesson on the days named.
    fitting = [one for one in found if _has_lessons(one[0], one[2], now)] or found[:1]
    if len(fitting) > 1:
        return _ask_which_course(request, [(card, rest) for card, _, rest in fitting])
    return await apply_order(request, fitting[0][0], fitting[0][2]) if fitting else None


def _has_lessons(card: ClassCard, text: str, now: float) -> bool:
    verb, _, rest = text.partition(" ")
    try:
        return verb.casefold() != "skip" or bool(orders.list_days_off(card, rest, now))
    except Refused:
        return False


async def _list_others(request: Request, text: str) -> list[tuple[ClassCard, bool, str]]:
    place, who = request.caller.context.installation, request.principal
    others = [
        (one, place.administers(who, one.principal))
        for one in await request.services.store.read(class_rows.list_courses)
        if place.are_together(who, one.principal)
    ]
    classes = [(one, True) for one, _ in await request.caller.read(cases.list_classes)]
    return match_titles([*others, *classes], text)


def _ask_which_course(request: Request, found: Sequence[tuple[ClassCard, str]]) -> Answer:
    """Ask which course is meant. Each button makes the change that was typed, for one of the courses."""
    blocks, now = [kit.section("Which course do you mean?")], request.services.clock.now()
    for number, (card, text) in enumerate(found):
        verb = orders.get_verb(text)
        days = orders.list_days_off(card, text.partition(" ")[2], now) if verb == "skip" else []
        said = fill(words.ONE_COURSE, name=drawn.format_course_name(card), channel=Markup(card.channel_id))
        press = ButtonValue("course_change", f"{card.id} {verb} {','.join(days)}".strip(), number=number)
        blocks += kit.row(said, [kit.button(drawn.format_course_name(card), press)])
    return kit.answer(blocks)


@routes.action("course_change")
async def change_by_button(request: Request) -> Answer:
    """Make the pressed button's change."""
    card_id, _, text = (request.target or "").partition(" ")
    card = await request.caller.read(use_cases.find_visible_card, card_id)
    verb, _, days = text.partition(" ")
    return replace(await apply_order(request, card, verb, days.split(",") if days else ()), replaces=True)


async def apply_order(request: Request, card: ClassCard, text: str, days: Sequence[str] = ()) -> Answer:
    """Change, join or leave a course, as the words after its title say. May raise Refused or Answered.

    ``days`` are the days that a button names.
    """
    verb, rest = orders.get_verb(text), text.partition(" ")[2].strip()
    if verb == "leave":
        return await leave(replace(request, target=card.id))
    if verb == "join":
        (facts,) = await request.services.gatherer.describe_courses(request.principal, [(card, False)])
        has_joined = facts.workspace is not None or facts.pending is not None
        is_past = has_joined or card.is_over(request.services.clock.now())
        return rooms.answer_courses([facts]) if is_past else rooms.answer_join_offer(facts)
    if verb == "end":
        taught = use_cases.require_teacher
        await require_teacher(request, card.id, request.caller.read(taught, "class_change", card.id))
        (facts,) = await request.services.gatherer.describe_courses(request.principal, [(card, True)])
        return rooms.answer_courses([facts]) if card.is_over(facts.now) else rooms.ask_end(facts)
    days = orders.list_days_off(card, rest, request.services.clock.now()) if rest else days
    if (verb == "skip") is not bool(days):
        return replies.hint(request.fill(words.COURSE_USAGE, course=card.title))
    changed = await require_teacher(request, card.id, request.caller.run(cases.leave_out, card.id, days))
    (facts,) = await request.services.gatherer.describe_courses(request.principal, [(changed, True)])
    return rooms.answer_courses([facts])


async def end_course(request: Request, card: ClassCard) -> Answer:
    """End a course on behalf of its teacher."""
    ended = await require_teacher(request, card.id, request.caller.run(cases.end, card.id))
    said = drawn.format_end(ended, request.services.clock.now(), await request.find_zone())
    return replies.answer(said, replaces=True)


async def find_co_teachers(request: Request, text: str) -> frozenset[str]:
    """Return the keys of the people whom the text mentions.

    If not all of them may teach, raise Refused or Answered or, for a form, InvalidFields.
    """
    resolve = request.services.context.installation.resolve_principal
    named = {resolve(replace(request.principal, user_id=one)) for one in orders.parse_mentions(text)}
    every = sorted(named, key=lambda one: one.key)
    decisions = await asyncio.gather(
        *(replace(request.caller, principal=one).decide("card") for one in every)
    )
    for one, decision in zip(every, decisions, strict=True):
        if not decision.allowed:
            rule = decision.rule.removeprefix("policy.")
            why = words.NO_TEACHER.get(rule) or words.WHY_CAUSE.get(rule, "isn't from this Slack workspace")
            is_form = request.surface.kind == "form"
            names = await request.services.gatherer.find_names(request.principal, one, in_full=is_form)
            who = names[one.key]
            if is_form:
                said = fill(words.BAD_TEACHER, who=kit.name_plainly(who), why=why)
                raise InvalidFields({"with": said})
            raise Answered(replies.hint(fill(words.BAD_TEACHER, who=kit.mention(who), why=why)))
    return frozenset(one.key for one in every) - {request.principal.key}


async def format_people(request: Request, keys: Iterable[str]) -> Markup:
    """Return mentions of these people, joined for use in a sentence."""
    people = await request.services.gatherer.find_names(
        request.principal, *map(Principal.from_key, sorted(keys))
    )
    return Markup(join_names(kit.mention(one) for one in people.values()))


async def require_teacher(request: Request, card_id: str, done: Awaitable[Result]) -> Result:
    """Return the result of an action that is reserved for a card's teacher and administrators.

    For anyone else, raise Answered with the name of the card's owner.
    """
    try:
        return await done
    except Refused as refusal:
        if refusal.rule != "policy.not_teacher":
            raise
        card = await request.caller.read(use_cases.find_visible_card, card_id)
        who = await format_people(request, [card.principal.key])
        said = fill(words.NOT_YOURS, who=who, end=drawn.get_words(card).end[2])
        raise Answered(replies.hint(said)) from None


async def _format_run_end(request: Request, workspace_id: str | None) -> tuple[list[str], list[Element]]:
    services = request.services
    workspace = (
        None
        if workspace_id is None
        else await services.store.read(workspace_rows.find_workspace, workspace_id)
    )
    if workspace is None or not {one.because for one in workspace.planned_stops.rows} & {"lesson", "look"}:
        return [], []
    facts = await services.gatherer.describe_workspace(workspace)
    return hours_drawn.describe_run_end(facts, name=workspace.title)


@routes.action("course_leave")
async def leave(request: Request) -> Answer:
    """Leave a course."""
    card, workspace_id = await request.caller.run(cases.leave, request.target or "")
    ending, buttons = await _format_run_end(request, workspace_id)
    said = [fill("You've left *{course}*.", course=card.title), *(ending or [words.LEFT_NEXT])]
    return replies.answer(kit.join(said), buttons)
