"""Stop a run; ``--force`` or *Force quit* doesn't give it a chance to finish."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.messages.blocks import lists, replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.runs import outcome_of
from bot.messages.texts import runs as words
from bot.services import naming, runs
from handlers import routes
from handlers.job.targets import run_of
from handlers.language.reading import Manner
from handlers.request import Request


@routes.verb("job", "stop", flags=("force",), does=routes.Does.ENDS)
async def stop(request: Request) -> Answer:
    """Write the stop, or offer it if the run or the verb is a guess; the card reports the rest."""
    run, force = await run_of(request), "force" in request.flags
    is_exact = request.target is not None
    is_exact = is_exact or naming.is_whole_name_of(request.name, run, request.services.connections)
    if request.manner is Manner.TYPED and is_exact:
        return await ended(request, run, force=force)
    return offered(request, run, force=force)


@routes.action("job_force")
async def force_quit(request: Request) -> Answer:
    """Ask for the run to be force quit."""
    run = await request.asked.see(runs.owned, "stop", request.target or "")
    return await ended(request, run, force=True)


def offered(request: Request, run: Run, *, force: bool = False) -> Answer:
    """Offer to stop a run, with one button; if it is already over, just say so."""
    if run.state.is_over:
        return over_already(request, run)
    title = request.services.title(run.connection)
    return lists.stop_run(run, title, force=force)


async def ended(request: Request, run: Run, *, force: bool) -> Answer:
    """Ask for a run to be stopped; if it is already over, just say so."""
    services = request.services
    wanted, is_open = await request.asked.to(runs.stop, run.id, force=force)
    if not is_open or wanted.state.is_over:
        return over_already(request, wanted)
    template = words.FORCING if wanted.stop_wanted == "force" else words.STOPPING
    return replies.answer(fill(template, name=run.name, title=services.title(run.connection)))


def over_already(request: Request, run: Run) -> Answer:
    """Say how a finished run ended."""
    title, state = request.services.title(run.connection), Markup(outcome_of(run))
    return replies.answer(fill(words.OVER_ALREADY, name=run.name, title=title, state=state))
