"""*Look again* was pressed on a question about a run: look at once for what the launch may have made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import jobs as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Look again, or say that there is nothing to look for any more."""
    job = await request.services.jobs.look_again(request.principal, request.target or "")
    template = words.LOOKING_AGAIN if job.is_open and job.asked_at is not None else words.NOT_ASKED
    return replies.told(fill(template, name=job.name, title=request.services.title(job.connection)))
