"""*Try again* was pressed: a new wish for what an ended one wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import Markup, fill
from bot.models import Outcome, WishVerb
from bot.words import answers as words
from bot.words import cards
from handlers.actions.keep_waiting import too_late
from handlers.commands.workspace.remove import asked
from handlers.wishes import made_again, wish_for

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Wish the same anew; a wish that is still open, or came true, is not repeated."""
    workspaces = request.services.workspaces
    ended = await workspaces.wish_of(request.principal, request.verb, request.target or "")
    workspace = await workspaces.owned(request.principal, request.verb, ended.workspace_id)
    if ended.is_open:
        sentence = fill(words.STILL_AT_IT, verb=Markup(cards.NOUNS[ended.verb]), name=workspace.title)
        return replies.told(sentence)
    if ended.outcome is Outcome.FULFILLED:
        return too_late(request, ended)
    if ended.verb is WishVerb.CREATE and workspace.is_provisional:
        return await made_again(request, workspace)
    if ended.verb is WishVerb.CREATE:
        return await wish_for(request, workspace, WishVerb.START)  # It was made: what is left is to start it.
    if ended.verb is WishVerb.REMOVE:
        return asked(request, workspace, is_form=True)  # Its name is typed each time.
    # What ends for good is asked about again: the answer was to what was there then.
    return await wish_for(request, workspace, ended.verb)
