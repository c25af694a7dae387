"""Messages that may still change: cards of operations, runs and classes, and notices with buttons.

A message is posted once, and marked as dirty when it has to be updated. An update always shows the latest
state. A card is updated until its work is over, and a question until it is answered. After that, updates
only remove what no longer applies, such as buttons that no longer work (``docs/internals/rules.md``, "What
was said stays").
"""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Final

from bot.domain.notices import Card, Mark, NoticeKind
from bot.domain.surfaces import Where
from bot.store.queues import Queue, declare_queue
from bot.store.slack_rate_limits import UNLIMITED, CallQuota
from bot.store.tables import CARDS, parse_enum
from bot.store.transaction import Row, Transaction, as_json

#: Seconds to wait before redrawing a question that was just answered, so that the reply is sent first.
_ANSWER_WAIT_SECONDS: Final = 3.0
#: How long, in seconds, to leave a message alone if a notice is about to replace it. If the notice takes
#: longer, it may be lost, so the message is redrawn after all.
_REPLACEMENT_WAIT_SECONDS: Final = 90.0
#: Minimum interval, in seconds, between two updates of an open operation's card.
MIN_UPDATE_INTERVAL_SECONDS: Final = 3.0
#: Minimum interval, in seconds, between two updates of a message if its state hasn't changed, only its
#: progress or buttons. Once a card is a minute old, ``SLOW_PROGRESS_INTERVAL_SECONDS`` applies to it instead.
#: If its run waited for more than a minute, the minute is counted from when the run began.
PROGRESS_INTERVAL_SECONDS: Final = 15.0
SLOW_PROGRESS_INTERVAL_SECONDS: Final = 60.0
#: Minimum delay, in seconds, before the card of an operation or run is sent if a reply has already announced
#: the work. Most work ends sooner, and the message about its end then makes the card unnecessary.
CARD_DELAY_SECONDS: Final = 60.0
#: Seconds to wait after an announced time before redrawing the message that announced it. The message about
#: the event itself is sent first.
OVER_AFTER_SECONDS: Final = 30.0
#: Seconds to wait before updating the card of an operation whose next step will end it. Usually, that step
#: updates the card first.
ENDS_WITHIN_SECONDS: Final = 2.0
#: A message's content as it was sent, or None if the message can be rendered again from database rows.
SentText = Mapping[str, Any] | None
#: The keys of a ``SentText``. ``moments`` are the times at which parts of the message become outdated.
#: ``undated`` means that these times aren't known, so the message shows when its text was written. ``found``
#: means that Usher had to search Slack for the message. The stored text was then rendered anew, so Slack may
#: still show an older text.
_SAID: Final = ("text", "blocks", "moments", "undated", "found")


_DIRTY: Final = "is_dirty = 1 AND message_ts IS NOT NULL AND"
_FREE: Final = "leased_until <= :now"
_CLAIMED: Final = "leased_until = :until, claimed_digest = rendered_digest, rendered_digest = ''"
#: Queue of cards that must show a new state. An open operation's card is updated at most every
#: ``MIN_UPDATE_INTERVAL_SECONDS``, because most changes are immediately followed by another.
_CHANGED_CARDS: Final = declare_queue(
    Queue(
        name="changed_cards",
        kind="cards",
        table="cards",
        due="changed_at",
        where=f"{_DIRTY} changed_at IS NOT NULL AND stage = 'live'",
        only=f"{_FREE} AND {{drawable}} AND {{stays}}",
        changes=_CLAIMED,
        margins={"moment_before": MIN_UPDATE_INTERVAL_SECONDS, "planned_before": CARD_DELAY_SECONDS},
    )
)
#: Queue of messages to update for a reason less urgent than a new state, such as more output, the progress of
#: a start, or outdated buttons.
_PROGRESSED_CARDS: Final = declare_queue(
    Queue(
        name="progressed_cards",
        kind="cards",
        table="cards",
        due="updated_at",
        where=f"{_DIRTY} changed_at IS NULL",
        only=f"{_FREE} AND {{paced}} AND {{drawable}}",
        delay=str(PROGRESS_INTERVAL_SECONDS),
        changes=_CLAIMED,
        margins={"slowly_before": SLOW_PROGRESS_INTERVAL_SECONDS},
    )
)
#: Queue of messages to redraw because a time that they announced has passed.
_OVER_CARDS: Final = declare_queue(
    Queue(
        name="over_cards",
        kind="cards",
        table="cards",
        due="over_at",
        where="over_at IS NOT NULL AND message_ts IS NOT NULL",
        only=_FREE,
        delay=str(OVER_AFTER_SECONDS),
        changes=_CLAIMED,
    )
)
_QUEUES_BY_REASON: Final = {"changed": _CHANGED_CARDS, "progressed": _PROGRESSED_CARDS, "over": _OVER_CARDS}
CARD_QUEUES: Final = tuple(_QUEUES_BY_REASON.values())
_UPDATE_REASONS: Final = as_json(dict.fromkeys(_QUEUES_BY_REASON, 1))


