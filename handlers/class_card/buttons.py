"""The buttons of a class card, and of messages about it, for its poster or its participants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.facts import ClassFacts
from bot.messages.blocks import classes as drawn
from bot.messages.blocks import replies
from bot.messages.blocks.classes import at
from bot.messages.blocks.limits import fill
from bot.messages.texts import classes as words
from handlers import routes

if TYPE_CHECKING:
    from bot.domain.models import Answer
    from handlers.request import Request


@routes.action("class_post")
async def post_again(request: Request) -> Answer:
    """Send the card again, unless it is known to have been posted."""
    again = await request.services.classes.post_again(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    return replies.answer(words.POSTED_AGAIN if again else words.STANDS_ALREADY, replaces=True)


@routes.action("class_problems")
async def show_problems(request: Request) -> Answer:
    """Tell the trainer, and nobody else, who is waiting and why."""
    services = request.services
    card, counts, found = await services.classes.problems(request.principal, request.target or "")
    people = await services.names.of(request.principal, *(one.press.principal for one in found))
    facts = ClassFacts(card, services.title(card.connection), services.clock.now(), counts, people=people)
    return drawn.problems_of(facts, found)


@routes.action("class_stop")
async def stop_all(request: Request) -> Answer:
    """End the class: participants are told now, and what they don't keep is stopped five minutes later."""
    services = request.services
    closed = await services.classes.stop_all(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    if closed is None or closed.stops_at is None:
        return replies.hint(words.CLOSED_ALREADY)
    return replies.answer(fill(words.CLOSED, at=at(closed, closed.stops_at, services.clock.now())))


@routes.action("class_keep")
async def keep_mine(request: Request) -> Answer:
    """Keep the presser's workspace out of the class's end."""
    kept = await request.services.classes.keep(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    template = words.KEPT_MINE if kept else words.KEPT_TOO_LATE
    return replies.answer(fill(template, command=request.command), replaces=True)
