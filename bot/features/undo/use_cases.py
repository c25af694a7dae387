"""Undo of the last action, or that of a button, while the rows are as it left them."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.message_context import ActionFacts
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.policy import Target
from bot.domain.runs import Run
from bot.domain.stops import NO_PLANNED_STOPS, Consent, PlannedStops, StopEffects
from bot.domain.time_parsing import resolve_instant
from bot.domain.undoable_actions import (
    FORMER,
    PLANNED_STOPS,
    RECENT_SECONDS,
    Inverse,
    UndoableAction,
    Undone,
    inverse,
    is_done_with,
    way_back,
)
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import Workspace
from bot.messages.texts import problems
from bot.services import home_sections
from bot.services import runs as job_runs
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.feasibility import predict_stop_effects
from bot.services.operation_requests import begin_operation
from bot.store import cards, inbox, operations, runs, timers, work_items
from bot.store import undoable_actions as rows
from bot.store import workspaces as stored
from bot.store.tables import RUNS, UNDOABLE_ACTIONS, WORKSPACES
from bot.store.transaction import Transaction, from_json
from bot.support.errors import Refused


@dataclass(frozen=True, slots=True)
class UndoneAction:
    """The result of undoing an action, with its rows as they are then; without an action, what is open."""

    action: UndoableAction | None
    inverse: Inverse
    workspace: Workspace | None = None
    work_item: Operation | Run | None = None


async def list_today(context: Context, principal: Principal) -> list[ActionFacts]:
    """Return a person's actions since their midnight, the newest first."""
    zone = await context.store.zone(principal)
    midnight = resolve_instant(datetime.fromtimestamp(await context.store.now(), zone).date(), 0, zone)
    found = await context.store.read(rows.list_actions_since, principal, midnight)
    return [ActionFacts(one, context.title(one.connection)) for one in found]


async def _load_home(whose: home_sections.HomeOwner) -> list[ActionFacts]:
    return await list_today(whose.context, whose.principal)


home_sections.SECTION_READERS["today"] = _load_home


def undo(tx: Transaction, caller: Caller, action_id: str = "", *, leads_back: bool = False) -> UndoneAction:
    """Undo an action, or the last one of two minutes with an effect, in the conversation of the request.

    ``leads_back``: once something was sent for it, the request that leads back is made.
    Raises Refused: ``action.unknown``, and what an operation that begins again raises.
    """
    caller.check(tx, "undo")
    key, _, result = inbox.find_result(tx, caller.interaction).partition(" ")
    if result:
        done, (word, _, then) = _find_own_action(tx, caller, key), result.partition(" ")
        return UndoneAction(done, Inverse(Undone(word), then), *rows.find_subjects(tx, done))
    for action in _list_candidates(tx, caller, action_id):
        workspace, work_item = rows.find_subjects(tx, action)
        is_as_left, effects = rows.is_unchanged_since(tx, action), _get_effects(caller, workspace)
        found = inverse(action, is_as_left=is_as_left, work_item=work_item, effects=effects)
        if found.undone is Undone.NOTHING and not action_id:
            continue
        if leads_back and found.undone is Undone.SENT and work_item is not None:
            if workspace is not None and operations.find_latest_operation(tx, workspace.id) != work_item:
                found = Inverse(Undone.CHANGED)
            elif _can_request_opposite(
                tx, action, workspace, work_item, found.then
            ) and caller.is_first_delivery(tx):
                found = Inverse(Undone.LED, found.then)
                inbox.save_result(tx, caller.interaction, f"{action.id} {found.undone} {found.then}")
                _request_opposite(tx, caller, action, work_item, found.then)
        elif found.undone is Undone.BACK and caller.is_first_delivery(tx):
            UNDOABLE_ACTIONS.change(tx, {"id": action.id}, undone_at=tx.now())
            inbox.save_result(tx, caller.interaction, f"{action.id} {found.undone} {found.then}".rstrip())
            caller.record(
                tx,
                "action.undo",
                f"{action.connection}/{action.name}",
                None,
                action=action.id,
                of=action.kind,
            )
            _apply_undo(tx, caller, action, work_item, found.then)
            cards.queue_updates(tx, action.work_item_id or action.id, changed=True)
        return UndoneAction(action, found, *rows.find_subjects(tx, action))
    # What is under way for a person although they asked for nothing lately.
    running = [one for one in runs.list_runs(tx, caller.principal) if one.is_going]
    going: list[Operation | Run] = [*operations.open_operations(tx, caller.principal), *running]
    if not going:
        return UndoneAction(None, Inverse(Undone.NOTHING))
    newest = max(going, key=lambda one: one.created_at)
    workspace = stored.find_workspace(tx, newest.workspace_id) if isinstance(newest, Operation) else None
    return UndoneAction(
        None, Inverse(Undone.SENT, way_back(newest, _get_effects(caller, workspace))), workspace, newest
    )


def _list_candidates(tx: Transaction, caller: Caller, action_id: str) -> list[UndoableAction]:
    if not action_id:
        return rows.list_recent_actions(tx, caller.principal, caller.channel_id or "", caller.thread_ts or "")
    return [_find_own_action(tx, caller, action_id)]


