"""*Enter code* was pressed: open the form for the code that the link page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:  # noqa: ARG001 - every handler is called alike
    """Answer with the form; its text is for when Slack does not open it."""
    return replies.code_question()
