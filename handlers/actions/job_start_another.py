"""*Start another* was pressed: nobody can tell whether the first run was launched, and its person decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import jobs as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Launch another run, once; a question that has been answered since is not answered again."""
    job, is_asked = await request.services.jobs.start_another(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    template = words.STARTING_ANOTHER if is_asked else words.NOT_ASKED
    return replies.told(fill(template, name=job.name, title=request.services.title(job.connection)))