@cache
def _query_due_reasons() -> str:
    """Return a query that finds, without locking, why messages are due and how many edits Slack accepts."""
    due = " ".join(
        f"WHEN '{reason}' THEN EXISTS (SELECT 1 FROM cards WHERE {queue.is_due})"  # noqa: S608 - declarations
        for reason, queue in _QUEUES_BY_REASON.items()
    )
    reasons = "SELECT wanted.key AS reason, {room} AS fit FROM json_each(:reasons) wanted"
    return f"{reasons} WHERE CASE wanted.key {due} END"


def add(tx: Transaction, kind: NoticeKind, subject: str, principal: str, about: str | None = None) -> None:
    """Add the card of an operation, run or class, unless one exists.

    ``about`` is the workspace that the operation concerns. For a run or class, it is the subject itself.
    """
    _add(tx, subject, kind, subject, principal, about or subject)


def add_notice(tx: Transaction, notice: Row, body: dict[str, Any]) -> None:
    """Add the message of a notice if it has buttons or may have to be redrawn later."""
    kind = parse_enum(NoticeKind, notice["kind"])
    if body.get("over") or body.get("becomes"):
        _leave_alone(tx, body)
    about: str | None = None
    kept: dict[str, Any]
    match kind.offers:
        case "workspace":
            about = body.get("workspace")
        case "link":
            if connection := body.get("connection"):
                about = make_link_key(notice["principal"], connection)
        case "reader":
            about = f"{notice['subject']}/{notice['principal']}"
        case "person":
            about = f"{notice['kind']}/{notice['principal']}"
        case "subject":
            about = notice["subject"]
        case None if body.get("shows") and _is_direct(body):
            shown = body["shows"]
            shown_as, about_shown = parse_enum(NoticeKind, shown["kind"]), shown["about"]
            kept = {"connection": shown["connection"]}
            _add(tx, notice["id"], shown_as, shown["subject"], notice["principal"], about_shown, kept)
        case None if body.get("offers") and _is_direct(body):
            key = body["offers"]
            kept = {name: body[name] for name in ("offers", *_SAID) if name in body}
            _add(tx, notice["id"], kind, key, notice["principal"], key, kept)
        case None if body.get("blocks") and _is_direct(body):
            add_announcement(tx, notice, body)
    if about:
        kept = {} if Mark.OUTPUT in kind.marks else body
        _add(tx, notice["id"], kind, notice["subject"], notice["principal"], about, kept)


def _leave_alone(tx: Transaction, body: Mapping[str, Any]) -> None:
    """Leave alone a message that a notice is about to replace, unless the notice gets lost."""
    until = tx.now() + _REPLACEMENT_WAIT_SECONDS
    if body.get("over"):
        at = {"channel_id": body.get("channel_id"), "message_ts": body["over"]}
        tx.run("wait_for_answer", **at, until=until)
    if body.get("becomes"):
        tx.run("wait_for_result", interaction=body["becomes"], until=until)


def _is_direct(body: Mapping[str, Any]) -> bool:
    """Return whether an answer can be edited later. It must be a direct message that isn't ephemeral."""
    channel_id = str(body.get("channel_id") or "")
    if body.get("response_url"):
        return bool(body.get("over")) and channel_id.startswith("D")
    return not channel_id or body.get("where") == Where.DIRECT


def add_announcement(tx: Transaction, notice: Row, said: Mapping[str, Any]) -> None:
    """Add a message that has no buttons, but announces a time that is still in the future."""
    key, kind = notice["id"], parse_enum(NoticeKind, notice["kind"])
    if _find_over_at(kind, said, tx.now()) is not None:
        about = str(said.get("workspace") or key)
        kept = {name: one for name, one in said.items() if name != "over"}
        _add(tx, key, kind, notice["subject"], notice["principal"], about, kept)


def _find_over_at(kind: NoticeKind, said: Mapping[str, Any], now: float) -> float | None:
    """Return when a message next becomes outdated: an announced time passes, or its subject ends."""
    ends_at = float(said.get("ends") or 0.0) if Mark.PASSES in kind.marks else 0.0
    return min((at for at in (*said.get("moments", ()), ends_at) if at > now), default=None)


