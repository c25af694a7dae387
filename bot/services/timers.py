"""Timers: setting, moving and cancelling the planned stop of a workspace."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.feasibility import find_stop_obstacle
from bot.domain.stops import PlannedStop, StopMode, choose_planned_mode, is_final
from bot.domain.timers import MORE_SECONDS
from bot.domain.workspaces import Workspace
from bot.services.caller import Caller, concerns_caller
from bot.services.context import Context
from bot.services.feasibility import check_shared, predict_stop_effects
from bot.services.workspaces import require_workspace
from bot.store import gates, operations, timers, workspaces
from bot.store.transaction import Transaction
from bot.support.errors import Refused


def plan_timer(
    context: Context, workspace: Workspace, at: float, mode: StopMode | None = None, *, agreed: bool = False
) -> PlannedStop:
    """Return a timer for a workspace.

    By default, it uses a mode that lets the workspace be started again, if there is one. Raises Refused:
    ``workspace.ends`` if the stop would be final and the owner hasn't agreed, ``workspace.no_suspend`` or
    ``workspace.not_allowed`` if the mode isn't currently possible, and ``workspace.not_shared`` if the
    workspace is someone else's and can't be stopped.
    """
    provider, planned = context.need(workspace.connection), predict_stop_effects(context, workspace)
    mode = mode or choose_planned_mode(planned)
    title = provider.settings.title
    if mode == "suspend" and "suspend" not in provider.stop_modes:
        raise Refused("workspace.no_suspend", cause="no_suspend", title=title)
    check_shared(workspace, title, (mode,))
    if find_stop_obstacle(workspace, planned, mode):
        raise Refused("workspace.not_allowed", cause="not_allowed_now", title=title)
    ends = is_final(planned, mode)
    if ends and not agreed:
        raise Refused("workspace.ends", cause="not_agreed", title=title)
    return PlannedStop(at, mode, ends)


def can_stop_later(tx: Transaction, workspace: Workspace) -> bool:
    """Return whether a workspace is up, or an open operation is starting it.

    A start that has become too old must be confirmed first, so it doesn't count.
    """
    latest = operations.find_latest_operation(tx, workspace.id) if workspace.is_down else None
    is_open = latest is not None and latest.is_open and not latest.has_lapsed
    is_coming_up = latest is not None and is_open and not latest.verb.brings_down
    return is_coming_up or not workspace.is_down


@concerns_caller
def set_timer(tx: Transaction, caller: Caller, workspace_id: str, timer: PlannedStop) -> Workspace:
    """Set a workspace's timer. Raises Refused (``workspace.not_up``) if the workspace is down."""
    workspace = require_workspace(tx, caller, "stop", workspace_id)
    caller.check_plan(tx, workspace.connection)
    if not can_stop_later(tx, workspace):
        raise Refused("workspace.not_up", cause="not_up")
    return change_timer(tx, caller, workspace, timer)


@concerns_caller
def cancel_timer(
    tx: Transaction, caller: Caller, workspace_id: str, *, instead_of: float | None = None
) -> Workspace:
    """Cancel a timer and return the workspace.

    If ``instead_of`` is given, cancel the timer only if it is set for that time.
    """
    workspace = require_workspace(tx, caller, "start", workspace_id)
    if workspace.stop_at is None or (instead_of is not None and not workspace.stops_at(instead_of)):
        return workspace
    return change_timer(tx, caller, workspace, None)


@concerns_caller
def postpone_timer(tx: Transaction, caller: Caller, workspace_id: str, instead_of: float) -> Workspace:
    """Postpone the timer that was set for ``instead_of`` by an hour. Return the updated workspace."""
    workspace = require_workspace(tx, caller, "start", workspace_id)
    if workspace.stop_mode is None or not workspace.stops_at(instead_of):
        return workspace
    timer = PlannedStop(instead_of + MORE_SECONDS, workspace.stop_mode, workspace.stop_agreed)
    return change_timer(tx, caller, workspace, timer)


@concerns_caller
def confirm_needed(
    tx: Transaction, caller: Caller, workspace_id: str, stop_at: float | None = None
) -> Workspace:
    """Record that a workspace is still needed, and cancel any stop planned for ``stop_at``."""
    workspace = require_workspace(tx, caller, "start", workspace_id)
    if caller.is_first_delivery(tx):
        if stop_at is not None and abs((workspace.stop_at or 0.0) - stop_at) < 1.0:
            timers.clear_stops(tx, workspace.id)
        gates.want(tx, workspace.id)
        caller.record(tx, "workspace.keep", workspace)
    return workspaces.find_workspace(tx, workspace.id) or workspace


def change_timer(
    tx: Transaction, caller: Caller, workspace: Workspace, timer: PlannedStop | None
) -> Workspace:
    """Set a timer, or clear it if it is None, and audit the change. Return the updated workspace."""
    if caller.is_first_delivery(tx, "stop"):
        detail = {"stops": "never"}
        if timer is None:
            timers.clear_stops(tx, workspace.id)
        else:
            timers.plan_stop(tx, workspace.id, replace(timer, via=caller.via))
            at = datetime.fromtimestamp(timer.at, UTC).isoformat(timespec="seconds")
            detail = {"stops": at, "mode": timer.mode} | ({"agreed": "yes"} if timer.agreed else {})
        caller.record(tx, "workspace.timer", workspace, **detail)
    return workspaces.find_workspace(tx, workspace.id) or workspace
