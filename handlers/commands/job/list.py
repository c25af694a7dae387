"""Show a person's runs, newest first; what was launched elsewhere is looked for in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import job_lists
from bot.blocks.limits import fill
from bot.words import jobs as words
from handlers.runs import nothing_yet
from handlers.targets import titles_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with a page of the list; ``list 2`` and the button *More* show later ones."""
    jobs = request.services.jobs
    rows = await jobs.all_of(request.principal)
    if not rows:
        return await nothing_yet(request)
    stale = await jobs.stale(request.principal, besides=request.looked)
    remark = ""
    if stale:
        await jobs.look(stale)
        titles = titles_of(request, [account.connection for account in stale])
        remark = fill(words.LOOKING, titles=titles)
    asked = request.target or request.name
    facts = await jobs.facts(request.principal, rows)
    return job_lists.job_list(
        list(zip(rows, facts, strict=True)),
        page=int(asked) if asked.isdecimal() and len(asked) < 6 else 1,
        remark=remark,
        replaces=request.surface.kind == "button",
    )
