"""*Let it go* was pressed for a run that has not begun, or can't be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.jobs import outcome_of
from bot.blocks.limits import Markup, fill
from bot.models import Call
from bot.words import jobs as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Follow the run no more; one that is over already is only told."""
    job = await request.services.jobs.let_go(request.principal, request.target or "")
    title = request.services.title(job.connection)
    if not job.is_open:
        state = Markup(outcome_of(job))
        return replies.told(fill(words.OVER_ALREADY, name=job.name, title=title, state=state))
    is_launched = job.remote_id is not None or job.launch_call is not Call.NONE
    template = words.LET_GONE if is_launched else words.NOT_LAUNCHING
    return replies.told(fill(template, name=job.name, title=title))
