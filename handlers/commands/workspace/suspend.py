"""Suspend a workspace: it stops, and keeps what is in its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import WishVerb
from handlers.wishes import wish

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Write the wish down, where the provider can suspend; the card tells the rest."""
    return await wish(request, WishVerb.SUSPEND)
