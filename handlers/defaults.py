"""Defaults: what a person means where they name nothing, as features know."""

from typing import NamedTuple

from handlers.hooks import RequestHooks
from handlers.request import Request


class Defaults(NamedTuple):
    """A person's default workspace, and the source of their new ones; "" for none."""

    workspace_id: str = ""
    connection: str = ""
    template: str = ""


async def find_defaults(request: Request) -> Defaults:
    """Return a person's defaults."""
    for hooks in RequestHooks.list_subscribers():
        if (defaults := await hooks.find_defaults(request)) is not None:
            return defaults
    return Defaults()
