"""Show a person's workspaces, from the last snapshot; an old one is read anew in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import lists
from bot.blocks.limits import fill
from bot.words import answers as words
from handlers.targets import nothing_yet, titles_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with a page of the list; ``list 2`` and the button *More* show later ones."""
    workspaces = request.services.workspaces
    rows = await workspaces.all_of(request.principal)
    if not rows:
        return await nothing_yet(request)
    stale = await workspaces.stale(request.principal)
    remark = ""
    if stale:
        await workspaces.look(stale)
        titles = titles_of(request, [account.connection for account in stale])
        remark = fill(words.OLD_SNAPSHOT, titles=titles)
    asked = request.target or request.name
    return lists.workspace_list(
        await workspaces.facts_of_all(request.principal, rows),
        page=int(asked) if asked.isdecimal() and len(asked) < 6 else 1,
        remark=remark,
        shared_by=request.who if request.is_shared else None,
        replaces=request.surface.kind == "button",
    )
