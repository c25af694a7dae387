"""Warnings that a provider will soon shut down a workspace. Owners are warned again if the time changes."""

from typing import Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.tasks import Task, TaskKind
from bot.domain.workspaces import EXPIRY_WARNING_SECONDS, Workspace
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.scheduled_work import FRESH_SECONDS, ScheduledWork
from bot.services.workspaces import reach_workspace
from bot.store import gates, workspaces
from bot.store.notices import add_notices
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction
from bot.support.errors import Refused

MAX_CLAIMED: Final = 100
#: How much longer a workspace should be kept, in seconds, if its owner presses *Keep 2 h more*.
EXTENSION_SECONDS: Final = 7200.0
#: How long, in seconds, a process claims (reserves) a workspace to warn its owner. If the workspace hasn't
#: been read recently, the process requests a read instead, and the owner is warned after the next claim.
READ_AGAIN_SECONDS: Final = 20.0


def _claim(tx: Transaction, context: Context) -> list[Workspace]:
    found = workspaces.claim_ending(tx, EXPIRY_WARNING_SECONDS, MAX_CLAIMED, READ_AGAIN_SECONDS)
    shown = (one for one in found if one.connection in context.connections and one.verified_at is not None)
    return [one for one in shown if one.is_own]


def _warn(tx: Transaction, _caller: Caller, workspace: Workspace) -> None:
    """Warn the owner that a workspace will be shut down. If its state is too old, request a read instead."""
    if tx.now() - (workspace.observed_at or 0.0) > FRESH_SECONDS:
        gates.request_read_now(tx, workspace.id)
        return
    body = {"workspace": workspace.id, "connection": workspace.connection, "expires_at": workspace.expires_at}
    occasion = f"{workspace.expires_at:.0f}"
    add_notices(
        tx, [NewNotice(workspace.id, NoticeKind.WORKSPACE_EXPIRY, occasion, workspace.principal, body)]
    )


def request_extension(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Ask the provider to keep a workspace for two more hours. Return the workspace."""
    workspace, account, _, _ = reach_workspace(tx, caller, "start", workspace_id)
    if workspace.is_down:
        raise Refused("workspace.not_up", cause="not_up")
    if account is not None and caller.is_first_delivery(tx):
        until = max(tx.now(), workspace.expires_at or 0.0) + EXTENSION_SECONDS
        add_tasks(tx, [NewTask(TaskKind.EXTEND, f"{account.id}/{workspace.id}", {"until": until})])
        caller.record(tx, "workspace.extend", workspace, until=f"{until:.0f}")
    return workspace


def note_extension(tx: Transaction, task: Task, ends_at: float | None, cause: str) -> None:
    """Tell the owner how long the provider will keep the workspace, or why it won't keep it any longer."""
    workspace = workspaces.find_workspace(tx, task.subject.partition("/")[2])
    if workspace is None:
        return
    if ends_at is not None and ends_at <= float(task.payload["until"]) - EXTENSION_SECONDS:
        cause = "latest_end"
    gates.request_read_now(tx, workspace.id)
    body = {"workspace": workspace.id, "connection": workspace.connection, "until": ends_at, "cause": cause}
    add_notices(
        tx, [NewNotice(workspace.id, NoticeKind.WORKSPACE_EXTENDED, task.id, workspace.principal, body)]
    )


EXPIRIES: Final = ScheduledWork(name="expiry", claim=_claim, carry_out=_warn)
