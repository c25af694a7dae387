"""Providers' latest answers and people's latest form values: shown until they are read or filled in again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.people import Principal, Snapshot
from bot.store.tables import ACCOUNTS, REMEMBERED, SNAPSHOTS
from bot.store.text import as_json, from_json
from bot.store.transaction import Transaction


def save(tx: Transaction, snapshot: Snapshot[Any]) -> None:
    """Write a provider's answer; the newer one wins.

    It is dropped if ``owner`` isn't an account, or is one being revoked.
    """
    if snapshot.owner:
        account = ACCOUNTS.row(tx, id=snapshot.owner)
        if account is None or account["state"] == "revoking":
            return
    tx.run("save_snapshot", **SNAPSHOTS.columns(snapshot) | {"payload": as_json(snapshot.payload)})


def snapshot(tx: Transaction, connection: str, owner: str, kind: str) -> Snapshot[Any] | None:
    """Return a provider's latest answer."""
    return SNAPSHOTS.one(tx, connection=connection, owner=owner, kind=kind)


def delete_of(tx: Transaction, connection: str, account_id: str) -> None:
    """Delete an account's snapshots."""
    SNAPSHOTS.delete(tx, connection=connection, owner=account_id)


def remember(
    tx: Transaction, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
) -> None:
    """Keep a person's form values for the next time; an unlink deletes them."""
    REMEMBERED.put(tx, principal=principal, connection=connection, purpose=purpose, payload=dict(values))


def remembered(tx: Transaction, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
    """Return the person's latest form values, or an empty dict."""
    row = REMEMBERED.row(tx, principal=principal, connection=connection, purpose=purpose)
    values: dict[str, Any] = {} if row is None else from_json(row["payload"])
    return values
