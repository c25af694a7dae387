"""End a run; with ``--force`` without asking it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.ending import ended
from handlers.runs import run_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Write it down; the card and the message at the end tell the rest."""
    return await ended(request, await run_of(request), force="force" in request.flags)
