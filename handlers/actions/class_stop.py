"""*Stop all* of a class card was pressed, and confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.classes import at
from bot.blocks.limits import fill
from bot.words import classes as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """End the class: its people are told now, and five minutes later what they did not keep is stopped."""
    services = request.services
    closed = await services.classes.stop_all(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    if closed is None or closed.stops_at is None:
        return replies.problem(words.CLOSED_ALREADY, request.reference)
    return replies.told(fill(words.CLOSED, at=at(closed, closed.stops_at, services.clock.now())))
