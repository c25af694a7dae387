"""Messages that offer something, for as long as they can change: cards, and notices about the same.

They are posted once, then marked dirty for updates; the newest state wins, nothing is queued. A card is drawn
until its act is over, a question until it is answered. What was said then stays, but for buttons that no
longer work (``docs/internals/rules.md``, "What was said stays").
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from bot.domain.message_kinds import AnyKind, Mark
from bot.domain.notices import Card, NoticeKind
from bot.domain.surfaces import Where
from bot.store.queues import Queue, declare_queue
from bot.store.slack_rate_limits import UNLIMITED, CallQuota
from bot.store.statements import fill
from bot.store.tables import CARDS, parse_enum
from bot.store.transaction import Row, Transaction, as_json

#: How many seconds a question waits for the answer to a press on it, which takes its place.
_ANSWER_WAIT_SECONDS: Final = 3.0
#: How many seconds a message waits for the answer that takes its place: what becomes of that is known then.
_REPLACEMENT_WAIT_SECONDS: Final = 90.0
#: How many seconds, at least, lie between two updates of the card of what goes on.
MIN_UPDATE_INTERVAL_SECONDS: Final = 3.0
#: The same where no state changes: while a card or its run is young, and later.
PROGRESS_INTERVAL_SECONDS: Final = 15.0
SLOW_PROGRESS_INTERVAL_SECONDS: Final = 60.0
#: How many seconds a card waits if another message has said what begins: most ends come before it, and say
#: it all.
CARD_DELAY_SECONDS: Final = 60.0
#: So long after the moment that a message announced it is drawn again: what happens then is told first.
OVER_AFTER_SECONDS: Final = 30.0
#: How many seconds the card of an operation is left to the step that ends it.
ENDS_WITHIN_SECONDS: Final = 2.0
#: What a message said that is history, besides what its notice is drawn from.
SentText = Mapping[str, Any] | None
#: The keys of that in a body: its first words, its blocks, the moments that it is good until, and the mark of
#: texts whose parts nobody knows.
_SAID: Final = ("text", "blocks", "moments", "undated")


_DIRTY: Final = "is_dirty = 1 AND message_ts IS NOT NULL AND"
_FREE: Final = "leased_until <= :now"
_CLAIMED: Final = (
    "leased_until = :until, claimed_revision = revision, "
    "claimed_digest = rendered_digest, rendered_digest = ''"
)
#: A change of state is drawn once it stays.
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
#: Output, a server's words, buttons that no longer work, and what has a successor.
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
#: What announced a moment that has come.
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
#: The queue of each way in which a message may be dirty, as ``claim_cards`` tells them apart.
_QUEUES_BY_REASON: Final = {"changed": _CHANGED_CARDS, "progressed": _PROGRESSED_CARDS, "over": _OVER_CARDS}
CARD_QUEUES: Final = tuple(_QUEUES_BY_REASON.values())
_UPDATE_REASONS: Final = as_json(dict.fromkeys(_QUEUES_BY_REASON, 1))


@cache
def _query_due_reasons() -> str:
    """Return the query for the ways in which a message may be claimed, and how many edits Slack still takes.

    It is asked without a lock: only what can be claimed is a reason to claim.
    """
    due = " ".join(
        f"WHEN '{reason}' THEN EXISTS (SELECT 1 FROM cards WHERE {queue.is_due})"  # noqa: S608 - declarations
        for reason, queue in _QUEUES_BY_REASON.items()
    )
    reasons = "SELECT wanted.key AS reason, {room} AS fit FROM json_each(:reasons) wanted"
    return fill(f"{reasons} WHERE CASE wanted.key {due} END")


def add(tx: Transaction, kind: AnyKind, subject: str, principal: str, about: str | None = None) -> None:
    """Add the card of an operation or class, unless there is one.

    ``about`` is the workspace of an operation; classes are about themselves.
    """
    _add(tx, subject, kind, subject, principal, about or subject)


def add_of_run(tx: Transaction, run_id: str, principal: str) -> bool:
    """Add the card of a run; return whether there was none yet."""
    return CARDS.add_new(tx, **_columns(tx, run_id, NoticeKind.JOB_CARD, run_id, principal, run_id))


def add_notice(tx: Transaction, notice: Row, body: dict[str, Any]) -> None:
    """Add the message of a notice that offers something, if its kind does."""
    kind = parse_enum(AnyKind, notice["kind"])
    if body.get("over"):
        at = {"channel_id": body.get("channel_id"), "message_ts": body["over"]}
        tx.run("wait_for_answer", **at, until=tx.now() + _REPLACEMENT_WAIT_SECONDS)
    about: str | None = None
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
            shown_as, about_shown = parse_enum(AnyKind, shown["kind"]), shown["about"]
            kept = {"connection": shown["connection"]}
            _add(tx, notice["id"], shown_as, shown["subject"], notice["principal"], about_shown, kept)
        case None if body.get("offers") and _is_direct(body):
            _add_answer(tx, notice, body)
        case None if body.get("blocks") and _is_direct(body):
            add_announcement(tx, notice, body)
    if about:
        kept = {} if Mark.OUTPUT in kind.marks else body
        _add(tx, notice["id"], kind, notice["subject"], notice["principal"], about, kept)


def _is_direct(body: Mapping[str, Any]) -> bool:
    """Return whether an answer becomes a message that can be edited: a new one, or in place of another."""
    channel_id = str(body.get("channel_id") or "")
    if body.get("response_url"):
        return bool(body.get("over")) and channel_id.startswith("D")
    return not channel_id or body.get("where") == Where.DIRECT


def _add_answer(tx: Transaction, notice: Row, body: dict[str, Any]) -> None:
    """Add an answer that offers something for one workspace or run."""
    kind, who, key = parse_enum(AnyKind, notice["kind"]), notice["principal"], body["offers"]
    said: dict[str, Any] = {name: body[name] for name in ("offers", *_SAID) if name in body}
    _add(tx, notice["id"], kind, key, who, key, said)


def add_announcement(tx: Transaction, notice: Row, said: Mapping[str, Any]) -> None:
    """Add a message without buttons, if a moment that it announces will come."""
    key, kind = notice["id"], parse_enum(AnyKind, notice["kind"])
    if _find_over_at(kind, said, tx.now()) is not None:
        about = str(said.get("workspace") or key)
        kept = {name: one for name, one in said.items() if name != "over"}
        _add(tx, key, kind, notice["subject"], notice["principal"], about, kept)


def _find_over_at(kind: AnyKind, said: Mapping[str, Any], now: float) -> float | None:
    """Return the next moment at which a message is over: one that it announces, or its subject's end."""
    ends_at = float(said.get("ends") or 0.0) if Mark.PASSES in kind.marks else 0.0
    return min((at for at in (*said.get("moments", ()), ends_at) if at > now), default=None)


