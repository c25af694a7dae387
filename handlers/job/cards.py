"""Buttons on a run's cards that aren't verbs."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.domain.workspaces import Call
from bot.messages.blocks import replies
from bot.messages.blocks.limits import fill
from bot.messages.texts import runs as words
from bot.messages.texts import times
from bot.services import runs
from handlers import routes
from handlers.job.stopping import over_already
from handlers.request import Request


@routes.action("job_keep_waiting")
async def keep_waiting(request: Request) -> Answer:
    """Extend the wait, or say how the run has ended in the meantime."""
    run, is_open = await request.asked.to(runs.keep_waiting, request.target or "")
    if not is_open:
        return over_already(request, run)
    time = times.duration(request.services.context.deadline_seconds)
    return replies.answer(fill(words.KEPT_WAITING, name=run.name, time=time))


@routes.action("job_let_go")
async def let_go(request: Request) -> Answer:
    """Stop following the run; if it is already over, just say so."""
    run = await request.asked.to(runs.let_go, request.target or "")
    if not run.is_open:
        return over_already(request, run)
    is_launched = run.remote_id is not None or run.launch_call is not Call.NONE
    template = words.LET_GONE if is_launched else words.NOT_LAUNCHING
    return replies.answer(fill(template, name=run.name, title=request.services.title(run.connection)))


@routes.action("job_look_again")
async def look_again(request: Request) -> Answer:
    """Check again, or say that there is nothing left to check."""
    run = await request.asked.to(runs.look_again, request.target or "")
    template = words.LOOKING_AGAIN if run.is_open and run.asked_at is not None else words.NOT_ASKED
    return replies.answer(fill(template, name=run.name, title=request.services.title(run.connection)))


@routes.action("job_start_another")
async def start_another(request: Request) -> Answer:
    """Launch another run, once; a question that is already answered isn't answered again."""
    run, is_asked = await request.asked.to(runs.start_another, request.target or "")
    template = words.STARTING_ANOTHER if is_asked else words.NOT_ASKED
    return replies.answer(fill(template, name=run.name, title=request.services.title(run.connection)))
