"""Messages that offer something, for as long as they can change: cards, notices about the same, answers.

They are posted once, then marked dirty for updates; the newest state wins, nothing is queued. At most two
messages about a workspace or run are live: its card and the newest notice or answer. Those before them lose
their buttons, in one update each (``docs/rules.md``, "Cards are drawn from rows").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bot.domain.models import Card, NoticeKind
from bot.store import rows
from bot.store.text import as_json

if TYPE_CHECKING:
    from typing import Any

    from bot.store.transaction import Row, Transaction

_CARDS: Final = frozenset({NoticeKind.CARD, NoticeKind.JOB_CARD, NoticeKind.CLASS_CARD})
#: Notices that offer something for the workspace that their body names.
_OF_WORKSPACES: Final = frozenset(
    {
        NoticeKind.READY,
        NoticeKind.SUSPENDED,
        NoticeKind.REMOVED,
        NoticeKind.FAILED,
        NoticeKind.STOPPED,
        NoticeKind.REFUSED,
        NoticeKind.WAITING,
        NoticeKind.ASKED,
        NoticeKind.ENDING,
        NoticeKind.STOPPED_ELSEWHERE,
        NoticeKind.CLASS_ENDING,
        NoticeKind.TIMER_ENDING,
        NoticeKind.TIMER_FAILED,
    }
)
#: Those that offer something for the run which is their subject.
_OF_RUNS: Final = frozenset(
    {NoticeKind.JOB_ENDED, NoticeKind.JOB_FAILED, NoticeKind.JOB_WAITING, NoticeKind.JOB_ASKED}
)
#: Those about a person's link to the connection that their body names.
_OF_LINKS: Final = frozenset(
    {
        NoticeKind.LINKED,
        NoticeKind.UNLINKED,
        NoticeKind.LINK_AGAIN,
        NoticeKind.SIGN_IN_REFUSED,
        NoticeKind.LINK_ENDING,
    }
)
#: Answers, if they are sent where they can be edited: their body says what they offer.
_ANSWERS: Final = frozenset({NoticeKind.REPLY, NoticeKind.MESSAGE})
#: What a list is of, by how the ids of what it may show begin.
_LISTS: Final = {"workspace": "workspaces", "operation": "workspaces", "job": "runs"}
#: How many seconds a message that is often replaced by the answer to a press on it waits for that.
_REPLACED_WITHIN: Final = 3.0
#: How many seconds an answer is drawn again; a later change closes it.
_LOOKED_AT: Final = 3_600.0
#: These hold output, which is kept nowhere but in Slack: their body is not kept.
_OUTPUT: Final = frozenset({NoticeKind.JOB_ENDED})


def add(tx: Transaction, kind: NoticeKind, subject: str, principal: str, about: str | None = None) -> bool:
    """Add the card of an operation, run or class; return whether there was none yet.

    ``about`` is the workspace of an operation; runs and classes are about themselves.
    """
    if kind is not NoticeKind.CLASS_CARD:
        _close_guesses(tx, principal)
    return _add(tx, subject, kind, subject, principal, about or subject)


def add_notice(tx: Transaction, notice: Row, body: dict[str, Any]) -> None:
    """Add the message of a notice that offers something, if its kind does."""
    kind = NoticeKind(notice["kind"])
    if kind in _ANSWERS:
        _add_answer(tx, notice, body)
        return
    about = body.get("workspace") if kind in _OF_WORKSPACES else None
    if kind in _OF_RUNS:
        about = notice["subject"]
    if kind in _OF_LINKS and body.get("connection"):
        about = of_link(notice["principal"], str(body["connection"]))
    if kind is NoticeKind.APPROVAL_ASKED:
        # Each administrator has one.
        about = f"{notice['subject']}/{notice['principal']}"
    if kind is NoticeKind.CLASS_POSTED:
        about = notice["subject"]
    if about:
        kept = {} if kind in _OUTPUT else body
        _add(tx, notice["id"], kind, notice["subject"], notice["principal"], about, kept)


def _add_answer(tx: Transaction, notice: Row, body: dict[str, Any]) -> None:
    """Add an answer that offers something (``bot.messages.blocks.lasting``); guesses before it close."""
    if body.get("is_direct") or notice["kind"] == NoticeKind.MESSAGE:
        _close_guesses(tx, notice["principal"])
    offer = body.get("lasting")
    if not offer:
        return
    principal, kind = notice["principal"], NoticeKind(offer["kind"])
    about = offer["about"] if offer["is_one"] else f"{offer['about']}/{principal}"
    _add(tx, notice["id"], kind, notice["subject"], principal, about, offer["kept"], names=offer["names"])


def _close_guesses(tx: Transaction, principal: str) -> None:
    tx.run("close_guesses", principal=principal, now=tx.now(), later=tx.now() + _REPLACED_WITHIN)


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
    names: str = "",
) -> bool:
    key = {"id": card_id, "subject": subject, "kind": kind, "principal": principal, "about": about}
    rest = {"is_notice": int(kind not in _CARDS), "body": as_json(body or {}), "names": names}
    return tx.run("add_card", **key, **rest, now=tx.now()) == 1


def id_of(kind: NoticeKind, notice_id: str, subject: str) -> str:
    """Return the id of the card that a notice posts or corrects."""
    return subject if kind in _CARDS or kind is NoticeKind.CARD_UPDATE else notice_id


def place(tx: Transaction, card_id: str, channel_id: str, message_ts: str, drawn: str = "") -> None:
    """Record which message is a card's, and what it shows; the messages that it replaces are closed."""
    at = {"channel_id": channel_id, "message_ts": message_ts}
    tx.run("displace_cards", id=card_id, **at)
    now = tx.now()
    row = tx.one("place_card", id=card_id, **at, now=now, drawn=_as_of(drawn, now))
    if row is not None:
        _close_superseded(tx, row["principal"], row["about"], row["names"])


