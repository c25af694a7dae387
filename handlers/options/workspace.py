"""Complete the names of the person's own workspaces, from the last snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.blocks import kit, limits
from handlers import naming

if TYPE_CHECKING:
    from handlers.request import Request

#: A list of choices holds at most 100.
_MOST = 100


async def handle(request: Request) -> list[dict[str, Any]]:
    """Return what fits the letters typed so far; all of them for none."""
    rows = await request.services.workspaces.all_of(request.principal)
    needle = naming.fold(request.name)
    fitting = [one for one in rows if needle in naming.fold(one.title) or needle in naming.fold(one.name)]
    chosen = fitting or list(naming.nearest(request.name, rows))
    return [
        {
            "text": kit.plain(limits.line(naming.address(one, rows), limits.OPTION), limits.OPTION),
            "value": one.id,
        }
        for one in chosen[:_MOST]
    ]
