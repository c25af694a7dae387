"""Defaults: what a person means where they name nothing, as features know."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from handlers.request import Request


class Defaults(NamedTuple):
    """A person's default workspace, and the source of their new ones; "" for none."""

    workspace_id: str = ""
    connection: str = ""
    template: str = ""


#: What features know of a person's defaults; the first answer counts.
DEFAULTS: Final[list[Callable[[Request], Awaitable[Defaults]]]] = []


async def find_defaults(request: Request) -> Defaults:
    """Return a person's defaults."""
    for find in DEFAULTS:
        return await find(request)
    return Defaults()
