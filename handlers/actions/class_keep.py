"""*Keep mine* was pressed: the consent to the end of a class is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import classes as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Leave the presser's workspace alone."""
    kept = await request.services.classes.keep(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    template = words.KEPT_MINE if kept else words.KEPT_TOO_LATE
    return replies.told(fill(template, command=request.command), replaces=True)
