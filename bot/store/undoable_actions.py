"""The actions that people took recently, and whether a workspace's owner did anything with it."""

from bot.domain.people import Principal
from bot.domain.undoable_actions import RECENT_SECONDS, UndoableAction
from bot.domain.workspaces import Workspace
from bot.store.tables import UNDOABLE_ACTIONS
from bot.store.transaction import Transaction


def list_actions_of(tx: Transaction, principal: Principal, interaction: str) -> list[UndoableAction]:
    """Return the actions that one interaction of a person took in the last two minutes."""
    since = tx.now() - RECENT_SECONDS
    who = {"principal": principal.key, "interaction": interaction}
    return UNDOABLE_ACTIONS.query(tx, "actions_of", **who, since=since)


def was_asked(tx: Transaction, workspace: Workspace, since: float) -> bool:
    """Return whether a workspace's owner has done anything with it since a given time."""
    who = {"principal": workspace.principal.key, "subject": workspace.id}
    return tx.one("was_asked", **who, since=since) is not None