def _close_superseded(tx: Transaction, principal: str, about: str, names: str = "") -> None:
    """Close what newer messages have taken the place of, among those posted about a row and the rows named.

    A card takes the place of all before it about the same; anything else that of what isn't a card and offers
    something for one of the same rows. A list may come to show any row: every later message takes its place.
    """
    cards: set[str] = set()
    offered: set[str] = set()
    over = []
    for row in tx.all("posted_cards", principal=principal, about=about, names=names):
        named = {row["about"], *row["names"].split()}
        if row["about"] in cards or (row["is_notice"] and named & offered):
            over.append(row["id"])
        elif row["is_notice"]:
            offered |= named | {_LISTS.get(one.partition("_")[0], one) for one in named}
        else:
            cards.add(row["about"])
    if over:
        tx.run("close_cards", principal=principal, ids=f" {' '.join(over)} ", now=tx.now())


def leave_out(tx: Transaction, card_id: str) -> None:
    """Close the cards that one takes the place of although it isn't sent."""
    tx.run("close_cards_before", id=card_id, now=tx.now())


def close_of(tx: Transaction, subject: str) -> None:
    """Close all messages that show a row which is settled."""
    tx.run("close_cards_of", subject=subject, now=tx.now(), later=tx.now() + _REPLACED_WITHIN)


def close_about(tx: Transaction, workspace: Row) -> None:
    """Close all messages about a workspace that is going to be deleted or hidden; they keep its name."""
    name = workspace["alias"] or workspace["name"]
    tx.run("close_cards_about", about=workspace["id"], name=name, now=tx.now())


def move(tx: Transaction, principal: str, former: str, about: str) -> None:
    """Move the messages about a workspace to the one that it turned out to be; answers that name it, too."""
    _owe_answers(tx, former, changed=True)
    tx.run("move_cards", principal=principal, former=former, about=about)
    _close_superseded(tx, principal, about)


def owe(tx: Transaction, subject: str, *, changed: bool) -> None:
    """Mark the messages of an operation or run dirty; ``changed``: by more than progress."""
    tx.run("owe_cards_of", subject=subject, changed=changed, now=tx.now())
    _owe_answers(tx, subject, changed=changed)


