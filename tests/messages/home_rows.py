"""Workspaces as the Home tab shows them."""

from dataclasses import replace

from bot.domain.workspaces import State
from tests.messages.card_facts import IDE_URL, facts

CAN = frozenset({"runs", "creation"})


def row(name="notebook", state=State.STOPPED, operation=None, **more):
    """Return a row of a Home; without an operation nothing is under way."""
    given_ = facts(operation, {"name": name, "state": state, **more}, ide_url=IDE_URL, capabilities=CAN)
    return given_ if operation is not None else replace(given_, operation=None)
