"""*Force quit* was pressed: the stop that does not ask the IDE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import WishVerb
from handlers.wishes import wish

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Write the wish down; it takes the place of the stop that is not answered."""
    return await wish(request, WishVerb.FORCE)
