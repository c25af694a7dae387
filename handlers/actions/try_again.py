"""*Try again* was pressed: a new wish for what an ended one wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import Markup, fill
from bot.models import Outcome
from bot.words import answers as words
from handlers.actions.keep_waiting import too_late
from handlers.wishes import wish_for

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Wish the same anew; a wish that is still open, or came true, is not repeated."""
    workspaces = request.services.workspaces
    ended = await workspaces.wish_of(request.principal, request.verb, request.target or "")
    workspace = await workspaces.owned(request.principal, request.verb, ended.workspace_id)
    if ended.is_open:
        sentence = fill(words.STILL_AT_IT, verb=Markup(ended.verb), name=workspace.title)
        return replies.told(sentence)
    if ended.outcome is Outcome.FULFILLED:
        return too_late(request, ended)
    return await wish_for(request, workspace, ended.verb)
