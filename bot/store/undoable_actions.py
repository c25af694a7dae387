"""What people asked for lately: who asked last for a piece of work, or about a workspace."""

from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.undoable_actions import HOURS, RECENT_SECONDS, TIMER, UndoableAction
from bot.domain.workspaces import Workspace
from bot.store.tables import UNDOABLE_ACTIONS
from bot.store.transaction import Transaction


def list_actions_of(tx: Transaction, principal: Principal, interaction: str) -> list[UndoableAction]:
    """Return what an interaction of a person did in the last two minutes."""
    since = tx.now() - RECENT_SECONDS
    who = {"principal": principal.key, "interaction": interaction}
    return UNDOABLE_ACTIONS.query(tx, "actions_of", **who, since=since)


def find_initiator(tx: Transaction, operation: Operation) -> str:
    """Return the initiator of an operation for its person, "" for themself."""
    found = UNDOABLE_ACTIONS.all(tx, "done_at", work_item_id=operation.id)
    if found or operation.planned_for is None:
        return found[0].initiator or found[0].via if found else ""
    return TIMER if operation.verb.brings_down else HOURS


def was_asked(tx: Transaction, workspace: Workspace, since: float) -> bool:
    """Return whether a workspace's person has done anything with it since then."""
    who = {"principal": workspace.principal.key, "subject": workspace.id}
    return tx.one("was_asked", **who, since=since) is not None
