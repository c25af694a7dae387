"""*Start a new one* was pressed: another workspace like the one that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.wishes import made_again

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Have it made from what that one was made from; its row takes the place of the old one."""
    workspaces = request.services.workspaces
    former = await workspaces.owned(request.principal, request.verb, request.target or "")
    return await made_again(request, former)
