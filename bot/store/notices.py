"""The outbox: written with the transition it reports, sent later; each message once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import NOTICE_CLASS, NoticeKind
from bot.store import cards, rows
from bot.store.text import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import NewNotice, Notice, Principal
    from bot.store.transaction import Transaction


#: How many seconds, at most, the notice of an operation's end waits for the operation's card to be sent.
CARD_FIRST = 5.0


def add_notices(tx: Transaction, notices: Sequence[NewNotice], subject: str = "") -> None:
    """Write notices; those that exist (subject, kind, occasion) are left unchanged.

    ``subject`` replaces an empty one.
    """
    for new in notices:
        now = tx.now()
        row = {
            "id": tx.ids.new("notice"),
            "subject": new.subject or subject,
            "kind": new.kind,
            "principal": new.principal.key,
        }
        is_new = tx.run(
            "add_notice",
            **row,
            occasion=new.occasion,
            body=as_json(new.body),
            **{"class": NOTICE_CLASS[new.kind]},
            now=now,
            due_at=now + new.due_in,
        )
        if is_new:
            cards.add_notice(tx, row, new.body)


def claim(tx: Transaction, limit: int, lease: float, classes: Sequence[int] = (0, 1, 2, 3)) -> list[Notice]:
    """Lease due notices by class, then age; ``attempts`` includes the attempt that now begins.

    Notices with an expired lease come again, with ``unknown_since`` set to the attempt's time if unset.
    """
    claimed: list[Notice] = []
    for number in sorted(set(classes)):
        now = tx.now()
        left = limit - len(claimed)
        if left <= 0:
            break
        found = tx.all(
            "claim_notices",
            **{"class": number},
            now=now,
            until=now + lease,
            limit=left,
            settled=now - CARD_FIRST,
        )
        claimed += sorted(map(rows.notice, found), key=lambda notice: (notice.created_at, notice.id))
    return claimed


def sent(tx: Transaction, notice_id: str, channel_id: str, message_ts: str) -> None:
    """Mark as sent; what can change is written into its card's row in the same transaction."""
    now = tx.now()
    row = tx.one("notice_sent", id=notice_id, channel_id=channel_id, message_ts=message_ts, now=now)
    if row is None:
        return
    kind, subject = NoticeKind(row["kind"]), row["subject"]
    if kind is NoticeKind.JOB_OUTPUT:
        tx.run("place_output", id=subject, message_ts=message_ts)
    elif message_ts:
        cards.place(tx, cards.id_of(kind, notice_id, subject), channel_id, message_ts)
    # Slack's ids of direct messages begin with D. A card may be in a channel, and a reply goes to wherever
    # the person typed, which may be a conversation with somebody else.
    if channel_id.startswith("D") and kind is not NoticeKind.REPLY:
        tx.run("remember_channel", principal=row["principal"], channel_id=channel_id)


def retry(
    tx: Transaction, notice_id: str, due_in: float, *, error: str, unknown_since: float | None = None
) -> None:
    """Retry later; ``unknown_since`` keeps the earliest value given."""
    tx.run(
        "notice_retry",
        id=notice_id,
        due_at=tx.now() + due_in,
        error=error,
        has_unknown=unknown_since is not None,
        unknown_since=unknown_since or 0.0,
    )


def dead(tx: Transaction, notice_id: str, error: str) -> None:
    """Give up on a notice; doctor shows it."""
    tx.run("notice_dead", id=notice_id, error=error)
    cards.drop(tx, notice_id)


def dead_ones(tx: Transaction, limit: int = 50) -> list[Notice]:
    """Return the newest dead notices."""
    return [rows.notice(row) for row in tx.all("dead_notices", limit=limit)]


def known_channel(tx: Transaction, principal: Principal) -> str | None:
    """Return the direct message's channel id known from an earlier send, if any."""
    row = tx.one("known_channel", principal=principal.key)
    return None if row is None else str(row["channel_id"])
