"""*Look again* was pressed: look at once for what a creation may have made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import answers as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Look again, or say that there is nothing to look for any more."""
    workspaces = request.services.workspaces
    wish = await workspaces.look_again(request.principal, request.target or "")
    workspace = await workspaces.owned(request.principal, request.verb, wish.workspace_id)
    is_asked = wish.is_open and wish.asked_at is not None
    return replies.told(fill(words.LOOKING_AGAIN if is_asked else words.NOT_ASKED, name=workspace.title))
