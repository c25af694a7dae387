"""Finds a person's workspaces and operations, and changes the person's list of workspaces."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.policy import Target
from bot.domain.workspaces import State, Workspace
from bot.services.caller import Caller, concerns_caller, require_usable
from bot.store import gates, operations, usage, workspaces
from bot.store.transaction import Transaction
from bot.store.workspaces import ReachedWorkspace
from bot.support.cleaning import natural_key
from bot.support.errors import Refused

#: Maximum number of stopped workspaces in a short list.
MAX_STOPPED_WORKSPACES: Final = 5


def _unknown() -> Refused:
    """Return a refusal that doesn't reveal whether a workspace exists or belongs to someone else."""
    return Refused("workspace.unknown", cause="not_owner")


def require_workspace(tx: Transaction, caller: Caller, verb: str, workspace_id: str) -> Workspace:
    """Return a person's workspace. Raise the same Refused whether it doesn't exist or isn't theirs."""
    return reach_workspace(tx, caller, verb, workspace_id).workspace


def reach_workspace(tx: Transaction, caller: Caller, verb: str, workspace_id: str) -> ReachedWorkspace:
    """Return a person's workspace and their account on its connection. Raise Refused if it isn't theirs."""
    reached = workspaces.reach(tx, workspace_id, caller.principal)
    if reached is None:
        raise _unknown()
    workspace, account, person, _ = reached
    caller.check_as(tx, person, verb, Target("workspace", workspace.id, workspace.principal))
    provider = caller.context.need(workspace.connection)
    if account is not None and account.is_resting:
        require_usable(provider, account)
    caller.reached.add(workspace.id)
    return reached


def require_operation(tx: Transaction, caller: Caller, verb: str, operation_id: str) -> Operation:
    """Return a person's operation. Raise Refused (``workspace.unknown``) if it is someone else's."""
    operation = operations.find_operation(tx, operation_id)
    if operation is None:
        raise _unknown()
    caller.check(tx, verb, Target("operation", operation.id, operation.principal))
    return operation


@concerns_caller
def request_status_read(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Request a status read through the poll gate. Return the current row."""
    workspace = require_workspace(tx, caller, "status", workspace_id)
    gates.want(tx, workspace.id)
    return workspace


@concerns_caller
def note_opening(tx: Transaction, caller: Caller, workspace_id: str) -> None:
    """Record that a person is opening a workspace. It then counts as used, and its status may be read."""
    usage.note_opened(tx, request_status_read(tx, caller, workspace_id).id)


# -- the list ------------------------------------------------------------------------------------------------


def add_workspace(
    tx: Transaction, caller: Caller, connection: str, remote_id: str, name: str | None
) -> Workspace:
    """Add the workspace with this id to a person's list. Raise Refused if that isn't allowed."""
    caller.check(tx, "add")
    before = workspaces.find_by_remote_id(tx, caller.principal, connection, remote_id)
    if name is not None:
        _check_free(tx, caller.principal, name, besides=before)
    provider = caller.context.need(connection)
    if provider.has_link_method("none"):
        # One shared secret opens everyone's workspaces, so people may add only those that they created here.
        raise Refused("add.not_here", cause="only_made_here", title=provider.settings.title)
    account, owner = caller.require_account(tx, connection), provider.find_owner(remote_id)
    is_shared = before is not None and before.owner is not None
    if owner is not None and owner != account.username and not is_shared:
        raise Refused("add.not_yours", title=provider.settings.title, owner=owner)
    workspace = Workspace(
        id=tx.ids.new("workspace"),
        principal=caller.principal,
        connection=connection,
        remote_id=remote_id,
        gate_key=provider.gate_key(remote_id),
        name=remote_id,
        alias=name,
        origin="added",
    )
    return _save_listed(tx, caller, workspace, before)


def relist_workspace(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Put a workspace that was removed from the list back on it, unless it is already listed."""
    workspace = require_workspace(tx, caller, "add", workspace_id)
    if not workspace.hidden:
        return workspace
    return _save_listed(tx, caller, replace(workspace, hidden=False), workspace)


def _save_listed(
    tx: Transaction, caller: Caller, workspace: Workspace, before: Workspace | None
) -> Workspace:
    if not caller.is_first_delivery(tx):
        return before or workspace
    added = workspaces.add(tx, workspace)
    caller.record(tx, "workspace.add", added)
    return added


@concerns_caller
def set_alias(tx: Transaction, caller: Caller, workspace_id: str, name: str | None) -> Workspace:
    """Set or clear a person's alias for a workspace. Raise Refused if they already use that name."""
    workspace = require_workspace(tx, caller, "alias", workspace_id)
    if name is not None:
        _check_free(tx, caller.principal, name, besides=workspace)
    if caller.is_first_delivery(tx):
        workspaces.name(tx, workspace.id, name)
        caller.record(tx, "workspace.alias", workspace)
    return replace(workspace, alias=name)


def forget_workspace(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Remove a workspace from a person's list. Nothing changes at the provider."""
    workspace = require_workspace(tx, caller, "forget", workspace_id)
    if caller.is_first_delivery(tx):
        workspaces.hide(tx, workspace.id)
        caller.record(tx, "workspace.forget", workspace)
    return workspace


@concerns_caller
def set_notifications(
    tx: Transaction, caller: Caller, workspace_id: str, *, ready: bool | None, stopped: bool | None
) -> Workspace:
    """Set which notices a person wants about a workspace. None means that their general settings apply."""
    workspace = require_workspace(tx, caller, "notify", workspace_id)
    if caller.is_first_delivery(tx):
        workspaces.notify(tx, workspace.id, ready=ready, stopped=stopped)
        words = {None: "usual", True: "on", False: "off"}
        caller.record(tx, "workspace.notify", workspace, ready=words[ready], stopped=words[stopped])
    return replace(workspace, notify_ready=ready, notify_stopped=stopped)


def _check_free(tx: Transaction, principal: Principal, name: str, besides: Workspace | None) -> None:
    for other in workspaces.list_workspaces(tx, principal):
        is_taken = name.casefold() in {other.title.casefold(), other.name.casefold()}
        if is_taken and (besides is None or other.id != besides.id):
            raise Refused("alias.taken", cause="alias_taken")


def rank_workspace(workspace: Workspace, under_way: Mapping[str, Operation]) -> tuple[int, str, str]:
    """Return a sort key: workspaces that run or have an open operation first, those that are gone last."""
    operation = under_way.get(workspace.id)
    is_busy = not workspace.is_down or (operation is not None and operation.verb is not OperationVerb.REMOVE)
    place = 0 if is_busy else 2 if workspace.state is State.GONE else 1
    return place, natural_key(workspace.title), workspace.id


def shorten_list(ranked: Sequence[Workspace], under_way: Mapping[str, Operation]) -> list[Workspace]:
    """Return the workspaces that run or have an open operation, and a few stopped ones used recently."""
    busy = [one for one in ranked if rank_workspace(one, under_way)[0] == 0]
    down = [one for one in ranked if rank_workspace(one, under_way)[0] == 1]
    return busy + sorted(down, key=_get_last_use, reverse=True)[:MAX_STOPPED_WORKSPACES]


def _get_last_use(one: Workspace) -> float:
    """Return when a workspace was last requested, used or up, or when it went down, whichever is latest."""
    return max(at or 0.0 for at in (one.last_request_at, one.last_used_at, one.up_at, one.down_at))
