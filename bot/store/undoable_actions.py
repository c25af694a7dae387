"""Acts: what each person had done lately, with what takes it back."""

from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.undoable_actions import HOURS, RECENT_SECONDS, TIMER, UndoableAction
from bot.domain.workspaces import Workspace
from bot.store.tables import UNDOABLE_ACTIONS
from bot.store.transaction import Transaction


def list_recent_actions(
    tx: Transaction, principal: Principal, channel_id: str = "", thread_ts: str = ""
) -> list[UndoableAction]:
    """Return a person's actions of two minutes that weren't taken back.

    Those of a thread come first, then those of its conversation; of each the newest.
    """
    since = tx.now() - RECENT_SECONDS
    place = {"channel_id": channel_id, "thread_ts": thread_ts}
    return UNDOABLE_ACTIONS.query(tx, "recent_actions", principal=principal.key, since=since, **place)


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