def _find_own_action(tx: Transaction, caller: Caller, action_id: str) -> UndoableAction:
    """Return an action of the caller's; unlinking its account deletes it."""
    action = rows.find_action(tx, action_id)
    unknown = Refused("action.unknown", problems.explain_cause("no_act"))
    if action is None:
        raise unknown
    caller.check(tx, "undo", Target("action", action.id, action.principal), hidden_as=unknown)
    return action


def _get_effects(caller: Caller, workspace: Workspace | None) -> StopEffects:
    return {} if workspace is None else predict_stop_effects(caller.context, workspace)


def _can_request_opposite(
    tx: Transaction,
    action: UndoableAction,
    workspace: Workspace | None,
    work_item: Operation | Run,
    then: str,
) -> bool:
    """Return whether the opposite request needs no question: something changed lately, nothing is lost."""
    if not then or not action.has_way_back or is_done_with(work_item, tx.now()):
        return False
    if not isinstance(work_item, Operation):
        return tx.now() - work_item.created_at <= RECENT_SECONDS
    has_changed = work_item.has_called or work_item.prior_call is not Call.NONE
    return has_changed and workspace is not None and not (then == "stop" and workspace.stakes)


def _request_opposite(
    tx: Transaction, caller: Caller, action: UndoableAction, work_item: Operation | Run, then: str
) -> None:
    """Make the request that leads back from one that was sent; its own action can be undone in turn.

    A workspace that comes up again has the ends that it had.
    """
    once = caller.interaction and f"{caller.interaction}/again"
    again = replace(caller, interaction=once, is_answered=True)
    if isinstance(work_item, Operation):
        wanted = _find_ends(tx, action, work_item.workspace_id)
        begin_operation(tx, again, work_item.workspace_id, OperationVerb(then))
        timers.restore_ends(tx, work_item.workspace_id, wanted)
    else:
        job_runs.stop_run(tx, again, work_item.id, force=False)


def _find_ends(tx: Transaction, action: UndoableAction, workspace_id: str) -> PlannedStops:
    """Return the ends that a stopped workspace had, as its person has changed them since."""
    key, ends = (
        f"{WORKSPACES.name} {workspace_id}",
        action.old_values.get(PLANNED_STOPS, {"rows": ""})["rows"],
    )
    later = [
        one for one in rows.list_actions_since(tx, action.principal, action.done_at) if one.undone_at is None
    ]
    # A change of its hours may have taken their end back.
    changes = [
        one.new_values.get(key) or {"planned_stops": ""}
        for one in later
        if one.new_values and one.subject == workspace_id
    ]
    ends = next((one["planned_stops"] for one in changes if "planned_stops" in one), ends)
    return PlannedStops.from_json(from_json(ends)) if ends else NO_PLANNED_STOPS


def _apply_undo(
    tx: Transaction, caller: Caller, action: UndoableAction, work_item: Operation | Run | None, then: str
) -> None:
    if isinstance(work_item, Operation):
        operations.end(tx, work_item.id, Outcome.CANCELLED, "replaced" if then else "cancelled")
    elif isinstance(work_item, Run) and action.kind == "job.run":
        work_items.end(tx, RUNS, work_item.id, Outcome.CANCELLED, "cancelled")
    if isinstance(work_item, Run) or rows.is_unchanged_since(tx, action):
        for key in action.new_values:
            _restore_row(tx, caller, action, key)
    if isinstance(work_item, Operation) and then:
        once = caller.interaction and f"{caller.interaction}/again"
        again = replace(caller, interaction=once, is_answered=True)
        agreed = Consent(action.old_values[FORMER]["agreed"])
        begin_operation(tx, again, work_item.workspace_id, OperationVerb(then), agreed=agreed)
    if isinstance(work_item, Operation):
        timers.apply_timer(tx, work_item.workspace_id)


def _restore_row(tx: Transaction, caller: Caller, action: UndoableAction, key: str) -> None:
    """Restore a row as it was before an action."""
    (table, by, row), former = rows.find_changed_row(tx, action, key), action.old_values[key]
    if (put_back := rows.puts_back.get(table.name)) is not None:
        put_back(tx, row, former)
        return
    assert row is not None, "only what features have comes and goes"
    if (change_back := rows.changes_back.get(table.name)) is not None:
        change_back(tx, caller, row, former)
        return
    if table is RUNS:
        # A step that holds it must not send what it read.
        former = {**former, "claim": "", "leased_until": 0}
        cards.queue_updates(tx, row["id"], changed=True)
    apart = {"hidden", *rows.TIMER_COLUMNS}
    if own := {name: value for name, value in former.items() if name not in apart}:
        table.change(tx, by, **own)
    if table is not WORKSPACES:
        return
    before = WORKSPACES.parse({**row, **former})
    cards.queue_messages(tx, before.id, changed=True)
    if before.hidden:
        stored.hide(tx, before.id)
    elif row["hidden"]:
        stored.add(tx, before)
    if former.keys() & {*rows.TIMER_COLUMNS}:
        timers.put_back(tx, before)