def make_link_key(principal: str, connection: str = "") -> str:
    """Return the key (``about``) shared by all messages about a person's link on a connection.

    If no connection is given, return the key of messages that offer to link any account.
    """
    return f"link/{principal}/{connection}"


def _add(
    tx: Transaction,
    card_id: str,
    kind: NoticeKind,
    subject: str,
    principal: str,
    about: str,
    body: dict[str, Any] | None = None,
) -> None:
    key = {"id": card_id, "subject": subject, "kind": kind, "principal": principal, "about": about}
    rest = {"is_notice": Mark.CARD not in kind.marks, "body": body or {}, "created_at": tx.now()}
    CARDS.add_missing(tx, **key, **rest, updated_at=tx.now())


def choose_card_id(kind: NoticeKind, notice_id: str, subject: str) -> str:
    """Return the id of the card that a notice posts or updates."""
    return subject if Mark.CARD in kind.marks or kind is NoticeKind.CARD_UPDATE else notice_id


_FORMER: Final = ("id", "kind", "principal", "about", "subject")


def save_location(
    tx: Transaction,
    card_id: str,
    channel_id: str,
    message_ts: str,
    rendered_digest: str = "",
    said: SentText = None,
) -> None:
    """Record where a card's message is and what it says.

    Older messages about the same work may lose their buttons.
    """
    card = CARDS.one(tx, id=card_id)
    if card is None:
        return
    at = {"channel_id": channel_id, "message_ts": message_ts, "now": tx.now()}
    at["over_at"] = _find_over_at(card.kind, card.body if said is None else said, tx.now())
    tx.run("place_card", id=card_id, rendered_digest=rendered_digest, said=said, **at)
    if Mark.IN_CHANNEL not in card.kind.marks:
        tx.run("queue_former", **{name: getattr(card, name) for name in _FORMER})


def forget_replaced(tx: Transaction, card_id: str, channel_id: str, message_ts: str) -> None:
    """Forget the card that a message used to belong to, because the message now belongs to another card."""
    tx.run("forget_replaced", id=card_id, channel_id=channel_id, message_ts=message_ts)


def close_about(tx: Transaction, workspace: Row) -> None:
    """Redraw all messages about a workspace that is about to be deleted or hidden. They keep its name."""
    CARDS.change(tx, {"about": workspace["id"]}, name=workspace["alias"] or workspace["name"])
    queue_messages(tx, workspace["id"], changed=True)


def queue_updates(tx: Transaction, subject: str, *, changed: bool) -> None:
    """Mark a subject's messages as dirty. ``changed`` means that more than its progress has changed."""
    tx.run("queue_cards", subject=subject, changed=changed, now=tx.now())


def is_shown(tx: Transaction, subject: str) -> bool:
    """Return whether a subject has, or ever had, a message that is kept up to date."""
    return CARDS.row(tx, subject=subject) is not None


def close(tx: Transaction, subject: str) -> None:
    """Redraw the messages about a subject one last time, because another message now shows its state."""
    queue_updates(tx, subject, changed=True)
    CARDS.change(tx, {"subject": subject}, stage="closed", changed_at=None)


def queue_answered(tx: Transaction, subject: str) -> None:
    """Redraw the questions that a button press has answered, but give the reply time to be sent first."""
    queue_updates(tx, subject, changed=True)
    CARDS.change(tx, {"subject": subject}, leased_until=tx.now() + _ANSWER_WAIT_SECONDS)


def queue_messages(tx: Transaction, about: str, *, changed: bool, ends: str = "") -> None:
    """Mark all messages about a workspace, or all messages about a class's card, as dirty.

    ``ends`` is the id of an operation whose next step is due now and will end it. That step will update its
    card.
    """
    now = tx.now()
    tx.run(
        "queue_cards_about",
        about=about,
        changed=changed,
        now=now,
        ends=ends,
        ends_by=now + ENDS_WITHIN_SECONDS,
    )


