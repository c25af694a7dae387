"""Messages that offer something, for as long as they can change: cards, and notices about the same.

They are posted once, then marked dirty for updates; the newest state wins, nothing is queued. Of the messages
about a workspace or a run, the one that was sent last is live. The one before becomes a line, in one update
(``docs/rules.md``, "History stays, one message is live").
"""

from typing import Any, Final

from bot.domain.notices import Card, Mark, NoticeKind
from bot.store.budget import ENDLESS, Room
from bot.store.schema import setting
from bot.store.tables import CARDS
from bot.store.transaction import Row, Transaction, as_json

#: How many seconds a message that is often replaced by the answer to a press on it waits for that.
_REPLACED_WITHIN: Final = 3.0
#: How many seconds, at most, the card of what has ended waits for the message that says so.
END_FIRST: Final = 5.0
#: How many seconds, at least, lie between two updates of a card for what its run has written.
OUTPUT_INTERVAL: Final = 3.0
#: How it is known that a message was sent: of the kinds that 0.1.0 knows, and of later ones.
PLACED: Final = ("message_ts IS NOT NULL", "later_ts > ''")
#: How messages may be dirty, as ``dirty_cards`` tells them apart.
_DIRTS: Final = as_json(dict.fromkeys(("changed", "former", "progressed", "later"), 1))


def add(tx: Transaction, kind: NoticeKind, subject: str, principal: str, about: str | None = None) -> bool:
    """Add the card of an operation, run or class; return whether there was none yet.

    ``about`` is the workspace of an operation; runs and classes are about themselves.
    """
    return _add(tx, subject, kind, subject, principal, about or subject)


def add_notice(tx: Transaction, notice: Row, body: dict[str, Any]) -> None:
    """Add the message of a notice that offers something, if its kind does."""
    kind = NoticeKind(notice["kind"])
    about: str | None = None
    match kind.offers:
        case "workspace":
            about = body.get("workspace")
        case "link":
            if connection := body.get("connection"):
                about = of_link(notice["principal"], connection)
        case "approval":
            # Each administrator has one.
            about = f"{notice['subject']}/{notice['principal']}"
        case "person":
            about = f"{notice['kind']}/{notice['principal']}"
        case "run" | "class":
            about = notice["subject"]
    if about:
        kept = {} if Mark.OUTPUT in kind.marks else body
        _add(tx, notice["id"], kind, notice["subject"], notice["principal"], about, kept)


def of_link(principal: str, connection: str) -> str:
    """Return what messages about a person's link are about."""
    return f"link/{principal}/{connection}"


def _add(
    tx: Transaction,
    card_id: str,
    kind: NoticeKind,
    subject: str,
    principal: str,
    about: str,
    body: dict[str, Any] | None = None,
) -> bool:
    key = {"id": card_id, "subject": subject, "kind": kind, "principal": principal, "about": about}
    rest = {"is_notice": Mark.CARD not in kind.marks, "body": body or {}, "created_at": tx.now()}
    return CARDS.add_new(tx, **key, **rest, updated_at=tx.now(), later_ts="" if kind.is_later else None)


def id_of(kind: NoticeKind, notice_id: str, subject: str) -> str:
    """Return the id of the card that a notice posts or corrects."""
    return subject if Mark.CARD in kind.marks or kind is NoticeKind.CARD_UPDATE else notice_id


def place(tx: Transaction, card_id: str, channel_id: str, message_ts: str, drawn: str = "") -> None:
    """Record which message is a card's, and what it shows: the last one sent about a row stays live."""
    now = tx.now()
    row = tx.one("place_card", id=card_id, channel_id=channel_id, message_ts=message_ts, now=now, drawn=drawn)
    if row is not None:
        _close_former(tx, row["principal"], row["about"])


def _close_former(tx: Transaction, principal: str, about: str) -> None:
    tx.run("close_former_cards", principal=principal, about=about, now=tx.now())


def close_of(tx: Transaction, subject: str) -> None:
    """Close all messages that show a row which is settled."""
    tx.run("close_cards_of", subject=subject, now=tx.now(), later=tx.now() + _REPLACED_WITHIN)


def close_about(tx: Transaction, workspace: Row) -> None:
    """Close all messages about a workspace that is going to be deleted or hidden; they keep its name."""
    name = workspace["alias"] or workspace["name"]
    tx.run("close_cards_about", about=workspace["id"], name=name, now=tx.now())


def close_link(tx: Transaction, principal: str, connection: str) -> None:
    """Close all messages about a person's link, which has ended."""
    tx.run("close_cards_about", about=of_link(principal, connection), name=None, now=tx.now())


def move(tx: Transaction, principal: str, former: str, about: str) -> None:
    """Move the messages about a workspace to the one that it turned out to be."""
    CARDS.change(tx, {"about": former}, about=about)
    _close_former(tx, principal, about)