def owe_about(tx: Transaction, about: str, *, changed: bool) -> None:
    """Mark the messages about a workspace, or the card of a class, dirty."""
    tx.run("owe_cards_about", about=about, changed=changed, now=tx.now())
    _owe_answers(tx, about, changed=changed)


def _owe_answers(tx: Transaction, about: str, *, changed: bool) -> None:
    """Mark the answers dirty that name a workspace, operation or run, alone or in a list of all."""
    if changed:
        now = tx.now()
        times = {"now": now, "later": now + _REPLACED_WITHIN, "fresh": now - _LOOKED_AT}
        tx.run("owe_answers", about=about, **times)


def owe_list(tx: Transaction, principal: str) -> None:
    """Mark the list of a person's workspaces dirty, as there is one more."""
    tx.run("owe_list", principal=principal, now=tx.now())


def owe_answers_of(tx: Transaction, principal: str) -> None:
    """Mark all answers to a person dirty: they linked an account, or ended a link."""
    tx.run("owe_answers_of", principal=principal, now=tx.now(), later=tx.now() + _REPLACED_WITHIN)


def claim(tx: Transaction, limit: int, min_interval: float, lease: float) -> list[Card]:
    """Lease dirty, posted cards.

    First the live cards with a change of state. What is left is shared between the other messages, oldest
    change first, and the progress of cards, which comes ``min_interval`` seconds after their last update.
    """
    now = tx.now()

    def claimed(query: str, most: int, **keys: float) -> list[Card]:
        if most <= 0:
            return []
        found = [_claimed(row) for row in tx.all(query, now=now, until=now + lease, limit=most, **keys)]
        return sorted(found, key=lambda card: (card.changed_at or card.updated_at, card.id))

    cards = claimed("claim_changed_cards", limit)
    cards += claimed("claim_former_cards", (limit - len(cards) + 1) // 2)
    cards += claimed("claim_progressed_cards", limit - len(cards), before=now - min_interval)
    return cards + claimed("claim_former_cards", limit - len(cards))


def updated(tx: Transaction, card_id: str, claimed: Card, drawn: str = "") -> None:
    """Clear dirty unless the card became dirty again since it was claimed; stamp ``updated_at``.

    ``drawn`` is a digest of what it shows. One that was closing is closed by that.
    """
    now = tx.now()
    tx.run(
        "card_updated",
        id=card_id,
        claimed_changed_at=claimed.changed_at or 0.0,
        drawn=_as_of(drawn, now),
        leased_until=claimed.leased_until,
        now=now,
    )
    if claimed.stage == "closing" and not tx.run("delete_notice_card", id=card_id):
        tx.run("card_closed", id=card_id)


def _as_of(drawn: str, now: float) -> str:
    """Return what is kept of what a message shows: the previous release updates messages without it."""
    return f"{drawn} {now!r}" if drawn else ""


def _claimed(row: Row) -> Card:
    found = rows.card(row)
    drawn, _, at = found.claimed_drawn.partition(" ")
    return replace(found, claimed_drawn=drawn if at == repr(found.updated_at) else "")


def retry(tx: Transaction, card_id: str, due_in: float) -> None:
    """Release a card's lease to retry later; it stays dirty."""
    tx.run("card_retry", id=card_id, until=tx.now() + due_in)


def lost(tx: Transaction, card_id: str) -> None:
    """Forget a message that was deleted, or can't be edited any more; the row of a card stays."""
    if not tx.run("delete_notice_card", id=card_id):
        unplace(tx, card_id)


def unplace(tx: Transaction, card_id: str) -> None:
    """Forget where a message is, as something else will correct it."""
    tx.run("unplace_card", id=card_id)


def drop(tx: Transaction, notice_id: str) -> None:
    """Forget the message of a notice that will not be sent."""
    tx.run("delete_notice_card", id=notice_id)


def card(tx: Transaction, card_id: str) -> Card | None:
    """Return a card by its id: that of its operation, run or class; for a notice, its own."""
    row = tx.one("card", id=card_id)
    return rows.card(row) if row else None
