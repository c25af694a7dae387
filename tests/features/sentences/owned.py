"""A workspace as a sentence may name it."""

from bot.domain.people import Principal
from bot.domain.workspaces import Workspace


def workspace(name: str) -> Workspace:
    """Return a workspace of a name."""
    return Workspace(name, Principal(None, "T1", "U1"), "saturn", name, name, name)
