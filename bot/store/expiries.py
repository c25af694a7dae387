"""Workspaces that end by themselves, and what their providers tell without being asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import cards, gates, people, rows

if TYPE_CHECKING:
    from bot.domain.models import Workspace
    from bot.store.transaction import Transaction


def ending(tx: Transaction, within: float, limit: int = 100) -> list[Workspace]:
    """Return workspaces that end by themselves within so many seconds, the soonest first.

    Only ones that run or are stopped, that are shown to somebody with an active account, for which
    nobody asks for anything, and whose owner was not told of that end (an ENDING notice with the end in
    whole epoch seconds as its occasion, a minute more or less).
    """
    now = tx.now()
    found = tx.all("ending_workspaces", now=now, until=now + within, limit=limit)
    return [rows.workspace(row) for row in found]


def read_soon(tx: Transaction, workspace_id: str) -> None:
    """Make a workspace's gate due as ``want_read`` does, without its counting as used."""
    row = tx.one("workspace", id=workspace_id)
    if row is not None:
        gates.make_due(tx, row)


def refusals(tx: Transaction, connection: str, since: float) -> int:
    """Count the operations at a connection that ended since then as a provider refused the right to them."""
    row = tx.one("count_refusals", connection=connection, since=since, cause="forbidden%")
    return int(row["count"]) if row else 0


def hear(tx: Transaction, connection: str, gate_key: str, interaction: str, remark: str) -> bool:
    """Write what a provider told of a workspace by itself; owe its card, and make its gate due.

    Returns False, nothing written, when the event was heard before or nobody here has the workspace.
    """
    found = tx.all("workspaces_at_gate", gate_key=gate_key, connection=connection)
    if not found or not people.first_sight(tx, interaction):
        return False
    for row in found:
        tx.run("set_remark", id=row["id"], remark=remark)
        cards.owe_newest(tx, row["id"], changed=True)
    gates.make_due(tx, found[0])
    return True


def save_entry(tx: Transaction, workspace_id: str, gate_key: str, entry: str) -> None:
    """Keep what opens a workspace in a page of ours, sealed; nothing when it has another gate by now."""
    tx.run("set_entry", id=workspace_id, gate_key=gate_key, entry=entry)
