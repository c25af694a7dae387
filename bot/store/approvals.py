"""Approvals: requests to link a username, each decided by an administrator."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final, Literal

from bot.domain.accounts import Approval, defer_after
from bot.domain.people import Principal
from bot.store import cards
from bot.store.tables import APPROVALS, PEOPLE
from bot.store.transaction import Transaction, from_json

#: Maps each state of a link request to the only state that can precede it.
_PRECEDING_STATES = {
    "approved": "requested",
    "denied": "requested",
    "linked": "approved",
    "failed": "approved",
}


def save_request(tx: Transaction, new: Approval) -> Approval:
    """Write a new link request, or update the person's open one. Return the saved request.

    A new request has the state ``requested``. An open request also takes over the new ``deferred_command``
    and username, and its messages are redrawn. The buttons on these messages contain the username, so nobody
    can approve a username that they weren't shown.
    """
    existing = find_open_request(tx, new.principal, new.connection)
    if existing is None:
        APPROVALS.add(tx, new)
        return new
    deferred_command = defer_after([existing.deferred_command], new.deferred_command)
    current = replace(existing, deferred_command=deferred_command)
    if new.username != existing.username:
        # If the username is different, it is a new request, with new questions and a full day to answer them.
        current = replace(new, id=current.id, deferred_command=deferred_command)
    APPROVALS.upsert(tx, current)
    cards.queue_updates(tx, current.id, changed=True)
    return current


def find_open_request(tx: Transaction, principal: Principal, connection: str) -> Approval | None:
    """Return a person's request to be linked on a connection, if nobody has decided on it yet."""
    return APPROVALS.one(tx, principal=principal, connection=connection, state="requested")


def list_open_requests(tx: Transaction, place: str, limit: int) -> list[Approval]:
    """Return the undecided link requests of people whose keys begin with ``place``, oldest first."""
    return APPROVALS.query(tx, "asked_approvals", place=place, limit=limit)


DAY_SECONDS: Final = 86_400.0


def list_request_times(tx: Transaction, principal: Principal, connection: str) -> list[float]:
    """Return the times within the last day at which a person asked to be linked on a connection."""
    now, row = tx.now(), PEOPLE.row(tx, principal=principal)
    times: list[float] = from_json(row["requested"]).get(connection, []) if row is not None else []
    return [at for at in times if abs(now - at) < DAY_SECONDS]


def note_request(tx: Transaction, principal: Principal, connection: str) -> None:
    """Record that a person has just asked to be linked on a connection."""
    row = PEOPLE.row(tx, principal=principal)
    others = from_json(row["requested"]) if row is not None else {}
    times = [*list_request_times(tx, principal, connection), tx.now()]
    PEOPLE.change(tx, {"principal": principal}, requested={**others, connection: times})


def count_questions(tx: Transaction, key: str) -> int:
    """Count how often a person was asked in the last day whether an account is theirs, including now."""
    return len(tx.all("questions_to", principal=key, since=tx.now() - DAY_SECONDS))


def update_request(tx: Transaction, approval_id: str, **facts: Any) -> None:
    """Save new facts about a link request, and queue updates of its messages."""
    APPROVALS.change(tx, {"id": approval_id}, **facts)
    cards.queue_updates(tx, approval_id, changed=True)


def add(tx: Transaction, approval: Approval) -> None:
    """Add a link request that has already been approved or denied."""
    APPROVALS.add(tx, approval)


def find_request(tx: Transaction, approval_id: str) -> Approval | None:
    """Return a link request by its id."""
    return APPROVALS.one(tx, id=approval_id)


def move(
    tx: Transaction,
    approval_id: str,
    state: Literal["approved", "denied", "linked", "failed"],
    decided_by: str | None = None,
    detail: str | None = None,
) -> Approval | None:
    """Move a link request to its next state, if it is in the preceding one (``_PRECEDING_STATES``).

    Otherwise, return None. Once someone has decided, ``decided_by`` never changes.
    """
    moved = APPROVALS.first(
        tx,
        "decide_approval",
        id=approval_id,
        state=state,
        expected=_PRECEDING_STATES[state],
        detail=detail,
        decided_by=decided_by,
        now=tx.now(),
    )
    if moved is not None:
        cards.queue_answered(tx, approval_id)
    return moved


def withdraw(tx: Transaction, principal: Principal, connections: Collection[str] | None) -> None:
    """Delete a person's pending link requests on these connections (None: on all connections)."""
    for pending in tx.all("pending_approvals", principal=principal.key):
        if connections is None or pending["connection"] in connections:
            APPROVALS.delete(tx, id=pending["id"])
            cards.queue_answered(tx, pending["id"])
