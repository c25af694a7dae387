"""Requests to act as a username: asked by people, decided by administrators, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.domain.notices import NewNotice
from bot.domain.people import Approval, AuditEntry, Principal
from bot.store import cards
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.tables import APPROVALS
from bot.store.transaction import Transaction

#: The state that a request must be in to move to a new one.
_BEFORE = {"approved": "asked", "denied": "asked", "linked": "approved", "failed": "approved"}


def put(tx: Transaction, new: Approval) -> Approval:
    """Write a request (state ``asked``) and return the current one.

    If the same person has one still ``asked`` on the connection: with the same username it is kept and takes
    ``waiting``; with another username the new one replaces it under its own id, so that nobody approves a
    username other than the one they were shown.
    """
    existing = tx.one("asked_approval", principal=new.principal.key, connection=new.connection)
    if existing is not None and existing["username"] == new.username:
        row = tx.one("ask_again", **APPROVALS.columns(new) | {"id": existing["id"]})
    else:
        if existing is not None:
            # Whoever was shown the old username can't approve the new one with it.
            tx.run("delete_approval", id=existing["id"])
            cards.close_of(tx, existing["id"])
        row = tx.one("add_approval", **APPROVALS.columns(new))
    assert row is not None  # written a moment ago, in this transaction
    return APPROVALS.of(row)


def approval(tx: Transaction, approval_id: str) -> Approval | None:
    """Return one request."""
    row = tx.one("approval", id=approval_id)
    return APPROVALS.of(row) if row else None


def asked_ones(tx: Transaction, limit: int, place: str = "") -> list[Approval]:
    """Return the oldest undecided requests, of people whose keys begin with a place."""
    return [APPROVALS.of(row) for row in tx.all("asked_approvals", limit=limit, place=place)]


def asked_of(tx: Transaction, principal: Principal) -> list[Approval]:
    """Return one person's undecided requests."""
    return [APPROVALS.of(row) for row in tx.all("asked_approvals_of", principal=principal.key)]


def move(
    tx: Transaction,
    approval_id: str,
    state: Literal["approved", "denied", "linked", "failed"],
    decided_by: str | None = None,
    detail: str | None = None,
) -> Approval | None:
    """Advance a request: ``asked`` → ``approved`` or ``denied``; ``approved`` → ``linked`` or ``failed``.

    Return None if it is already in another state. ``decided_by`` keeps whoever decided first.
    """
    row = tx.one(
        "decide_approval",
        id=approval_id,
        state=state,
        expected=_BEFORE[state],
        detail=detail,
        decided_by=decided_by,
        now=tx.now(),
    )
    if row is None:
        return None
    cards.close_of(tx, approval_id)
    return APPROVALS.of(row)


def fail(
    tx: Transaction, approval: Approval, detail: str, notices: Sequence[NewNotice], audit: AuditEntry
) -> None:
    """Write why nobody was linked as the approved username, and tell whoever has to know."""
    if move(tx, approval.id, "failed", approval.decided_by or "", detail) is not None:
        add_notices(tx, notices, approval.id)
        append_audit(tx, [audit])


def withdraw(tx: Transaction, principal: Principal, connection: str | None) -> None:
    """Delete a person's pending requests, on one connection or all."""
    if connection is None:
        withdrawn = tx.all("withdraw_approvals", principal=principal.key)
    else:
        withdrawn = tx.all("withdraw_approvals_at", principal=principal.key, connection=connection)
    for row in withdrawn:
        cards.close_of(tx, row["id"])
