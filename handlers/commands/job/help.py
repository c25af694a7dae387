"""Show every verb for jobs in a line, or more on one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.helping import helped

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the catalogue, or with one entry of it."""
    return await helped(request)
