"""The time in a request: ``start notebook for 2h``, ``stop notebook at 6pm``; only stops can be planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain import moments
from bot.domain.moments import FARTHEST_SECONDS, Moment, Unread
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.workspaces import SOONEST_SECONDS, Workspace
from bot.messages.blocks import buttons as drawn
from bot.messages.blocks import replies
from bot.messages.blocks.buttons import LENGTHS
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import cards, talk
from handlers.command_line import written
from handlers.language.reading import Reading
from handlers.request import Answered, Request
from handlers.services import Services

#: The words that announce until when something runs; the others announce when something is done.
_UNTIL: Final = frozenset({"for", "until", "till", "til", "'til"})
_STOPS: Final = frozenset({"stop", "suspend"})
_STARTS: Final = frozenset({"start", "restart", "resume"})


def refuse(request: Request, reading: Reading, chosen: Sequence[Workspace]) -> None:
    """Raise Answered for what can't be planned, with what can be typed for what was chosen."""
    template = _refusal(reading)
    if template:
        verb = "stop" if template == cards.ONLY_STOPS else reading.what
        raise Answered(_example(template, request, verb, [one.title for one in chosen]))


def _refusal(reading: Reading) -> str:
    verb, when = reading.what, reading.when
    if reading.is_repeated:
        return cards.REPEATED
    if when is None:
        return ""
    is_until = when.lead in _UNTIL
    if verb in _STARTS and when.lead and not is_until:
        return cards.START_LATER
    if verb in _STOPS and is_until:
        return cards.STOP_FOR
    return "" if verb in _STOPS | _STARTS | {"keep"} else cards.ONLY_STOPS


async def timed(request: Request, reading: Reading) -> Request:
    """Return a request with the moment that was read; raises Answered for what is none."""
    request, when = replace(request, more=reading.more), reading.when
    if when is None or _refusal(reading):
        return request
    found = await typed_moment(request.services, request.principal, when.text)
    if isinstance(found, Unread) and len(reading.which.named) == 1 and reading.what in talk.DO_AT:
        raise Answered(await _either(request, reading.which.named[0], when.text, found))
    if not isinstance(found, Moment):
        raise Answered(replies.hint(replies.unread(found, when.text, SOONEST_SECONDS)))
    return replace(request, at=found.at, moment=found)


async def _either(request: Request, workspace: Workspace, given: str, unread: Unread) -> Answer:
    """Ask which of two times is meant, with a button for each."""
    found = [await typed_moment(request.services, request.principal, one) for one in unread.options]
    pairs = zip(unread.options, found, strict=True)
    times = {one: moment.at for one, moment in pairs if isinstance(moment, Moment)}
    name = Markup(line(workspace.title))
    labels = [fill(talk.DO_AT[request.verb], name=name, then=one) for one in times]
    rows = [workspace] * len(labels)
    buttons = drawn.choices(request.verb, rows, labels, list(times.values()))
    return replies.hint(replies.unread(unread, given, SOONEST_SECONDS), buttons)


async def moment_of(request: Request) -> Moment | None:
    """Return the moment that was read, or that a button was drawn for; raises Answered if that has passed."""
    if request.moment is not None or request.at is None:
        return request.moment
    drawn_for = moment_at(request.at, await request.services.store.now())
    if drawn_for is None:
        raise Answered(replies.hint(fill(cards.PASSED, command=request.command, name="NAME")))
    return drawn_for


async def typed_moment(services: Services, principal: Principal, text: str) -> Moment | Unread:
    """Return the moment that a text names in a person's zone, or why there is none."""
    person = await services.store.person(principal)
    zone = moments.zone_of(person.time_zone if person is not None else None)
    return moments.read(text, zone, await services.store.now(), soonest=SOONEST_SECONDS)


async def chosen_moment(
    services: Services, principal: Principal, minutes: str, typed: str
) -> Moment | Unread | None:
    """Return the moment that a form names, typed or as one of its lengths; None if it names nothing."""
    if not typed and minutes not in LENGTHS:
        return None
    return await typed_moment(services, principal, typed or f"{minutes} min")


def moment_at(second: float, now: float) -> Moment | None:
    """Return the moment that a button was drawn for, unless it has passed."""
    return Moment(second) if now < second <= now + FARTHEST_SECONDS else None


def only_stops(request: Request, titles: Sequence[str]) -> Answer:
    """Say that nothing but a stop can be planned, and how."""
    return _example(cards.ONLY_STOPS, request, "stop", titles)


def _example(template: str, request: Request, verb: str, titles: Sequence[str]) -> Answer:
    """Say what can't be timed so, with a command that can, for the workspace that is meant."""
    name = titles[0] if len(titles) == 1 else "NAME"
    lead = Markup("at" if verb in _STOPS else "until")
    typed = Markup(line(written((name,))))
    return replies.hint(
        fill(template, command=request.command, name=name, typed=typed, verb=Markup(verb), lead=lead)
    )