def make_link_key(principal: str, connection: str) -> str:
    """Return the key of the messages about a person's link."""
    return f"link/{principal}/{connection}"


def _add(
    tx: Transaction,
    card_id: str,
    kind: AnyKind,
    subject: str,
    principal: str,
    about: str,
    body: dict[str, Any] | None = None,
) -> None:
    CARDS.add_missing(tx, **_columns(tx, card_id, kind, subject, principal, about, body))


def _columns(
    tx: Transaction,
    card_id: str,
    kind: AnyKind,
    subject: str,
    principal: str,
    about: str,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    key = {"id": card_id, "subject": subject, "kind": kind, "principal": principal, "about": about}
    rest = {"is_notice": Mark.CARD not in kind.marks, "body": body or {}, "created_at": tx.now()}
    return key | rest | {"updated_at": tx.now()}


def choose_card_id(kind: AnyKind, notice_id: str, subject: str) -> str:
    """Return the id of the card that a notice posts or corrects."""
    return subject if Mark.CARD in kind.marks or kind is NoticeKind.CARD_UPDATE else notice_id


def save_location(
    tx: Transaction,
    card_id: str,
    channel_id: str,
    message_ts: str,
    rendered_digest: str = "",
    said: SentText = None,
) -> None:
    """Record the message of a card, with its text; others may have lost buttons by it."""
    at = {"channel_id": channel_id, "message_ts": message_ts, "now": tx.now()}
    row = tx.one("place_card", id=card_id, rendered_digest=rendered_digest, said=said, **at)
    if row is not None:
        # Cards and questions are drawn from their rows, which say when.
        card = CARDS.parse(row)
        over_at = _find_over_at(card.kind, card.body, tx.now())
        if over_at != row["over_at"]:
            CARDS.change(tx, {"id": card_id}, over_at=over_at)
    if row is not None and Mark.IN_CHANNEL not in parse_enum(AnyKind, row["kind"]).marks:
        tx.run(
            "queue_former", **{name: row[name] for name in ("id", "kind", "principal", "about", "subject")}
        )


def forget_replaced(tx: Transaction, card_id: str, channel_id: str, message_ts: str) -> None:
    """Forget the former use of a message that became a card's."""
    tx.run("forget_replaced", id=card_id, channel_id=channel_id, message_ts=message_ts)


def queue_ended(tx: Transaction, subject: str) -> None:
    """Queue the messages about ended work, also the closed ones, as another message says so."""
    tx.run("queue_ended", subject=subject)


def close_about(tx: Transaction, workspace: Row) -> None:
    """Look once more at all messages about a workspace that is going to be deleted; they keep its name."""
    CARDS.change(tx, {"about": workspace["id"]}, name=workspace["alias"] or workspace["name"])
    queue_messages(tx, workspace["id"], changed=True)


def queue_updates(tx: Transaction, subject: str, *, changed: bool) -> None:
    """Mark the messages of an operation or run dirty; ``changed``: by more than progress."""
    tx.run("queue_cards", subject=subject, changed=changed, now=tx.now())


def queue_answered(tx: Transaction, subject: str) -> None:
    """Have questions drawn that are settled; the answer to a press on one comes first."""
    queue_updates(tx, subject, changed=True)
    CARDS.change(tx, {"subject": subject}, leased_until=tx.now() + _ANSWER_WAIT_SECONDS)


def queue_messages(tx: Transaction, about: str, *, changed: bool, ends: str = "") -> None:
    """Mark the messages about a workspace, or the card of a class, dirty.

    ``ends`` is the operation that its step, which is due now, ends because of that.
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
    """Lease dirty, posted cards, as many as there is ``room`` for.

    First those with a change of state, once it stays. The rest comes some time after their last update:
    output, a server's words, buttons that no longer work, and what has a successor. Last comes what announced
    a moment that has come. A card waits while the message about its end does; that of a run
    whose output another process follows is left to it.
    """
    now = tx.now()
    margins = _CHANGED_CARDS.get_margins(now) | _PROGRESSED_CARDS.get_margins(now)
    given = {"reasons": _UPDATE_REASONS, "limit": limit, "owner": owner, **margins, **room.within(now)}
    found = tx.all(_query_due_reasons(), **given)
    dirty = {row["reason"]: row["fit"] for row in found}
    fit = max(dirty.values(), default=0)

    cards: list[Card] = []
    for reason, queue in _QUEUES_BY_REASON.items():
        if reason in dirty and len(cards) < fit:
            claimed = CARDS.parse_all(queue.take(tx, lease, fit - len(cards), now, owner=owner))
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
    """Clear dirty unless the card became dirty again since it was claimed; stamp ``updated_at``.

    ``rendered_digest`` is the digest of what it shows, ``said`` what it says from now on. One that
    ``is_over`` never changes again.
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
        claimed_changed_at=claimed.changed_at or 0.0,
        rendered_digest=rendered_digest,
        said=said,
        over_at=_find_over_at(claimed.kind, said or {}, now),
        leased_until=claimed.leased_until,
        now=now,
    )
    # Nobody asks for a notice again; a card stays known by its operation, run or class. What came after the
    # claim is still pending.
    same = {"id": card_id, "is_dirty": False}
    if is_over and not CARDS.count_deleted(tx, **same, is_notice=True):
        CARDS.change(tx, same, stage="closed", changed_at=None)


