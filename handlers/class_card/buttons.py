"""The buttons of a class card, and of messages about it, for its poster or its participants."""

from __future__ import annotations

from bot.domain.facts import ClassFacts
from bot.domain.models import Answer, ClassCard
from bot.messages.blocks import classes as drawn
from bot.messages.blocks import kit, replies
from bot.messages.blocks.classes import at
from bot.messages.blocks.kit import Element
from bot.messages.blocks.limits import fill
from bot.messages.texts import classes as words
from bot.support.errors import Refused
from handlers import routes
from handlers.request import Answered, Request


@routes.action("class_post")
async def post_again(request: Request) -> Answer:
    """Send the card again, unless it is known to have been posted."""
    again = await request.services.classes.post_again(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    return replies.answer(words.POSTED_AGAIN if again else words.STANDS_ALREADY, replaces=True)


async def trainers(request: Request, verb: str, card_id: str) -> ClassCard:
    """Return the card to its trainer or an administrator; anybody else reads whose its buttons are."""
    classes = request.services.classes
    try:
        return await classes.owned(request.principal, verb, card_id)
    except Refused as refusal:
        if refusal.rule != "policy.not_trainer":
            raise
        card = await classes.card(request.principal, card_id)
        people = await request.services.names.of(request.principal, card.principal)
        who = kit.person(people.get(card.principal.key))
        raise Answered(replies.hint(fill(words.NOT_YOURS, who=who))) from None


async def stop_button(request: Request, card_id: str) -> Element:
    """Return *Stop all* with its question, for the card's trainer or an administrator."""
    card = await trainers(request, "class_stop", card_id)
    return drawn.stop_button(await request.services.gatherer.of_class(card, request.principal))


@routes.action("class_problems")
async def show_problems(request: Request) -> Answer:
    """Tell the trainer, and nobody else, who is waiting and why."""
    services = request.services
    await trainers(request, "class_problems", request.target or "")
    card, counts, found = await services.classes.problems(request.principal, request.target or "")
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
    services = request.services
    await trainers(request, "class_stop", request.target or "")
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
