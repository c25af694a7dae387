"""*Force quit* was pressed on the card of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.ending import ended

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Ask for a forced end of the run."""
    job = await request.services.jobs.owned(request.principal, "stop", request.target or "")
    return await ended(request, job, force=True)
