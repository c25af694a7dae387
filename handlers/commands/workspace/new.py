"""Create a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.making import open_form

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Open the form of the connection that is meant, filled with what was chosen the last time."""
    return await open_form(request, "workspace", request.arguments)
