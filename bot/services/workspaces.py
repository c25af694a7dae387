"""A person's workspaces and operations, looked up by id if the policy allows it."""

from bot.domain.operations import Operation
from bot.domain.policy import Target
from bot.domain.workspaces import Workspace
from bot.services.caller import Caller, concerns_caller, require_usable
from bot.store import gates, operations, usage, workspaces
from bot.store.transaction import Transaction
from bot.store.workspaces import ReachedWorkspace
from bot.support.errors import Refused


def _unknown() -> Refused:
    """Return a refusal that doesn't reveal whether a workspace is unknown or belongs to someone else."""
    return Refused("workspace.unknown", cause="not_owner")


def require_workspace(tx: Transaction, caller: Caller, verb: str, workspace_id: str) -> Workspace:
    """Return a person's workspace; raise the same Refused whether it doesn't exist or isn't theirs."""
    return reach_workspace(tx, caller, verb, workspace_id).workspace


def reach_workspace(tx: Transaction, caller: Caller, verb: str, workspace_id: str) -> ReachedWorkspace:
    """Return a person's workspace and their account on its connection; raises Refused."""
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
    """Return a person's operation; raise Refused (``workspace.unknown``) for anyone else's."""
    operation = operations.find_operation(tx, operation_id)
    if operation is None:
        raise _unknown()
    caller.check(tx, verb, Target("operation", operation.id, operation.principal))
    return operation


@concerns_caller
def request_status_read(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Request a status read through the poll gate; return the current row, which shows its age."""
    workspace = require_workspace(tx, caller, "status", workspace_id)
    gates.want(tx, workspace.id)
    return workspace


@concerns_caller
def note_opening(tx: Transaction, caller: Caller, workspace_id: str) -> None:
    """Record that a person is opening a workspace, so that it counts as used and its status may be read."""
    usage.note_opened(tx, request_status_read(tx, caller, workspace_id).id)
