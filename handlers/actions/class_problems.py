"""*Show problems* of a class card was pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import classes as drawn
from bot.blocks.class_facts import ClassFacts

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Tell the trainer, and nobody else, who waits and why."""
    services = request.services
    card, counts, found = await services.classes.problems(request.principal, request.target or "")
    facts = ClassFacts(card, services.title(card.connection), services.clock.now(), counts)
    return drawn.problems_of(facts, found)
