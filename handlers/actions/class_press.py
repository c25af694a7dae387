"""The button of a class card was pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.class_pressing import pressed

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Act for the presser; the answer is theirs alone."""
    return await pressed(request, request.target or "")
