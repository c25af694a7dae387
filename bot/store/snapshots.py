"""Providers' latest answers and people's latest form values: shown until they are read or filled in again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.models import Principal, Snapshot
from bot.store import rows
from bot.store.text import as_json, from_json
from bot.store.transaction import Transaction


def save(tx: Transaction, snapshot: Snapshot[Any]) -> None:
    """Write a provider's answer; the newer one wins.

    It is dropped if ``owner`` isn't an account, or is one being revoked.
    """
    if snapshot.owner:
        account = tx.one("account_by_id", id=snapshot.owner)
        if account is None or account["state"] == "revoking":
            return
    tx.run("save_snapshot", **rows.columns(snapshot) | {"payload": as_json(snapshot.payload)})


def snapshot(tx: Transaction, connection: str, owner: str, kind: str) -> Snapshot[Any] | None:
    """Return a provider's latest answer."""
    row = tx.one("snapshot", connection=connection, owner=owner, kind=kind)
    return rows.snapshot(row) if row else None


def delete_of(tx: Transaction, connection: str, account_id: str) -> None:
    """Delete an account's snapshots."""
    tx.run("delete_snapshots", connection=connection, owner=account_id)


def remember(
    tx: Transaction, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
) -> None:
    """Keep a person's form values for the next time; an unlink deletes them."""
    key = {"principal": principal.key, "connection": connection, "purpose": purpose}
    tx.run("remember", **key, payload=as_json(dict(values)))


def remembered(tx: Transaction, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
    """Return the person's latest form values, or an empty dict."""
    row = tx.one("remembered", principal=principal.key, connection=connection, purpose=purpose)
    values: dict[str, Any] = {} if row is None else from_json(row["payload"])
    return values