def claim_cards(
    tx: Transaction,
    limit: int,
    lease: float,
    room: CallQuota = UNLIMITED,
    owner: str = "",
) -> list[Card]:
    """Claim posted messages that are due for an update, as many as Slack accepts (``room``).

    State changes come first, once they have lasted for a moment. Other changes (output, outdated buttons, a
    newer message) wait for some time after the last update. Messages that announced a time that has now
    passed come last. If the message about the end of the work is being sent, the card waits for it. If
    another process is following a run's output, the run's card is left to that process.
    """
    now = tx.now()
    margins = _CHANGED_CARDS.get_margins(now) | _PROGRESSED_CARDS.get_margins(now)
    given = {"reasons": _UPDATE_REASONS, "limit": limit, "owner": owner, **margins, **room.within(now)}
    found = tx.all(_query_due_reasons(), **given)
    fits = {row["reason"]: row["fit"] for row in found}
    due, fit = [reason for reason in _QUEUES_BY_REASON if reason in fits], max(fits.values(), default=0)

    cards: list[Card] = []
    for reason in due:
        if left := fit - len(cards):
            take = partial(_QUEUES_BY_REASON[reason].take, is_last=reason == due[-1])
            claimed = CARDS.parse_all(take(tx, lease, left, now, owner=owner))
            cards += sorted(claimed, key=lambda card: (card.changed_at or card.updated_at, card.id))
    return cards


def finish_update(
    tx: Transaction,
    card_id: str,
    claimed: Card,
    rendered_digest: str = "",
    said: SentText = None,
    *,
    is_over: bool = False,
) -> None:
    """Record that a card was updated. If it changed again after it was claimed, it stays dirty.

    ``rendered_digest`` is the digest of what the message shows now, and ``said`` is its text. ``is_over``
    means that the card will never change again.
    """
    now = tx.now()
    if said is not None:
        for one in find_cards_of_same_message(tx, claimed):
            kept = {name: value for name, value in one.body.items() if name not in _SAID}
            shown = {name: said[name] for name in _SAID if name in said}
            CARDS.change(tx, {"id": one.id}, body=kept | shown)
    tx.run(
        "card_updated",
        id=card_id,
        revision=claimed.revision,
        claimed_changed_at=claimed.changed_at or 0.0,
        rendered_digest=rendered_digest,
        said=said,
        over_at=_find_over_at(claimed.kind, said or {}, now),
        leased_until=claimed.leased_until,
        now=now,
    )
    # Delete a notice's card, but only close the card of an operation, run or class. Do neither if the card
    # has changed since the claim, because it must still be updated.
    same = {"id": card_id, "is_dirty": False}
    if not is_over:
        tx.finish()
    elif not CARDS.count_deleted(tx, **same, is_notice=True):
        CARDS.change(tx, same, stage="closed", changed_at=None)


def retry_card(tx: Transaction, card_id: str, due_in: float) -> None:
    """Retry a card's update in ``due_in`` seconds. The card stays dirty."""
    CARDS.change(tx, {"id": card_id}, leased_until=tx.now() + due_in)


def forget_location(tx: Transaction, card_id: str) -> None:
    """Forget where a card's message is, so that a new message is sent instead."""
    tx.run("unplace_card", id=card_id)


def pause_card(tx: Transaction, card_id: str, channel_id: str) -> None:
    """Don't update a card until it changes again. Keep its location, because its channel may get a new id.

    If the card has been moved to another channel in the meantime, retry immediately.
    """
    same = {"id": card_id, "channel_id": channel_id}
    if not CARDS.count_changed(
        tx, same, rendered_digest="", is_dirty=False, changed_at=None, leased_until=0.0
    ):
        retry_card(tx, card_id, 0.0)


def drop(tx: Transaction, card_id: str) -> None:
    """Close a card whose message won't be sent, or delete the card if it belongs to a notice."""
    if not CARDS.count_deleted(tx, id=card_id, is_notice=True):
        close_unsent(tx, card_id)


def close_unsent(tx: Transaction, card_id: str) -> None:
    """Close the card of an operation, run or class because its message wasn't sent and never will be."""
    CARDS.change(tx, {"id": card_id, "message_ts": None}, stage="closed", is_dirty=False, changed_at=None)


def find_cards_of_same_message(tx: Transaction, card: Card) -> list[Card]:
    """Return the other cards in the same message. They show other results of the same request."""
    if "holder" not in card.body:
        return []
    at = {"channel_id": card.channel_id, "message_ts": card.message_ts}
    return CARDS.query(tx, "cards_beside", id=card.id, **at)


def find_output_head(tx: Transaction, subject: str, written_at: float) -> Card | None:
    """Return the card in whose thread a run's output is posted: the run's own or its end notice's."""
    return next(iter(CARDS.query(tx, "head_of", subject=subject, written_at=written_at)), None)


def find_card(tx: Transaction, card_id: str) -> Card | None:
    """Return a card by its id, which is also the id of its operation, run, class or notice."""
    return CARDS.one(tx, id=card_id)
