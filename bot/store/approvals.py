"""Requests to act as a username: asked by people, decided by administrators, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import audit, notices, people, rows, tasks
from bot.store.text import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Approval, AuditEntry, NewNotice, Principal
    from bot.store.records import NewTask
    from bot.store.transaction import Row, Transaction

#: Where a request must stand to be moved on.
_BEFORE = {"approved": "asked", "denied": "asked", "linked": "approved", "failed": "approved"}


def ask(
    tx: Transaction,
    new: Approval,
    following: Sequence[NewNotice],
    entries: Sequence[AuditEntry],
    interaction: str,
) -> Approval:
    """Write a request; see the Protocol for what becomes of an open one of the same person."""
    pair = {"principal": new.principal.key, "connection": new.connection}
    standing = tx.one("asked_approval", **pair)
    if not people.first_sight(tx, interaction):
        row = tx.one("approval", id=people.result_of(tx, interaction)) or standing
        return rows.approval(row) if row else new
    waiting = None if new.waiting is None else as_json(new.waiting)
    if standing is not None and standing["username"] == new.username:
        row = tx.one("ask_again", id=standing["id"], waiting=waiting, detail=new.detail)
    else:
        if standing is not None:
            # Whoever was shown the old words can't approve the new ones by them.
            tx.run("delete_approval", id=standing["id"])
        row = _add(tx, new, pair, waiting)
        notices.add(tx, following, new.id)
    assert row is not None  # written a moment ago, in this transaction
    people.keep_result(tx, interaction, row["id"])
    audit.append(tx, entries)
    return rows.approval(row)


def _add(tx: Transaction, new: Approval, pair: Row, waiting: str | None) -> Row | None:
    return tx.one(
        "add_approval",
        **pair,
        id=new.id,
        username=new.username,
        asked_at=new.asked_at,
        detail=new.detail,
        waiting=waiting,
    )


def approval(tx: Transaction, approval_id: str) -> Approval | None:
    """Return one request."""
    row = tx.one("approval", id=approval_id)
    return rows.approval(row) if row else None


def decide(
    tx: Transaction,
    approval_id: str,
    state: str,
    decided_by: str,
    *,
    username: str | None,
    detail: str | None,
    then: Sequence[NewTask],
    following: Sequence[NewNotice],
    entries: Sequence[AuditEntry],
    interaction: str,
) -> Approval | None:
    """Move a request on; None when it stands elsewhere already. Raises ValueError for no such state."""
    if state not in _BEFORE:
        raise ValueError(f"a request is never {state}")
    if not people.first_sight(tx, interaction):
        row = tx.one("approval", id=approval_id)
        return rows.approval(row) if row and row["state"] == state else None
    row = tx.one(
        "decide_approval",
        id=approval_id,
        state=state,
        expected=_BEFORE[state],
        username=username,
        detail=detail,
        decided_by=decided_by,
        now=tx.now(),
    )
    if row is None:
        return None
    tasks.add(tx, then)
    notices.add(tx, following, approval_id)
    audit.append(tx, entries)
    return rows.approval(row)


def withdraw(tx: Transaction, principal: Principal, connection: str | None) -> None:
    """Delete what a person still waits for, at a connection or everywhere."""
    if connection is None:
        tx.run("withdraw_approvals", principal=principal.key)
    else:
        tx.run("withdraw_approvals_at", principal=principal.key, connection=connection)
