"""Workspaces that end by themselves, and events from their providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import cards, gates, people, rows

if TYPE_CHECKING:
    from bot.domain.models import Workspace
    from bot.store.transaction import Transaction


def ending(tx: Transaction, within: float, limit: int = 100) -> list[Workspace]:
    """Return workspaces that end by themselves within so many seconds, soonest first.

    Only those that are running or stopped, are listed for somebody with an active account, have no open
    operation, and whose owner hasn't been told about that end (an ENDING notice with the end in whole epoch
    seconds as its occasion, within a minute).
    """
    now = tx.now()
    found = tx.all("ending_workspaces", now=now, until=now + within, limit=limit)
    return [rows.workspace(row) for row in found]


def read_soon(tx: Transaction, workspace_id: str) -> None:
    """Make a workspace's gate due as ``want_read`` does, without counting as use."""
    row = tx.one("workspace", id=workspace_id)
    if row is not None:
        gates.make_due(tx, row)


def refusals(tx: Transaction, connection: str, since: float) -> int:
    """Count the operations on a connection that ended since then because a permission was refused."""
    row = tx.one("count_refusals", connection=connection, since=since, cause="forbidden%")
    return int(row["count"]) if row else 0


def hear(tx: Transaction, connection: str, gate_key: str, interaction: str, remark: str) -> bool:
    """Write a provider's event about a workspace, mark its card dirty and make its gate due.

    Return False, nothing written, if the event was seen before or nobody here has the workspace.
    """
    found = tx.all("workspaces_at_gate", gate_key=gate_key, connection=connection)
    if not found or not people.first_sight(tx, interaction):
        return False
    for row in found:
        tx.run("set_remark", id=row["id"], remark=remark)
        cards.owe_about(tx, row["id"], changed=True)
    gates.make_due(tx, found[0])
    return True


def save_entry(tx: Transaction, workspace_id: str, gate_key: str, entry: str) -> None:
    """Store a workspace's sealed entry, unless it has another gate by now."""
    tx.run("set_entry", id=workspace_id, gate_key=gate_key, entry=entry)
