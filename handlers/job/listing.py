"""Show runs: all of a person's, one run's progress, and its output."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.limits import fill
from bot.messages.blocks.lists import run_status
from bot.messages.texts import runs as words
from bot.providers import base
from bot.services import runs
from handlers import narrowed, routes
from handlers.job.targets import nothing_yet, old_and_rows, run_of
from handlers.linking.account import linked
from handlers.narrowed import runs_like
from handlers.request import Request


@routes.verb("job", "list", does=routes.Does.SHOWS)
async def show_list(request: Request) -> Answer:
    """Answer with a page of the list; ``list 2`` and the button *More* show later ones.

    Words narrow it: to a state, a connection, a name; the buttons keep them.
    """
    stale, rows = await old_and_rows(request)
    if not rows:
        return await nothing_yet(request, stale)
    remark = ""
    if stale:
        await request.services.runs.look(stale)
        titles = request.services.titles(account.connection for account in stale)
        remark = fill(words.LOOKING, titles=titles)
    page, given = narrowed.asked(request)
    part = runs_like(given, rows, request.services.connections)
    if part is not None and not part.rows:
        show_all = [kit.button(words.SHOW_ALL, "job_list")]
        return narrowed.none_of_these(request, part, words.RUNS, "job_list", show_all, remark)
    shown = rows if part is None else list(part.rows)
    facts = await request.services.gatherer.of_runs(request.principal, shown)
    return lists.run_list(
        facts,
        page=page,
        remark=f"{narrowed.remark(request, part, len(rows))} {remark}".strip(),
        replaces=request.surface.kind == "button",
        only=narrowed.only(request, part, words.RUNS),
    )


@routes.verb("job", "status", does=routes.Does.SHOWS)
async def status(request: Request) -> Answer:
    """Answer with the run's card and its age; without a name, with the list if there are several."""
    is_named = request.target is not None or bool(request.name)
    if not is_named and len(await request.services.store.runs(request.principal)) > 1:
        return await show_list(request)
    run = await run_of(request)
    return run_status(await request.services.gatherer.of_run(run))


@routes.verb("job", "logs", does=routes.Does.SHOWS)
async def logs(request: Request) -> Answer:
    """Show the output from now on; a run without a card gets one."""
    services = request.services
    run = await run_of(request)
    title = services.title(run.connection)
    provider = services.connections.get(run.connection)
    if provider is not None and not isinstance(provider, base.Runs):
        return replies.hint(fill(words.NO_LOGS, title=title))
    if run.remote_id is None and not run.is_open:
        return replies.hint(fill(words.NOT_HANDED_OVER, name=run.name))
    if provider is not None:
        await linked(request, run.connection)
    watched = await request.asked.to(runs.watch, run.id)
    template = words.SHOWING if watched.remote_id is not None else words.SHOWING_LATER
    return replies.answer(fill(template, name=watched.name))


@routes.action("job_refresh")
async def refresh(request: Request) -> Answer:
    """Answer with the current row; a running run is read every few seconds anyway."""
    run = await request.asked.see(runs.owned, "status", request.target or "")
    return run_status(await request.services.gatherer.of_run(run))
