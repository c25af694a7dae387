"""Approval requests for linking by username, as stored in the database."""

from collections.abc import Sequence
from typing import Any

from bot.domain.accounts import Approval
from bot.domain.notices import NewNotice
from bot.store import approvals as approvals_store
from bot.store.notices import add_notices
from bot.store.store import Store
from bot.store.tables import APPROVALS
from bot.store.transaction import Transaction


async def ask_approval(store: Store, approval: Approval, notices: Sequence[NewNotice] = ()) -> Approval:
    """Store a request and its notices, and return the request that is current now."""

    def write(tx: Transaction) -> Approval:
        add_notices(tx, notices, approval.id)
        return approvals_store.save_request(tx, approval)

    return await store.carry_out(write)


async def decide_approval(store: Store, approval_id: str, *given: Any) -> Approval | None:
    """Move a request to another state. Pass who decided, and optionally a detail."""
    return await store.carry_out(lambda tx: approvals_store.move(tx, approval_id, *given))


def list_open_approvals(tx: Transaction) -> list[Approval]:
    """Return the requests that nobody has decided yet."""
    return APPROVALS.query(tx, "SELECT * FROM approvals WHERE state = 'requested' ORDER BY requested_at")
