"""Timers: people say when a workspace of theirs is to be stopped, change that, or take it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.workspaces import (
    MORE_SECONDS,
    NOT_UP,
    Effects,
    State,
    StopMode,
    Timer,
    Workspace,
    is_final,
    planned_mode,
)
from bot.messages.texts import problems
from bot.services.asked import Asked
from bot.services.context import Context
from bot.services.making import check_account, note, owned
from bot.store import accounts, operations, workspaces
from bot.store import timers as rows
from bot.store.transaction import Transaction
from bot.support.errors import Refused


def made(
    context: Context, workspace: Workspace, at: float, mode: StopMode | None = None, *, agreed: bool = False
) -> Timer:
    """Return a timer for a workspace; without a mode it is stopped so that it can be started again.

    Raises Refused (``workspace.ends``) if that would end it for good and its person hasn't agreed.
    """
    provider, planned = context.provider(workspace.connection), effects(context, workspace)
    mode = mode or planned_mode(planned)
    title = provider.settings.title
    if mode == "suspend" and "suspend" not in provider.stop_modes:
        raise Refused("workspace.no_suspend", problems.sentence("no_suspend", title))
    ends = is_final(planned, mode)
    if ends and not agreed:
        raise Refused("workspace.ends", problems.sentence("not_agreed", title))
    return Timer(at, mode, ends)


def effects(context: Context, workspace: Workspace) -> Effects:
    """Return what stopping a workspace will do once it is up, also if there is none to stop yet."""
    is_there = not workspace.is_provisional and workspace.state is not State.GONE
    up = workspace if is_there else replace(workspace, remote_id="", state=State.RUNNING, actions=None)
    return context.provider(workspace.connection).stops(up)


def set(  # noqa: A001 - read with its module's name
    tx: Transaction, asked: Asked, workspace_id: str, timer: Timer
) -> Workspace:
    """Set when a workspace is stopped; raises Refused (``workspace.not_up``) if it is down."""
    workspace = owned(tx, asked, "stop", workspace_id)
    provider = asked.context.provider(workspace.connection)
    check_account(provider, accounts.account(tx, asked.principal, workspace.connection))
    latest = operations.latest(tx, workspace.id) if workspace.state in NOT_UP else None
    is_coming_up = latest is not None and latest.is_open and not latest.verb.brings_down
    if workspace.state in NOT_UP and not is_coming_up:
        raise Refused("workspace.not_up", problems.sentence("not_up"))
    return _changed(tx, asked, workspace, timer)


def keep(tx: Transaction, asked: Asked, workspace_id: str, *, instead_of: float | None = None) -> Workspace:
    """Take a timer back, or only the one for ``instead_of``; return the workspace as it is then."""
    workspace = owned(tx, asked, "start", workspace_id)
    if workspace.stop_at is None or (instead_of is not None and not _is_for(workspace, instead_of)):
        return workspace
    return _changed(tx, asked, workspace, None)


def add_an_hour(tx: Transaction, asked: Asked, workspace_id: str, instead_of: float) -> Workspace:
    """Move the timer for exactly ``instead_of`` by an hour; return the workspace as it is then."""
    workspace = owned(tx, asked, "start", workspace_id)
    if workspace.stop_mode is None or not _is_for(workspace, instead_of):
        return workspace
    timer = Timer(instead_of + MORE_SECONDS, workspace.stop_mode, workspace.stop_agreed)
    return _changed(tx, asked, workspace, timer)


def _is_for(workspace: Workspace, second: float) -> bool:
    """Return whether a workspace's timer is for a time, to the second as buttons carry it."""
    return workspace.stop_at is not None and abs(workspace.stop_at - second) < 1.0


def _changed(tx: Transaction, asked: Asked, workspace: Workspace, timer: Timer | None) -> Workspace:
    if asked.is_new(tx):
        if timer is None:
            rows.clear(tx, workspace.id)
        else:
            rows.put(tx, workspace.id, timer)
        note(tx, asked, "workspace.timer", workspace, **said(timer))
    return workspaces.workspace(tx, workspace.id) or workspace


def said(timer: Timer | None) -> dict[str, str]:
    """Return what the audit says about a timer."""
    if timer is None:
        return {"stops": "never"}
    agreed = {"agreed": "yes"} if timer.agreed else {}
    at = datetime.fromtimestamp(timer.at, UTC).isoformat(timespec="seconds")
    return {"stops": at, "mode": timer.mode, **agreed}
