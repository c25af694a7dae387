"""Linked accounts: looked up, refused, unlinked; each with everything that depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, AuditEntry, Principal, TaskKind
from bot.domain.telling import first_reminder
from bot.domain.workspaces import Outcome, Workspace
from bot.store import (
    approvals,
    browsers,
    cards,
    links,
    operations,
    people,
    runs,
    snapshots,
    suspicions,
    workspaces,
)
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.records import NewTask
from bot.store.tables import ACCOUNTS, CONVERSATIONS, OPERATIONS, REMEMBERED, TASKS, WORKSPACES
from bot.store.tasks import add_tasks
from bot.store.transaction import Row, Transaction


def account(tx: Transaction, principal: Principal, connection: str) -> Account | None:
    """Return a principal's account on a connection, in any state; a revoking one only when alone."""
    row = tx.one("account", principal=principal.key, connection=connection)
    return ACCOUNTS.of(row) if row else None


def with_workspace(tx: Transaction, workspace_id: str) -> tuple[Workspace, Account | None] | None:
    """Return a workspace with its person's account there, as ``workspace`` and ``account`` would."""
    workspace = workspaces.workspace(tx, workspace_id)
    if workspace is None:
        return None
    return workspace, account(tx, workspace.principal, workspace.connection)


def by_id(tx: Transaction, account_id: str) -> Account | None:
    """Return an account by its id, in any state."""
    return ACCOUNTS.one(tx, id=account_id)


def all_of(tx: Transaction, principal: Principal) -> list[Account]:
    """Return a principal's accounts except the ones being revoked, by connection name."""
    return [ACCOUNTS.of(row) for row in tx.all("accounts", principal=principal.key)]


def states_of(tx: Transaction, principal: Principal) -> dict[str, str]:
    """Return the states of a principal's accounts except the ones being revoked, by connection."""
    return {row["connection"]: row["state"] for row in tx.all("account_states", principal=principal.key)}


def active(tx: Transaction, connection: str | None = None) -> list[Account]:
    """Return all active accounts (rotation, nightly reconciliation, doctor)."""
    found = (
        tx.all("active_accounts")
        if connection is None
        else tx.all("active_accounts_at", connection=connection)
    )
    return [ACCOUNTS.of(row) for row in found]


def acting_as(tx: Transaction, connection: str, username: str) -> list[Account]:
    """Return the accounts that act as a username on a connection; none for ""."""
    found = tx.all("accounts_of_username", connection=connection, username=username)
    return [ACCOUNTS.of(row) for row in found]


def unlink(
    tx: Transaction,
    principal: Principal,
    connection: str | None,
    *,
    revocable: Sequence[str],
    cause: str,
    notices: Sequence[NewNotice] = (),
    audit: Sequence[AuditEntry] = (),
    interaction: str = "",
    tell: bool = True,
) -> list[Account]:
    """End a principal's account (or all) and everything that depends on it.

    On a connection in ``revocable`` the state becomes ``revoking`` with a REVOKE task (subject: account
    id), elsewhere the row is deleted at once. Open operations there end as cancelled with ``cause`` and
    their cards become dirty; watches end; its workspaces, unfinished links, lists, snapshots and remembered
    form values are deleted. Open runs end as cancelled with ``cause``; where messages reach the person
    (``tell``), each run with a card also gets a JOB_FAILED notice. The person's requests to administrators
    are withdrawn and their browser sessions end, even without an account. Return the accounts that ended, as
    they were; if there were none, nothing else is written.
    """
    ending = [one for one in all_of(tx, principal) if connection in {None, one.connection}]
    if ending and not people.first_sight(tx, interaction):
        return []
    approvals.withdraw(tx, principal, connection)
    browsers.end_of(tx, principal)
    if not ending:
        return []
    CONVERSATIONS.delete(tx, principal=principal)
    for one in ending:
        _end(tx, one, can_revoke=one.connection in revocable, cause=cause, tell=tell)
    add_notices(tx, notices)
    append_audit(tx, audit)
    return ending


