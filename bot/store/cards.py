"""Cards: posted once, then marked dirty for updates; the newest state wins, nothing is queued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.domain.models import NoticeKind
from bot.store import rows

if TYPE_CHECKING:
    from bot.domain.models import Card
    from bot.store.transaction import Transaction

#: Notices that ask the person something: the question is a second card.
QUESTIONS: Final = frozenset({NoticeKind.ASKED, NoticeKind.JOB_ASKED})
_CARDS: Final = frozenset({NoticeKind.CARD, NoticeKind.JOB_CARD, NoticeKind.CLASS_CARD})
#: Notices whose message becomes the place of a card.
PLACED: Final = QUESTIONS | _CARDS | {NoticeKind.CARD_UPDATE}


def add(tx: Transaction, kind: NoticeKind, subject: str, principal: str) -> bool:
    """Add the card that a notice of this kind posts; return whether there was none yet."""
    key = {"id": _id(kind, subject), "subject": subject, "kind": kind}
    return tx.run("add_card", **key, principal=principal, now=tx.now()) == 1


def place(tx: Transaction, kind: NoticeKind, subject: str, channel_id: str, message_ts: str) -> None:
    """Record which message is a card's."""
    at = {"channel_id": channel_id, "message_ts": message_ts}
    tx.run("place_card", id=_id(kind, subject), **at, now=tx.now())


def owe(tx: Transaction, subject: str, *, changed: bool) -> None:
    """Mark a subject's card and question dirty; ``changed``: by more than progress."""
    tx.run("owe_card", id=subject, changed=changed, now=tx.now())


def owe_newest(tx: Transaction, workspace_id: str, *, changed: bool) -> None:
    """Mark the card of a workspace's newest operation dirty."""
    newest = tx.one("latest_operation", workspace_id=workspace_id)
    if newest is not None:
        owe(tx, newest["id"], changed=changed)


def claim(tx: Transaction, limit: int, min_interval: float, lease: float) -> list[Card]:
    """Lease dirty, posted cards, changes of state first.

    Cards with a change of state come at once, others ``min_interval`` seconds after their last update.
    """
    now = tx.now()
    until = now + lease
    changed = [rows.card(row) for row in tx.all("claim_changed_cards", now=now, until=until, limit=limit)]
    changed.sort(key=lambda card: (card.changed_at or 0.0, card.id))
    left = limit - len(changed)
    if left <= 0:
        return changed
    before = now - min_interval
    others = [
        rows.card(row)
        for row in tx.all("claim_progressed_cards", now=now, until=until, before=before, limit=left)
    ]
    return changed + sorted(others, key=lambda card: (card.updated_at, card.id))


def updated(tx: Transaction, card_id: str, claimed: Card) -> None:
    """Clear dirty unless the card became dirty again since it was claimed; stamp ``updated_at``."""
    now = tx.now()
    tx.run("card_updated", id=card_id, claimed_changed_at=claimed.changed_at or 0.0, now=now)


def retry(tx: Transaction, card_id: str, due_in: float) -> None:
    """Release a card's lease to retry later; it stays dirty."""
    tx.run("card_retry", id=card_id, until=tx.now() + due_in)


def lost(tx: Transaction, card_id: str) -> None:
    """Forget a card's message (it was deleted); it is no longer updated."""
    tx.run("card_lost", id=card_id)


def card(tx: Transaction, card_id: str) -> Card | None:
    """Return a card by its id: the id of its operation, run or class, unless it is a question."""
    row = tx.one("card", id=card_id)
    return rows.card(row) if row else None


def _id(kind: NoticeKind, subject: str) -> str:
    """Return a card's id; treat it as opaque."""
    return f"{subject}/asked" if kind in QUESTIONS else subject
