"""*Ask for …* was pressed: open the form for the username."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.approving import question

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the form; its text is for when Slack does not open it."""
    connection, _, text = (request.target or "").partition(" ")
    return await question(request, connection, text)
