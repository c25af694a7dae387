"""Acts: what each person had done lately, with what takes it back."""

from collections.abc import Callable
from typing import Any, Final

from bot.domain.message_context import ActionFacts
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.runs import Run
from bot.domain.undoable_actions import HOURS, RECENT_SECONDS, TIMER, Change, UndoableAction, Undone, inverse
from bot.domain.work_items import Outcome
from bot.domain.workspaces import Workspace
from bot.store.hooks import RecordedColumns, StoreHooks
from bot.store.tables import OPERATIONS, RUNS, TABLES, UNDOABLE_ACTIONS, WORKSPACES, Table
from bot.store.transaction import Row, Transaction, clean
from bot.support.declarations import Registry

TIMER_COLUMNS: Final = (
    "stop_at",
    "stop_mode",
    "stop_agreed",
    "stop_rule",
    "stop_via",
    "stop_start",
    "planned_stops",
)
#: The rows whose changes by people are recorded, with their columns.
_RECORDED: Final[dict[type, RecordedColumns]] = {
    Workspace: (WORKSPACES, ("alias", "hidden", "notify_ready", "notify_stopped", *TIMER_COLUMNS)),
    Run: (RUNS, ("requested_stop",)),
}
#: The functions that put a row back, by its table: the row, and its former columns, each None for none.
puts_back: Registry[Callable[[Transaction, Row | None, Row | None], None]] = Registry()
#: The same for rows that their person changes once more to put them back: in the use case's context.
changes_back: Registry[Callable[[Transaction, Any, Row, Row], None]] = Registry()
#: So many seconds apart, at most, are an action and the card of what it began: they are written together.
_COMBINE_WITHIN_SECONDS: Final = 1.0
#: What changes by itself, so that it says nothing about what somebody wants.
_BY_ITSELF: Final = frozenset({"processed_until", "lead_seconds", "seen_zone", "started_at", "unused"})


def find_action(tx: Transaction, key: str) -> UndoableAction | None:
    """Return an action, or the last one that began a work item."""
    return UNDOABLE_ACTIONS.one(tx, id=key) or next(
        iter(UNDOABLE_ACTIONS.all(tx, "done_at DESC", work_item_id=key)), None
    )


def find_subjects(
    tx: Transaction, action: UndoableAction | None
) -> tuple[Workspace | None, Operation | Run | None]:
    """Return an action's workspace, and the operation or run that it began."""
    if action is None:
        return None, None
    work_item = (
        OPERATIONS.one(tx, id=action.work_item_id) or RUNS.one(tx, id=action.work_item_id)
        if action.work_item_id
        else None
    )
    key = work_item.workspace_id if isinstance(work_item, Operation) else action.subject
    return (WORKSPACES.one(tx, id=key) if key else None), work_item


def find_action_facts(tx: Transaction, key: str) -> ActionFacts | None:
    """Return an action as it stands, None if it is unknown."""
    found = UNDOABLE_ACTIONS.one(tx, id=key)
    if found is None:
        return None
    workspace, work_item = find_subjects(tx, found)
    undone = inverse(found, is_as_left=is_unchanged_since(tx, found), work_item=work_item).undone
    goes = work_item is not None and work_item.outcome not in {Outcome.REPLACED, Outcome.CANCELLED}
    # What was asked for once more is answered below the card, and stays until the end.
    since = found.done_at - _COMBINE_WITHIN_SECONDS if work_item is not None and work_item.is_open else 0.0
    is_shown = work_item is not None and tx.one("shown", subject=work_item.id, since=since) is not None
    can_be_undone = found.has_way_back and (goes or undone is Undone.BACK)
    return ActionFacts(found, "", workspace, work_item, can_be_undone, is_shown, is_awaited=goes)


def list_recent_actions(
    tx: Transaction, principal: Principal, channel_id: str = "", thread_ts: str = ""
) -> list[UndoableAction]:
    """Return a person's actions of two minutes that weren't taken back.

    Those of a thread come first, then those of its conversation; of each the newest.
    """
    since = tx.now() - RECENT_SECONDS
    place = {"channel_id": channel_id, "thread_ts": thread_ts}
    return UNDOABLE_ACTIONS.query(tx, "recent_actions", principal=principal.key, since=since, **place)


def list_actions_since(tx: Transaction, principal: Principal, since: float) -> list[UndoableAction]:
    """Return a person's actions from a moment on, the newest first."""
    return UNDOABLE_ACTIONS.query(tx, "actions_since", principal=principal.key, since=since)


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


def compare_rows(*pairs: tuple[Any, Any]) -> Change:
    """Return the old and new values of rows, by their models; None stands for no row."""
    old_values, new_values, until = dict[str, Any](), dict[str, Any](), None
    recorded = dict(_RECORDED)
    for hooks in StoreHooks.list_subscribers():
        recorded |= hooks.list_recorded_columns()
    for before, after in pairs:
        table, wanted = recorded[type(before or after)]
        key = f"{table.name} {getattr(before or after, 'id', '')}"
        old, new = (one and {name: clean(getattr(one, name)) for name in wanted} for one in (before, after))
        differing = [name for name in wanted if None in (old, new) or old[name] != new[name]]
        if differing:
            old_values[key] = old and {name: old[name] for name in differing}
            new_values[key] = new and {name: new[name] for name in differing if name not in _BY_ITSELF}
            until = new["stop_at"] if "stop_at" in differing and new else until
    return Change(old_values=old_values, new_values=new_values, until=until)


def find_changed_row(tx: Transaction, action: UndoableAction, key: str) -> tuple[Table[Any], Row, Row | None]:
    """Return the table, the key and the present state of a row that an action changed."""
    name, _, one = key.partition(" ")
    table = TABLES[name]
    by = {table.keys[0][0]: one or action.principal.key}
    return table, by, table.row(tx, **by)


def is_unchanged_since(tx: Transaction, action: UndoableAction) -> bool:
    """Return whether all rows still have their values after an action."""
    found = [(find_changed_row(tx, action, key)[2], said) for key, said in action.new_values.items()]
    return all(
        (row is None) is (said is None) and (said or {}).items() <= (row or {}).items() for row, said in found
    )
