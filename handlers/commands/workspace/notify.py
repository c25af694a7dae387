"""Let a person be told when a workspace stops without their having asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import fill
from bot.words import answers as words
from handlers.targets import named

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request

_ON_OFF = {"on": True, "off": False}


async def handle(request: Request) -> Answer:
    """Switch it on or off for one workspace."""
    wanted = _ON_OFF.get(request.arguments[-1].casefold()) if len(request.arguments) > 1 else None
    if wanted is None:
        return replies.problem(fill(words.NOTIFY_USAGE, command=request.command), request.reference)
    workspace = await named(request, " ".join(request.arguments[:-1]))
    await request.services.workspaces.tell_stop(
        request.principal, workspace.id, is_told=wanted, interaction=request.surface.interaction
    )
    template = words.NOTIFY_ON if wanted else words.NOTIFY_OFF
    title = request.services.title(workspace.connection)
    return replies.told(fill(template, name=workspace.title, title=title))
