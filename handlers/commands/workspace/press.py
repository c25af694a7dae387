"""Press a class card once more: what a press that had to wait goes on with. Help does not show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.class_pressing import pressed

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Take the press; who presses is who it acts for."""
    return await pressed(request, request.name)
