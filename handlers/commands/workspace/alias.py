"""Let a person call a workspace what they like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import clean, fill
from bot.errors import Refused
from bot.words import answers as words
from handlers import naming
from handlers.targets import named

if TYPE_CHECKING:
    from bot.models import Answer, Workspace
    from handlers.request import Request

_LONGEST = 60


async def handle(request: Request) -> Answer:
    """Set a name, or take it away with ``--clear``."""
    if "clear" in request.flags and request.arguments:
        workspace = await named(request, request.name)
        await request.services.workspaces.alias(
            request.principal, workspace.id, None, interaction=request.surface.interaction
        )
        return replies.told(fill(words.UNALIASED, name=workspace.name))
    if len(request.arguments) < 2:
        return replies.problem(fill(words.ALIAS_USAGE, command=request.command), request.reference)
    workspace, alias = await _split(request)
    await request.services.workspaces.alias(
        request.principal, workspace.id, checked(alias), interaction=request.surface.interaction
    )
    return replies.told(fill(words.REALIASED, old=workspace.title, name=alias))


def checked(alias: str) -> str:
    """Return a name as it is kept: on one line, 1–60 characters; raises Refused."""
    kept = " ".join(clean(alias).split())
    if not 1 <= len(kept) <= _LONGEST:
        raise Refused("alias.length", words.ALIAS_LONG)
    return kept


async def _split(request: Request) -> tuple[Workspace, str]:
    """Tell old name and new one apart: the longest beginning that is a workspace, else the first word."""
    rows = await request.services.workspaces.all_of(request.principal)
    for count in range(len(request.arguments) - 1, 1, -1):
        found = naming.find(" ".join(request.arguments[:count]), rows, request.services.connections)
        if found.kind == "one":
            return found.workspaces[0], " ".join(request.arguments[count:])
    return await named(request, request.arguments[0]), " ".join(request.arguments[1:])
