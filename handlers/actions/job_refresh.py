"""*Refresh* on the card of a run: say how far it is, and how old that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks.job_lists import job_status

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the row as it is; a run that goes on is read every few seconds anyway."""
    jobs = request.services.jobs
    job = await jobs.owned(request.principal, "status", request.target or "")
    (facts,) = await jobs.facts(request.principal, [job])
    return job_status(job, facts)
