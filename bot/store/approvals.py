"""Requests to act as a username: asked by people, decided by administrators, once."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.models import Approval, AuditEntry, NewNotice, Principal
from bot.store import cards, people
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.records import NewTask
from bot.store.tables import APPROVALS
from bot.store.tasks import add_tasks
from bot.store.transaction import Transaction

#: The state that a request must be in to move to a new one.
_BEFORE = {"approved": "asked", "denied": "asked", "linked": "approved", "failed": "approved"}


def ask(
    tx: Transaction,
    approval: Approval,
    notices: Sequence[NewNotice] = (),
    audit: Sequence[AuditEntry] = (),
    interaction: str = "",
) -> Approval:
    """Write a request (state ``asked``) and return the current one.

    If the same person has one still ``asked`` on the connection: with the same username it is kept, takes
    ``waiting``, and ``notices`` aren't written again; with another username the new one replaces it under a
    new id, so that nobody approves a username other than the one they were shown. A notice's subject of ""
    becomes the id.
    """
    pair = {"principal": approval.principal.key, "connection": approval.connection}
    existing = tx.one("asked_approval", **pair)
    if not people.first_sight(tx, interaction):
        row = tx.one("approval", id=people.result_of(tx, interaction)) or existing
        return APPROVALS.of(row) if row else approval
    if existing is not None and existing["username"] == approval.username:
        row = tx.one("ask_again", **APPROVALS.columns(approval) | {"id": existing["id"]})
    else:
        if existing is not None:
            # Whoever was shown the old username can't approve the new one with it.
            tx.run("delete_approval", id=existing["id"])
            cards.close_of(tx, existing["id"])
        row = tx.one("add_approval", **APPROVALS.columns(approval))
        add_notices(tx, notices, approval.id)
    assert row is not None  # written a moment ago, in this transaction
    people.keep_result(tx, interaction, row["id"])
    append_audit(tx, audit)
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


def decide(
    tx: Transaction,
    approval_id: str,
    state: str,
    decided_by: str,
    *,
    username: str | None = None,
    detail: str | None = None,
    tasks: Sequence[NewTask] = (),
    notices: Sequence[NewNotice] = (),
    audit: Sequence[AuditEntry] = (),
    interaction: str = "",
) -> Approval | None:
    """Advance a request: ``asked`` → ``approved`` or ``denied``; ``approved`` → ``linked`` or ``failed``.

    Return None if it is already in another state. ``username`` may differ from the requested one.
    ``decided_by`` keeps whoever decided first. Raise ValueError for any other state.
    """
    if state not in _BEFORE:
        raise ValueError(f"a request is never {state}")
    if not people.first_sight(tx, interaction):
        row = tx.one("approval", id=approval_id)
        return APPROVALS.of(row) if row and row["state"] == state else None
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
    cards.close_of(tx, approval_id)
    add_tasks(tx, tasks)
    add_notices(tx, notices, approval_id)
    append_audit(tx, audit)
    return APPROVALS.of(row)


def withdraw(tx: Transaction, principal: Principal, connection: str | None) -> None:
    """Delete a person's pending requests, on one connection or all."""
    if connection is None:
        withdrawn = tx.all("withdraw_approvals", principal=principal.key)
    else:
        withdrawn = tx.all("withdraw_approvals_at", principal=principal.key, connection=connection)
    for row in withdrawn:
        cards.close_of(tx, row["id"])
