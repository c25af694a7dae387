"""Reports for users, their teachers and Usher admins: what ran, for how long, and at what cost."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.domain.courses import ClassCard
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Where
from bot.domain.time_parsing.days import Window, WindowProblem, make_window, read_window
from bot.domain.usage import GroupUsage, UsageFacts
from bot.messages.blocks import replies
from bot.messages.blocks import usage as drawn
from bot.messages.blocks.usage_picture import draw_week
from bot.messages.texts import usage as words
from bot.messages.verb import Effect, Verb
from bot.services import snapshots
from bot.services import usage as use_cases
from bot.support.pictures import can_draw
from handlers.requests import routes
from handlers.requests.command_line import fold_word
from handlers.requests.request import Request
from handlers.requests.vocabulary import means_everything
from handlers.workspace.courses import match_titles

#: Usage is drawn as a picture if the period is exactly this many days long. Otherwise, it is only described
#: in words.
WEEK_DAYS: Final = 7
TEAM: Final = "team"


@routes.verb(
    Verb(
        usage="usage [WHEN|CLASS|team]",
        summary="show what ran, for how long, and what it cost",
        more=(
            "`usage` alone shows this week. `last week`, `September` or `since Monday` show another time.",
            "`usage CLASS` adds up the class or course of that title, for those who teach it.",
            "`usage team` adds up everybody's, for Usher admins.",
        ),
        group="accounts",
        order=225,
        effect=Effect.SHOWS,
        accepts=("course", "words"),
        also="spending",
        heard="cost costs spent spend money price usage",
        alone="Show my week",
        does="Show usage: {rest}",
    )
)
async def show_usage(request: Request) -> Answer:
    """Answer with the hours and costs of a period. Unless the words name a period, it is this week."""
    request.notes.facts = {"usage": None}
    typed = request.target or ("" if means_everything(request.arguments) else request.name)
    first, _, rest = typed.partition(" ")
    # An assistant learns nothing about other people.
    can_see_others = not request.surface.via
    if can_see_others and fold_word(first) == TEAM:
        return await _show_team(request, rest)
    window = await _read_window(request, typed)
    if not isinstance(window, Window):
        if can_see_others and (found := await _find_cards(request, typed)):
            return await _show_class(request, found)
        return _explain(request, window, typed)
    facts = await _load(request, window)
    if request.surface.via:
        request.notes.facts = {"usage": drawn.describe_usage(request.services.title, facts)}
        request.notes.names = [one.name for one in facts.usage.lines]
    is_drawn = window.days == WEEK_DAYS and bool(facts.usage.lines) and can_draw() and not request.surface.via
    if is_drawn:
        rows = await use_cases.list_rows(request.services.gatherer, request.principal, facts)
        days = [window.first + timedelta(days=number) for number in range(WEEK_DAYS)]
        zone = await request.services.store.zone(request.principal)
        picture = draw_week(rows, days=days, now=facts.now, zone=zone)
        await request.caller.run(use_cases.send_picture, picture.svg, picture.alt_text)
    is_elsewhere = is_drawn and request.surface.where is not Where.DIRECT
    return drawn.answer_usage(facts, request.command, has_picture_elsewhere=is_elsewhere)


async def _load(request: Request, window: Window) -> UsageFacts:
    services, principal = request.services, request.principal
    left, old = await snapshots.load_allowances(services.context, principal)
    if old:
        await request.caller.run(snapshots.request_allowances, old)
    return replace(await services.gatherer.describe_usage(principal, window), left=left)


async def _find_cards(request: Request, text: str) -> list[tuple[ClassCard, str]]:
    cards = await request.caller.read(use_cases.list_cards)
    found = match_titles([(one, True) for one in cards], text)
    return [(one, rest) for one, _, rest in found]


async def _show_class(request: Request, found: Sequence[tuple[ClassCard, str]]) -> Answer:
    """Answer with a class's hours since its card was posted, or in the period that the words name.

    If several cards have that title, take the newest one that was posted before the period ended.
    """
    rest, store = found[0][1], request.services.store
    window = await _read_window(request, rest) if rest else None
    if isinstance(window, str):
        return _explain(request, window, rest)
    is_before = window.until if window is not None else math.inf
    card = next((one for one, _ in found if one.created_at < is_before), found[0][0])
    if window is None:
        zone = await store.zone(request.principal)
        first = datetime.fromtimestamp(card.created_at, zone).date()
        window = make_window(first, datetime.fromtimestamp(await store.now(), zone).date(), zone)
    group = await request.caller.read(use_cases.read_class, card.id, window.since, window.until)
    return await _answer_group(request, card.title, window, group, words.NO_NAMES_OF_CLASS)


async def _show_team(request: Request, text: str) -> Answer:
    window = await _read_window(request, text)
    if not isinstance(window, Window):
        return _explain(request, window, text)
    group = await request.caller.read(use_cases.read_team, window.since, window.until)
    return await _answer_group(request, "Everybody", window, group, words.NO_NAMES_OF_TEAM)


async def _answer_group(
    request: Request, name: str, window: Window, group: GroupUsage, why_no_names: str
) -> Answer:
    keys = [key for key, _ in group.by_person[: drawn.MAX_PEOPLE]]
    people = await request.services.gatherer.find_names(request.principal, *map(Principal.from_key, keys))
    titles = {one: request.services.title(one) for one, _, _ in group.by_connection}
    now = request.services.clock.now()
    return drawn.answer_group(name, window, group, titles, people, now, why_no_names)


def _explain(request: Request, problem: WindowProblem, given: str) -> Answer:
    return replies.hint(drawn.explain_window(problem, given, request.command))


async def _read_window(request: Request, text: str) -> Window | WindowProblem:
    store = request.services.store
    return read_window(text, await store.zone(request.principal), await store.now())


@routes.action("weekly_on")
async def turn_on(request: Request) -> Answer:
    """Begin to send the user a summary of last week's hours every Monday."""
    return await _set_weekly(request, is_on=True)


@routes.action("weekly_off")
async def turn_off(request: Request) -> Answer:
    """Stop sending the user the weekly summary of hours."""
    return await _set_weekly(request, is_on=False)


async def _set_weekly(request: Request, *, is_on: bool) -> Answer:
    await request.caller.run(use_cases.set_weekly, is_on=is_on)
    said = words.WEEKLY_ON if is_on else "I won't send you last week's hours any more."
    return replies.answer(said, [drawn.weekly_button(is_on=is_on)])
