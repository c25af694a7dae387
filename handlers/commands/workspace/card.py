"""Post a class card: one button in a channel with which each person gets their own workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.class_posting import posted

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Write the card down; it comes into the channel where this was written."""
    return await posted(request)
