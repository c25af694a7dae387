"""Say what a workspace is doing: from its row, with its age, and have it looked at anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import lists
from bot.blocks.cards import wish_card
from handlers.commands.workspace import list as whole_list
from handlers.targets import workspace_of

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the card of what is under way, else with the state; without a name, with the list."""
    workspaces = request.services.workspaces
    if request.target is None and not request.name and len(await workspaces.all_of(request.principal)) > 1:
        return await whole_list.handle(request)
    workspace = await workspace_of(request)
    await workspaces.refresh(request.principal, workspace.id)
    wish = await request.services.store.latest_wish(workspace.id)
    facts = await workspaces.facts(workspace, wish)
    if wish is not None and wish.is_open and not request.is_shared:
        return wish_card(facts)
    return lists.status_answer(facts, workspace, in_channel=request.is_shared)
