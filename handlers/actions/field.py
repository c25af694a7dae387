"""A field of a form changed that others depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.making import redrawn

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Redraw the form with what the new value leaves to choose."""
    return await redrawn(request)
