"""Say how far a run is: from its row, with its age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks.job_lists import job_status
from handlers.commands.job import list as whole_list
from handlers.runs import run_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the run's card and its age; without a name, with the list where there are several."""
    jobs = request.services.jobs
    if request.target is None and not request.name and len(await jobs.all_of(request.principal)) > 1:
        return await whole_list.handle(request)
    job = await run_of(request)
    (facts,) = await jobs.facts(request.principal, [job])
    return job_status(job, facts)
