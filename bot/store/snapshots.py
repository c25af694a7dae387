"""Snapshots: the latest answers received from providers."""

from typing import Any

from bot.domain.snapshots import Snapshot
from bot.store.tables import ACCOUNTS, SNAPSHOTS
from bot.store.transaction import Transaction, as_json


def save_snapshot(tx: Transaction, snapshot: Snapshot[Any]) -> None:
    """Store a provider's answer, unless a newer one is already stored.

    An answer with an ``owner`` is dropped if that account doesn't exist or is being revoked.
    """
    if snapshot.owner:
        account = ACCOUNTS.row(tx, id=snapshot.owner)
        if account is None or account["state"] == "revoking":
            return
    tx.run("save_snapshot", **SNAPSHOTS.columns(snapshot) | {"payload": as_json(snapshot.payload)})


def find_snapshot(tx: Transaction, connection: str, owner: str, kind: str) -> Snapshot[Any] | None:
    """Return the latest stored answer of a provider."""
    return SNAPSHOTS.one(tx, connection=connection, owner=owner, kind=kind)
