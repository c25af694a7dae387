"""Workspaces that end by themselves, and what their providers tell without being asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import cards, gates, people, rows

if TYPE_CHECKING:
    from bot.models import Workspace
    from bot.store.transaction import Transaction


def ending(tx: Transaction, within: float, limit: int) -> list[Workspace]:
    """Return what ends soon and whose owner does not know it yet."""
    now = tx.now()
    found = tx.all("ending_workspaces", now=now, until=now + within, limit=limit)
    return [rows.workspace(row) for row in found]


def read_soon(tx: Transaction, workspace_id: str) -> None:
    """Make a workspace's gate due for nobody in particular."""
    row = tx.one("workspace", id=workspace_id)
    if row is not None:
        gates.make_due(tx, row)


def refusals(tx: Transaction, connection: str, since: float) -> int:
    """Count wishes whose right was refused."""
    row = tx.one("count_refusals", connection=connection, since=since, cause="forbidden%")
    return int(row["count"]) if row else 0


def hear(tx: Transaction, connection: str, gate_key: str, interaction: str, remark: str) -> bool:
    """Write what a provider told by itself; say whether it was news of a workspace that somebody has."""
    found = tx.all("workspaces_at_gate", gate_key=gate_key, connection=connection)
    if not found or not people.first_sight(tx, interaction):
        return False
    for row in found:
        tx.run("set_remark", id=row["id"], remark=remark)
        cards.owe_newest(tx, row["id"], changed=True)
    gates.make_due(tx, found[0])
    return True


def save_entry(tx: Transaction, workspace_id: str, gate_key: str, entry: str) -> None:
    """Keep what opens a workspace."""
    tx.run("set_entry", id=workspace_id, gate_key=gate_key, entry=entry)