def _end(tx: Transaction, ending: Account, *, can_revoke: bool, cause: str, tell: bool) -> None:
    pair = {"principal": ending.principal.key, "connection": ending.connection}
    gone = WORKSPACES.rows(tx, **pair)
    for workspace in gone:
        cards.close_about(tx, workspace)
    cards.close_link(tx, ending.principal.key, ending.connection)
    for operation in OPERATIONS.rows(tx, "created_at, id", **pair, outcome=None):
        operations.end(tx, operation["id"], Outcome.CANCELLED, cause)
    runs.end_all(tx, pair, cause, tell=tell)
    snapshots.delete_of(tx, ending.connection, ending.id)
    REMEMBERED.delete(tx, **pair)
    # A refused account no longer has a secret, so there is nothing to revoke.
    if can_revoke and ending.secret:
        ACCOUNTS.change(tx, {"id": ending.id}, state="revoking", unlinked_at=tx.now())
        add_tasks(tx, [NewTask(TaskKind.REVOKE, ending.id)])
    else:
        ACCOUNTS.delete(tx, id=ending.id)
    for kind in (TaskKind.DISCOVER, TaskKind.LIST_JOBS):
        TASKS.delete(tx, kind=kind, subject=ending.id)
    links.expire(tx, ending.principal.key, ending.connection)
    WORKSPACES.delete(tx, **pair)
    for workspace in gone:
        if tell and workspace["stop_at"] is not None:
            add_notices(tx, [_not_stopped(ending, workspace)])
        OPERATIONS.change(tx, {"workspace_id": workspace["id"]}, is_orphan=True)
        tx.run("rest_gate_without_reader", gate_key=workspace["gate_key"])


def _not_stopped(ended: Account, workspace: Row) -> NewNotice:
    """Return the notice that a timer is gone with the account; the row is deleted, so it says the name."""
    body = {
        "connection": ended.connection,
        "name": workspace["alias"] or workspace["name"],
        "stop_at": workspace["stop_at"],
        "cause": "unlinked",
    }
    occasion = f"{workspace['stop_at']:.0f}"
    return NewNotice(workspace["id"], NoticeKind.TIMER_FAILED, occasion, ended.principal, body)


def drop(tx: Transaction, account_id: str) -> None:
    """Delete an account row that was revoking."""
    ACCOUNTS.delete(tx, id=account_id, state="revoking")


def refuse(
    tx: Transaction,
    account_id: str,
    secret: str,
    notice: NewNotice,
    audit: Sequence[AuditEntry],
    *,
    hold: str,
    renamed_to: str | None = None,
) -> bool:
    """Mark an active account whose stored secret is still ``secret`` as refused, with one notice.

    ``renamed_to`` is its name at the provider by now: once that is linked, its workspaces are found by it.
    Its secret is deleted, its open operations and runs get ``hold``, its watches pause. Return False if it
    was already refused or changed.
    """
    active = {"id": account_id, "state": "active", "secret": secret}
    row = ACCOUNTS.changed(tx, active, state="refused", secret="", renamed_to=renamed_to)
    if row is None:
        return False
    pair = {"principal": row["principal"], "connection": row["connection"]}
    for operation in OPERATIONS.rows(tx, "created_at, id", **pair, outcome=None):
        OPERATIONS.change(tx, {"id": operation["id"]}, hold=hold)
        cards.owe(tx, operation["id"], changed=True)
    runs.hold_all(tx, pair, hold)
    tx.run("hurry_tasks_of_account", account_id=account_id, now=tx.now())
    for workspace in WORKSPACES.rows(tx, **pair, hidden=False):
        tx.run("rest_gate_without_reader", gate_key=workspace["gate_key"])
    add_notices(tx, [notice])
    append_audit(tx, audit)
    return True


def save_secret(
    tx: Transaction,
    account_id: str,
    old: str,
    new: str,
    *,
    is_fresh: bool = False,
    ends_at: float | None = None,
) -> bool:
    """Replace a stored secret if it is still ``old`` (refresh, key rotation).

    A fresh one, which may end at ``ends_at``, ends the suspicion of the old one and resumes everything that
    waited.
    """
    before = ACCOUNTS.row(tx, id=account_id)
    known: dict[str, Any] = {}
    # What is known about the old secret doesn't apply to a fresh one; a re-encrypted one is the same secret.
    if is_fresh:
        remind_at = first_reminder(tx.now(), ends_at)
        known = {"ends_at": ends_at, "remind_at": remind_at, "refused_since": None, "refused_for": 0}
    if not ACCOUNTS.change(tx, {"id": account_id, "secret": old, "state": "active"}, secret=new, **known):
        return False
    if is_fresh and before is not None and before["refused_since"] is not None:
        suspicions.resume(tx, before)
    return True
