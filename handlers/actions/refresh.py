"""*Refresh* on a card: have the workspace looked at through the poll gate, and say how old the news are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import lists, replies
from bot.words import answers as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the row as it is; the card itself changes when the read brings something new."""
    services = request.services
    wish = await services.workspaces.wish_of(request.principal, request.verb, request.target or "")
    workspace = await services.workspaces.refresh(request.principal, wish.workspace_id)
    facts = await services.workspaces.facts(workspace)
    return replies.told(f"{lists.state_line(facts, workspace)}\n{words.LOOKING}")
