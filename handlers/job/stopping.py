"""End a run; with ``--force`` or *Force quit* without asking it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.messages.blocks import replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.runs import outcome_of
from bot.messages.texts import runs as words
from handlers import routes
from handlers.job.targets import run_of

if TYPE_CHECKING:
    from bot.domain.models import Answer, Run
    from handlers.request import Request


@routes.verb("job", "stop", flags=("force",))
async def stop(request: Request) -> Answer:
    """Write it down; the card and the message at the end tell the rest."""
    return await ended(request, await run_of(request), force="force" in request.flags)


@routes.action("job_force")
async def force_quit(request: Request) -> Answer:
    """Ask for a forced end of the run."""
    run = await request.services.runs.owned(request.principal, "stop", request.target or "")
    return await ended(request, run, force=True)


async def ended(request: Request, run: Run, *, force: bool) -> Answer:
    """Ask for a run's end; one that is over already is only told."""
    services = request.services
    wanted, is_open = await services.runs.stop(
        request.principal, run.id, force=force, interaction=request.surface.interaction
    )
    if not is_open or wanted.state.is_over:
        return over_already(request, wanted)
    template = words.FORCING if wanted.stop_wanted == "force" else words.STOPPING
    return replies.answer(fill(template, name=run.name, title=services.title(run.connection)))


def over_already(request: Request, run: Run) -> Answer:
    """Say how a run ended that is over."""
    title, state = request.services.title(run.connection), Markup(outcome_of(run))
    return replies.answer(fill(words.OVER_ALREADY, name=run.name, title=title, state=state))
