"""Reminders that an account's credential ends: due rows, each written with the time of the next."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.notices import NewNotice
from bot.domain.people import Account
from bot.store import cards
from bot.store.notices import add_notices
from bot.store.tables import ACCOUNTS
from bot.store.transaction import Transaction


def due(tx: Transaction, limit: int) -> list[Account]:
    """Return active accounts whose credential ends soon enough for the next reminder."""
    return [ACCOUNTS.of(row) for row in tx.all("due_reminders", now=tx.now(), limit=limit)]


def done(tx: Transaction, account: Account, next_at: float | None, notices: Sequence[NewNotice]) -> bool:
    """Write a reminder and when the next is due; return False if another process did, or the link changed."""
    if not ACCOUNTS.change(
        tx, {"id": account.id, "remind_at": account.remind_at, "state": "active"}, remind_at=next_at
    ):
        return False
    add_notices(tx, notices)
    cards.owe_about(tx, cards.of_link(account.principal.key, account.connection), changed=True)
    return True