def retry_card(tx: Transaction, card_id: str, due_in: float) -> None:
    """Release a card's lease to retry later; it stays dirty."""
    CARDS.change(tx, {"id": card_id}, leased_until=tx.now() + due_in)


def forget_location(tx: Transaction, card_id: str) -> None:
    """Forget the location of a message, as something else will correct it."""
    tx.run("unplace_card", id=card_id)


def pause_card(tx: Transaction, card_id: str, channel_id: str) -> None:
    """Keep a card's place, and try it again once it changes: Slack may say later that its channel moved.

    One that has moved from the channel meanwhile is tried again at once.
    """
    same = {"id": card_id, "channel_id": channel_id}
    if not CARDS.count_changed(
        tx, same, rendered_digest="", is_dirty=False, changed_at=None, leased_until=0.0
    ):
        retry_card(tx, card_id, 0.0)


def drop(tx: Transaction, card_id: str) -> None:
    """Forget the message of a notice that will not be sent; a card that never was one is over."""
    if not CARDS.count_deleted(tx, id=card_id, is_notice=True):
        CARDS.change(tx, {"id": card_id, "message_ts": None}, stage="closed", is_dirty=False, changed_at=None)


def find_cards_of_same_message(tx: Transaction, card: Card) -> list[Card]:
    """Return the other cards of the same message: the other results of one request."""
    if "holder" not in card.body:
        return []
    at = {"channel_id": card.channel_id, "message_ts": card.message_ts}
    return CARDS.query(tx, "cards_beside", id=card.id, **at)


def find_output_head(tx: Transaction, subject: str, written_at: float) -> Card | None:
    """Return the message above a run's file that was written then: its card, or the message about its end."""
    return next(iter(CARDS.query(tx, "head_of", subject=subject, written_at=written_at)), None)


def find_card(tx: Transaction, card_id: str) -> Card | None:
    """Return a card by its id: that of its operation, run or class; for a notice, its own."""
    return CARDS.one(tx, id=card_id)
