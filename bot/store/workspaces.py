"""People's workspaces: discovered, added, named, hidden and ending, with what their providers say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.domain.people import AuditEntry, Principal
from bot.domain.workspaces import State, Workspace
from bot.store import cards, gates, operations, people
from bot.store.audit import append_audit
from bot.store.tables import GATES, WORKSPACES
from bot.store.transaction import Transaction


def all_of(
    tx: Transaction, principal: Principal, *, connection: str | None = None, hidden: bool = False
) -> list[Workspace]:
    """Return a principal's workspaces by title; hidden ones only if ``hidden``."""
    shown: dict[str, Any] = {} if hidden else {"hidden": False}
    found = WORKSPACES.all(tx, "", principal=principal, **shown)
    here = [workspace for workspace in found if connection in {None, workspace.connection}]
    return sorted(here, key=lambda workspace: (workspace.title.casefold(), workspace.id))


def workspace(tx: Transaction, workspace_id: str) -> Workspace | None:
    """Return one workspace."""
    return WORKSPACES.one(tx, id=workspace_id)


def insert(tx: Transaction, new: Workspace) -> bool:
    """Write a row unless its person has one with the same remote id; return whether it was written."""
    return WORKSPACES.add_new(tx, new, created_at=tx.now())


def add(
    tx: Transaction, workspace: Workspace, audit: Sequence[AuditEntry] = (), interaction: str = ""
) -> Workspace:
    """Add (or unhide) a workspace by reference; make its gate due."""
    now = tx.now()
    key = {
        "principal": workspace.principal.key,
        "connection": workspace.connection,
        "remote_id": workspace.remote_id,
    }
    if not people.first_sight(tx, interaction):
        return WORKSPACES.one(tx, **key) or workspace
    GATES.add_new(
        tx,
        gate_key=workspace.gate_key,
        connection=workspace.connection,
        remote_id=workspace.remote_id,
    )
    written = insert(tx, replace(workspace, used_at=now))
    row = WORKSPACES.row(tx, **key)
    assert row is not None  # written a moment ago, or it was there
    if not written:
        alias = row["alias"] if workspace.alias is None else workspace.alias
        WORKSPACES.change(tx, {"id": row["id"]}, hidden=False, alias=alias, used_at=now)
    cards.owe_about(tx, row["id"], changed=True)
    gates.want(tx, row["id"])
    append_audit(tx, audit)
    found = WORKSPACES.one(tx, id=row["id"])
    assert found is not None
    return found


def name(
    tx: Transaction,
    workspace_id: str,
    alias: str | None,
    audit: Sequence[AuditEntry] = (),
    interaction: str = "",
) -> None:
    """Set or clear a person's own name for a workspace."""
    if people.first_sight(tx, interaction):
        WORKSPACES.change(tx, {"id": workspace_id}, alias=alias)
        cards.owe_about(tx, workspace_id, changed=True)
        append_audit(tx, audit)


def hide(tx: Transaction, workspace_id: str, audit: Sequence[AuditEntry] = (), interaction: str = "") -> None:
    """Hide a workspace and end its watch. Open operations on it end as cancelled (cause ``forgotten``)."""
    if not people.first_sight(tx, interaction):
        return
    operations.put_away(tx, workspace_id)
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is not None and row["state"] != State.GONE:
        # Nobody looks at it any more, so no message about it may go on saying how it is.
        cards.close_about(tx, row)
    append_audit(tx, audit)


def ending(tx: Transaction, within: float, limit: int = 100) -> list[Workspace]:
    """Return workspaces that end by themselves within so many seconds, soonest first.

    Only those that are running or stopped, are listed for somebody with an active account, have no open
    operation, and whose owner hasn't been told about that end (an ENDING notice with the end in whole epoch
    seconds as its occasion, within a minute).
    """
    now = tx.now()
    found = tx.all("ending_workspaces", now=now, until=now + within, limit=limit)
    return [WORKSPACES.of(row) for row in found]


def read_soon(tx: Transaction, workspace_id: str) -> None:
    """Make a workspace's gate due as ``want_read`` does, without counting as use."""
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is not None:
        gates.make_due(tx, row)


def hear(tx: Transaction, connection: str, gate_key: str, interaction: str, remark: str) -> bool:
    """Write a provider's event about a workspace, mark its card dirty and make its gate due.

    Return False, nothing written, if the event was seen before or nobody here has the workspace.
    """
    found = WORKSPACES.rows(tx, gate_key=gate_key, connection=connection)
    if not found or not people.first_sight(tx, interaction):
        return False
    for row in found:
        WORKSPACES.change(tx, {"id": row["id"]}, remark=remark)
        cards.owe_about(tx, row["id"], changed=True)
    gates.make_due(tx, found[0])
    return True


def save_entry(tx: Transaction, workspace_id: str, gate_key: str, entry: str) -> None:
    """Store a workspace's sealed entry, unless it has another gate by now."""
    WORKSPACES.change(tx, {"id": workspace_id, "gate_key": gate_key}, entry=entry)
