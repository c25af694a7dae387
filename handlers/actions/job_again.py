"""*Run again* was pressed: another run of the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.errors import Refused
from bot.words import jobs as words
from handlers.launching import started
from handlers.targets import linked

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Launch what an earlier run of this person was launched with; that one stays as it is."""
    jobs = request.services.jobs
    job = await jobs.owned(request.principal, "run", request.target or "")
    if not job.spec:
        sentence = fill(words.NO_SPEC, name=job.name, command=request.command)
        return replies.problem(sentence, request.reference)
    try:
        again = await jobs.launch(
            request.principal,
            job.connection,
            job.spec,
            interaction=request.surface.interaction,
            reference=request.reference,
            channel_id=request.surface.channel_id,
        )
    except Refused as refusal:
        if refusal.rule in {"account.none", "account.refused"}:
            await linked(request, job.connection)
        raise
    return started(request, again.name, again.connection)
