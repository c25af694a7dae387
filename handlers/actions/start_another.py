"""*Start another* was pressed: nobody can tell whether the first was made, and its person decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import answers as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Have another one made, once; a question that has been answered since is not answered again."""
    workspaces = request.services.workspaces
    wish = await workspaces.wish_of(request.principal, request.verb, request.target or "")
    is_asked = await workspaces.start_another(
        request.principal, wish.id, interaction=request.surface.interaction
    )
    workspace = await workspaces.owned(request.principal, request.verb, wish.workspace_id)
    return replies.told(fill(words.STARTING_ANOTHER if is_asked else words.NOT_ASKED, name=workspace.title))
