"""Show what a run writes: below its card, in the direct message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import jobs as words
from handlers.runs import run_of
from handlers.targets import linked

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Have the output shown from now on; a run that a list found gets its card by this."""
    services = request.services
    job = await run_of(request)
    title = services.title(job.connection)
    provider = services.connections.get(job.connection)
    if provider is not None and "job_output" not in provider.capabilities():
        return replies.problem(fill(words.NO_LOGS, title=title), request.reference)
    if job.remote_id is None and not job.is_open:
        return replies.problem(fill(words.NOT_HANDED_OVER, name=job.name), request.reference)
    if provider is not None:
        await linked(request, job.connection)
    watched = await services.jobs.watch(
        request.principal,
        job.id,
        interaction=request.surface.interaction,
        channel_id=request.surface.channel_id,
    )
    template = words.SHOWING if watched.remote_id is not None else words.SHOWING_LATER
    return replies.told(fill(template, name=watched.name))
