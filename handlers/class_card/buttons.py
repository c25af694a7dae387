"""The buttons of a class card, and of messages about it, for its poster or its participants."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from bot.domain.facts import ClassFacts
from bot.domain.notices import Answer
from bot.messages.blocks import classes as drawn
from bot.messages.blocks import kit, replies
from bot.messages.blocks.classes import at
from bot.messages.blocks.kit import Element
from bot.messages.blocks.limits import fill
from bot.messages.texts import classes as words
from bot.services import classes
from bot.support.errors import Refused
from handlers import routes
from handlers.request import Answered, Request

Done = TypeVar("Done")


@routes.action("class_post")
async def post_again(request: Request) -> Answer:
    """Send the card again, unless it is known to have been posted."""
    again = await request.asked.to(classes.post_again, request.target or "")
    return replies.answer(words.POSTED_AGAIN if again else words.STANDS_ALREADY, replaces=True)


async def trainers(request: Request, card_id: str, done: Awaitable[Done]) -> Done:
    """Return what a card's trainer or an administrator did; anybody else reads whose its buttons are."""
    try:
        return await done
    except Refused as refusal:
        if refusal.rule != "policy.not_trainer":
            raise
        card = await request.asked.see(classes.seen, card_id)
        people = await request.services.names.of(request.principal, card.principal)
        who = kit.person(people.get(card.principal.key))
        raise Answered(replies.hint(fill(words.NOT_YOURS, who=who))) from None


async def stop_button(request: Request, card_id: str) -> Element:
    """Return *Stop all* with its question, for the card's trainer or an administrator."""
    card = await trainers(request, card_id, request.asked.see(classes.owned, "class_stop", card_id))
    return drawn.stop_button(await request.services.gatherer.of_class(card, request.principal))


@routes.action("class_problems")
async def show_problems(request: Request) -> Answer:
    """Tell the trainer, and nobody else, who is waiting and why."""
    services = request.services
    key = request.target or ""
    card, counts, found = await trainers(request, key, request.asked.see(classes.problems_of, key))
    people = await services.names.of(request.principal, *(one.press.principal for one in found))
    facts = ClassFacts(
        now=services.clock.now(),
        connection=card.connection,
        connection_title=services.title(card.connection),
        card=card,
        counts=counts,
        people=people,
    )
    return drawn.problems_of(facts, found)


@routes.action("class_stop")
async def stop_all(request: Request) -> Answer:
    """End the class: participants are told now, and what they don't keep is stopped five minutes later."""
    services, key = request.services, request.target or ""
    closed = await trainers(request, key, request.asked.to(classes.stop_all, key))
    if closed is None or closed.stops_at is None:
        return replies.hint(words.CLOSED_ALREADY)
    return replies.answer(fill(words.CLOSED, at=at(closed, closed.stops_at, services.clock.now())))


@routes.action("class_keep")
async def keep_mine(request: Request) -> Answer:
    """Keep the presser's workspace out of the class's end."""
    kept = await request.asked.to(classes.keep, request.target or "")
    template = words.KEPT_MINE if kept else words.KEPT_TOO_LATE
    return replies.answer(fill(template, command=request.command), replaces=True)
