"""Stop a workspace, or call off a start that is under way; with ``--force`` without asking the IDE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import WishVerb
from handlers.wishes import wish

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Write the wish down; the card and the messages in the direct message tell the rest."""
    return await wish(request, WishVerb.FORCE if "force" in request.flags else WishVerb.STOP)
