"""*Keep waiting* was pressed for a run that has not begun, or can't be looked at: a new deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.jobs import outcome_of
from bot.blocks.limits import Markup, fill
from bot.words import jobs as words
from bot.words import times

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Wait on, or say how it ended meanwhile."""
    jobs = request.services.jobs
    job = await jobs.owned(request.principal, request.verb, request.target or "")
    kept = await jobs.keep_waiting(request.principal, job.id, interaction=request.surface.interaction)
    if kept is None:
        title, state = request.services.title(job.connection), Markup(outcome_of(job))
        return replies.told(fill(words.OVER_ALREADY, name=job.name, title=title, state=state))
    return replies.told(fill(words.KEPT_WAITING, name=job.name, time=times.duration(jobs.deadline_seconds)))
