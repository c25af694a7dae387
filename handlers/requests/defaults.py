"""Defaults: what a person means where they name nothing."""

from typing import NamedTuple

from bot.store import preferences as store
from handlers.requests.request import Request


class Defaults(NamedTuple):
    """A person's default workspace, and the source of their new ones; "" for none."""

    workspace_id: str = ""
    connection: str = ""
    template: str = ""


async def find_defaults(request: Request) -> Defaults:
    """Return a person's defaults."""
    wanted = await request.services.store.read(store.preferences, request.principal)
    return Defaults(wanted.workspace_id, wanted.connection, wanted.template)
