"""Cards: posted once, then owed updates; the newest state wins, nothing is queued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.store import rows

if TYPE_CHECKING:
    from bot.domain.models import Card
    from bot.store.transaction import Transaction


#: A question about an operation or a run is a card of its own: its id is that of the operation or run with
#: this behind it.
ASKED: Final = "/asked"


def owe(tx: Transaction, operation_id: str, *, changed: bool) -> None:
    """Make an operation's card dirty, and its question; ``changed``: by more than progress."""
    tx.run("owe_card", operation_id=operation_id, changed=changed, now=tx.now())


def owe_newest(tx: Transaction, workspace_id: str, *, changed: bool) -> None:
    """Make the card of a workspace's newest operation dirty."""
    newest = tx.one("latest_operation", workspace_id=workspace_id)
    if newest is not None:
        owe(tx, newest["id"], changed=changed)


def claim(tx: Transaction, limit: int, min_interval: float, lease: float) -> list[Card]:
    """Lease dirty, posted cards, changes of state first.

    Those with a change of state at once, others when ``min_interval`` has passed since their last update.
    """
    now = tx.now()
    until = now + lease
    changed = [rows.card(row) for row in tx.all("claim_changed_cards", now=now, until=until, limit=limit)]
    changed.sort(key=lambda card: (card.changed_at or 0.0, card.operation_id))
    left = limit - len(changed)
    if left <= 0:
        return changed
    before = now - min_interval
    others = [
        rows.card(row)
        for row in tx.all("claim_progressed_cards", now=now, until=until, before=before, limit=left)
    ]
    return changed + sorted(others, key=lambda card: (card.updated_at, card.operation_id))


def updated(tx: Transaction, operation_id: str, claimed: Card) -> None:
    """Clear dirty unless the card became dirty again since it was claimed; stamp ``updated_at``."""
    now = tx.now()
    tx.run("card_updated", operation_id=operation_id, claimed_changed_at=claimed.changed_at or 0.0, now=now)


def retry(tx: Transaction, operation_id: str, due_in: float) -> None:
    """Give a card's lease back for later; it stays dirty."""
    tx.run("card_retry", operation_id=operation_id, until=tx.now() + due_in)


def lost(tx: Transaction, operation_id: str) -> None:
    """Forget where a card stands (message deleted); it is not updated any more."""
    tx.run("card_lost", operation_id=operation_id)


def card(tx: Transaction, operation_id: str) -> Card | None:
    """Return an operation's card."""
    row = tx.one("card", operation_id=operation_id)
    return rows.card(row) if row else None