def owe(tx: Transaction, subject: str, *, changed: bool) -> None:
    """Mark the messages of an operation or run dirty; ``changed``: by more than progress."""
    tx.run("owe_cards_of", subject=subject, changed=changed, now=tx.now())


def owe_about(tx: Transaction, about: str, *, changed: bool) -> None:
    """Mark the messages about a workspace, or the card of a class, dirty."""
    tx.run("owe_cards_about", about=about, changed=changed, now=tx.now())


def looked_for(now: float, min_interval: float) -> dict[str, float]:
    """Return what the claims of cards take besides the time."""
    since = {"card_before": now - min_interval, "output_before": now - OUTPUT_INTERVAL}
    return {"end_first": now - END_FIRST, **since}


def claim_cards(
    tx: Transaction, limit: int, min_interval: float, lease: float, room: Room = ENDLESS, owner: str = ""
) -> list[Card]:
    """Lease dirty, posted cards, as many as there is ``room`` for.

    First the live ones with a change of state, unless the message about an end is about to take their place.
    What is left is shared between those that become a line, newest change first, and the progress of cards,
    which comes ``min_interval`` seconds after their last update, output sooner. The card of a run
    whose output another process follows is left to that one.
    """
    now = tx.now()
    found = tx.all("dirty_cards", dirts=_DIRTS, now=now, limit=limit, **room.within(now))
    dirty = {row["dirt"]: row["fit"] for row in found}
    fit = max(dirty.values(), default=0)

    keys: dict[str, float | str] = {**looked_for(now, min_interval), "owner": owner}

    def claimed(query: str, dirt: str, most: int) -> list[Card]:
        found: list[Card] = []
        for placed, of in zip(PLACED, (dirt, "later"), strict=True):
            if of in dirty and most > len(found):
                given = {"now": now, "until": now + lease, "limit": most - len(found), **keys}
                found += CARDS.found(tx, setting(query, placed=placed), **given)
        return sorted(found, key=lambda card: (card.changed_at or card.updated_at, card.id))

    cards = claimed("claim_changed_cards", "changed", fit)
    cards += claimed("claim_former_cards", "former", (fit - len(cards) + 1) // 2)
    cards += claimed("claim_progressed_cards", "progressed", fit - len(cards))
    return cards + claimed("claim_former_cards", "former", fit - len(cards))


def give_up(tx: Transaction, before: float, limit: int) -> int:
    """Leave messages as they are that should have become a line by then; return how many."""
    return sum(
        tx.run(setting("give_up_edits", placed=placed), before=before, limit=limit) for placed in PLACED
    )


def are_edits_waiting(tx: Transaction, most: int) -> bool:
    """Return whether more than so many messages have yet to become a line."""
    return tx.one("are_edits_waiting", most=most) is not None


def card_updated(tx: Transaction, card_id: str, claimed: Card, drawn: str = "") -> None:
    """Clear dirty unless the card became dirty again since it was claimed; stamp ``updated_at``.

    ``drawn`` is a digest of what it shows. One that was closing is closed by that.
    """
    now = tx.now()
    tx.run(
        "card_updated",
        id=card_id,
        claimed_changed_at=claimed.changed_at or 0.0,
        drawn=drawn,
        leased_until=claimed.leased_until,
        now=now,
    )
    # Nobody asks for a notice again; a card stays known by its operation, run or class.
    if claimed.stage == "closing" and not CARDS.delete(tx, id=card_id, is_notice=True):
        CARDS.change(tx, {"id": card_id}, stage="closed", is_dirty=False, changed_at=None)


def card_retry(tx: Transaction, card_id: str, due_in: float) -> None:
    """Release a card's lease to retry later; it stays dirty."""
    CARDS.change(tx, {"id": card_id}, leased_until=tx.now() + due_in)


def card_lost(tx: Transaction, card_id: str) -> None:
    """Forget a message that was deleted, or can't be edited any more; the row of a card stays."""
    if not CARDS.delete(tx, id=card_id, is_notice=True):
        unplace_card(tx, card_id)


def unplace_card(tx: Transaction, card_id: str) -> None:
    """Forget where a message is, as something else will correct it."""
    tx.run("unplace_card", id=card_id)


def drop(tx: Transaction, notice_id: str) -> None:
    """Forget the message of a notice that will not be sent."""
    CARDS.delete(tx, id=notice_id, is_notice=True)


def head_of(tx: Transaction, subject: str) -> Card | None:
    """Return the card of a run, or the message about its end if only that was posted."""
    return next(iter(CARDS.found(tx, "head_of", subject=subject)), None)


def card(tx: Transaction, card_id: str) -> Card | None:
    """Return a card by its id: that of its operation, run or class; for a notice, its own."""
    return CARDS.one(tx, id=card_id)
