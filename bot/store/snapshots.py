"""What providers told last, and what people filled in last: shown until it is read, or filled in, again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.store import rows
from bot.store.text import as_json, from_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.models import Principal, Snapshot
    from bot.store.transaction import Transaction


def save(tx: Transaction, snapshot: Snapshot[Any]) -> None:
    """Write what a provider told; the newer one wins.

    One whose ``owner`` is no account, or one that is being revoked, is dropped.
    """
    if snapshot.owner:
        account = tx.one("account_by_id", id=snapshot.owner)
        if account is None or account["state"] == "revoking":
            return
    tx.run(
        "save_snapshot",
        connection=snapshot.connection,
        owner=snapshot.owner,
        kind=snapshot.kind,
        payload=as_json(snapshot.payload),
        read_at=snapshot.read_at,
    )


def snapshot(tx: Transaction, connection: str, owner: str, kind: str) -> Snapshot[Any] | None:
    """Return what a provider told last."""
    row = tx.one("snapshot", connection=connection, owner=owner, kind=kind)
    return rows.snapshot(row) if row else None


def delete_of(tx: Transaction, connection: str, account_id: str) -> None:
    """Delete what an account was told."""
    tx.run("delete_snapshots", connection=connection, owner=account_id)


def remember(
    tx: Transaction, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
) -> None:
    """Keep what a person filled in, for the next time; an unlink deletes it."""
    key = {"principal": principal.key, "connection": connection, "purpose": purpose}
    tx.run("remember", **key, payload=as_json(dict(values)))


def remembered(tx: Transaction, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
    """Return what a person filled in last; empty when nothing."""
    row = tx.one("remembered", principal=principal.key, connection=connection, purpose=purpose)
    values: dict[str, Any] = {} if row is None else from_json(row["payload"])
    return values
