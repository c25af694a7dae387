"""Take a workspace off a person's list; at the provider it stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import answers as words
from handlers.request import Answered
from handlers.targets import which_of_all, workspace_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Forget it, and say how to bring it back. A name is always asked for: none is guessed."""
    workspaces = request.services.workspaces
    if request.target is None and not request.name:
        rows = await workspaces.all_of(request.principal)
        if rows:
            raise Answered(which_of_all(request, rows))
    workspace = await workspace_of(request)
    await workspaces.forget(request.principal, workspace.id, interaction=request.surface.interaction)
    title = request.services.title(workspace.connection)
    return replies.told(fill(words.FORGOTTEN, name=workspace.title, title=title, command=request.command))
