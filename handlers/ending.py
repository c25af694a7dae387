"""What *stop*, *Stop* and *Force quit* share: ask for the end of a run, and say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.jobs import outcome_of
from bot.blocks.limits import Markup, fill
from bot.errors import Refused
from bot.words import jobs as words
from handlers.targets import linked

if TYPE_CHECKING:
    from bot.models import Answer, Job
    from handlers.request import Request


async def ended(request: Request, job: Job, *, force: bool) -> Answer:
    """Ask for a run's end; one that is over already is only told."""
    services = request.services
    try:
        wanted, is_open = await services.jobs.stop(
            request.principal, job.id, force=force, interaction=request.surface.interaction
        )
    except Refused as refusal:
        if refusal.rule in {"account.none", "account.refused"}:
            # The same, with a button.
            await linked(request, job.connection)
        raise
    title = services.title(job.connection)
    if not is_open or wanted.state.is_over:
        state = Markup(outcome_of(wanted))
        return replies.told(fill(words.OVER_ALREADY, name=job.name, title=title, state=state))
    template = words.FORCING if wanted.stop_wanted == "force" else words.STOPPING
    return replies.told(fill(template, name=job.name, title=title))
