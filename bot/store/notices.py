"""The outbox: written with the transition it reports, sent later; each message once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast, get_args

from bot.domain.message_kinds import AnyKind, Mark, Urgency
from bot.domain.notices import END, EndState, NewNotice, Notice, NoticeKind, NoticeState, end_of
from bot.domain.operations import MAX_PROMPT_SECONDS
from bot.domain.people import Principal
from bot.domain.work_items import Outcome
from bot.store import cards, conversations, preferences
from bot.store.fan_out import (
    FAN_OUT_BATCH_SIZE,
    register_fan_out,
    repeat_until_done,
    start_fan_out,
    take_batch,
)
from bot.store.queues import Claim, Queue, declare_queue
from bot.store.slack_rate_limits import UNLIMITED, CallQuota
from bot.store.tables import CARDS, DIRECT_CHANNELS, NOTICES, OPERATIONS, parse_enum
from bot.store.transaction import Engine, Priority, Row, Transaction, as_json, concerns, prioritize

#: How many seconds, at most, the notice of an operation's end waits for a card that is just being sent.
CARD_FIRST_SECONDS = 5.0
#: How many seconds, at most, the end of one of several operations waits for those of the others: a stop that
#: was fulfilled, and anything else, as its person waits for it.
RESULTS_SECONDS: Final = 60.0
REQUESTED_RESULT_SECONDS: Final = 10.0
#: The messages that tell what others would have told.
_HOLDERS: Final = frozenset({NoticeKind.SUMMARY, NoticeKind.RESULTS})
#: Whoever has waited for news for so many seconds has waited through a silence, not for a busy minute.
SILENCE_SECONDS: Final = 60.0
#: What an interaction is answered with, the last one first.
_ANSWERS: Final = (NoticeKind.MESSAGE, NoticeKind.ASSISTANT_QUESTION, NoticeKind.REPLY)
#: What puts a card where its person sees it.
_SHOWS_CARD: Final = frozenset({NoticeKind.CARD, NoticeKind.CARD_UPDATE})
#: The urgencies of news of which several become one message: all news has the same.
_INFORMATIONAL_URGENCIES: Final = {NoticeKind.SUMMARY.urgency}
#: The urgencies in the order of sending.
_URGENCIES: Final = get_args(Urgency)
#: So many, at most, are told or looked for together at once.
_MAX_COMBINED_NOTICES: Final = FAN_OUT_BATCH_SIZE // 2
URGENCY_NUMBERS: Final = as_json(dict.fromkeys(_URGENCIES, 1))
#: What may be claimed of the room by urgency: all of it.
FULL_SHARES: Final[Mapping[int, float]] = dict.fromkeys(_URGENCIES, 1.0)

_UNSENT: Final = "state IN ('pending', 'retry', 'leased')"


#: The queue of each urgency.
_QUEUE_OF: Final = {
    urgency: declare_queue(
        Queue(
            name=f"notices_{urgency}",
            kind="notices",
            table="notices",
            due="due_at",
            where=f"urgency = {urgency} AND {_UNSENT}",
            only="{claimable}",
            changes="{attempted}",
        )
    )
    for urgency in _URGENCIES
}
NOTICE_QUEUES: Final = tuple(_QUEUE_OF.values())
#: What Slack didn't answer is tried again whatever its pause: a send first, or a search, a reply if there is
#: nothing else; each in turn, as one may fail by itself. What waits for a read is the one that is to be sent
#: next. What may have been sent keeps its time to show before it is looked for.
PENDING_CLAIM: Final = Claim(
    table="notices",
    where=f"urgency IN (0, 1, 2, 3) AND {_UNSENT} AND {{due_or_retried}} AND principal LIKE :people"
    " AND {claimable} AND {settled}",
    changes="{attempted}",
    order="CASE WHEN urgency = 0 THEN 2"
    " WHEN (unknown_since IS NULL AND state <> 'leased') = :is_send THEN 0 ELSE 1 END,"
    " CASE WHEN error = 'to be read' THEN 0 ELSE 1 END, COALESCE(leased_at, 0), created_at",
    limit="1",
)
#: What else of a person's may have been sent: one search answers for all. A reply is never sent again.
UNSURE_CLAIM: Final = Claim(
    table="notices",
    where=f"principal = :principal AND {_UNSENT} AND {{due_or_retried}}"
    " AND (unknown_since IS NOT NULL OR state = 'leased' OR {doubted})"
    " AND combined_into IS NULL AND kind <> 'reply' AND {output_followed_here}",
    changes="{unsure_claimed}",
)


@prioritize(Priority.URGENT)
def add_notices(tx: Transaction, notices: Sequence[NewNotice], subject: str = "") -> None:
    """Write notices; those that exist (subject, kind, occasion) are left unchanged.

    ``subject`` replaces an empty one. What its person doesn't want to hear isn't written. What an answer is
    about (``spoken``) is remembered with it.
    """
    for given in notices:
        new = given if given.subject else replace(given, subject=subject)
        if spoken := new.body.get("spoken"):
            conversations.save_referents(
                tx, new.principal, spoken["channel_id"], spoken["thread_ts"], spoken["about"]
            )
            new = replace(new, body={key: value for key, value in new.body.items() if key != "spoken"})
        waits = {"subject": new.subject, "kind": NoticeKind.CARD, "state": NoticeState.PENDING}
        card = NOTICES.one(tx, **waits) if new.body.get("is_so_already") else None
        if card is not None and (promise := card.body.get("promise")):
            # Whoever was told that it is looked at again finds the result there.
            new = replace(new, body=new.body | {"becomes": promise})
        row = _add(tx, new) if preferences.should_send_notice(tx, new) else None
        if row is not None:
            cards.add_notice(tx, row, new.body)
            _add_to_results(tx, new, str(row["id"]))
        elif Mark.IN_CARD in new.kind.marks:
            release_card(tx, new.subject)


def ask_once(tx: Transaction, question: NewNotice) -> bool:
    """Write a question, unless another is asked by its subject; return whether it is asked."""
    asked = {row["occasion"] for row in NOTICES.rows(tx, subject=question.subject, kind=question.kind)}
    if not asked:
        add_notices(tx, [question])
    return asked <= {question.occasion}


def add_card(
    tx: Transaction, card: NewNotice, end: AnyKind | None, slow_seconds: float | None = None
) -> None:
    """Write the first card of a new operation or run: nothing of it is there.

    ``end`` is the message about its end, where an answer has said what begins: if that is going to be sent,
    the card waits for what takes long, or longer than usual if ``slow_seconds`` are known.
    """
    if preferences.should_send_notice(tx, card):
        _add(tx, card, is_first=True)
    if end is not None and (
        Mark.IN_CARD in end.marks or preferences.should_send_notice(tx, replace(card, kind=end))
    ):
        # Release 0.2 tells by ``waits`` that the end makes it needless.
        delay = max(cards.CARD_DELAY_SECONDS, (slow_seconds or 0.0) + MAX_PROMPT_SECONDS)
        later = {"due_at": tx.now() + delay, "body": card.body | {"waits": True}}
        NOTICES.change(tx, {"subject": card.subject, "kind": card.kind}, **later)


def await_results(tx: Transaction, operation_id: str, request: str) -> None:
    """Have an operation's end told with those of the others that the same request began."""
    CARDS.change(tx, {"id": operation_id}, body={"request": request})


def _add_to_results(tx: Transaction, new: NewNotice, notice_id: str) -> None:
    """Hold the end of one of several operations of a request until all have ended, or for some time."""
    card = CARDS.one(tx, id=new.subject) if Mark.END in new.kind.marks else None
    request = "" if card is None else str(card.body.get("request") or "")
    if not request:
        return
    key = {"principal": new.principal, "request": request}
    is_last, holder = tx.one("open_of_request", **key) is None, tx.one("unclaimed_results", **key)
    holder_id = tx.ids.new("notice") if holder is None else str(holder["id"])
    wait = RESULTS_SECONDS if Mark.IN_CARD in new.kind.marks else REQUESTED_RESULT_SECONDS
    due_at = tx.now() + (0.0 if is_last else wait)
    if holder is None:
        body = {"channel_id": new.body.get("channel_id")}
        results = NewNotice(request, NoticeKind.RESULTS, holder_id, new.principal, body)
        _add(tx, replace(results, due_in=due_at - tx.now()), holder_id)
    elif due_at < holder["due_at"]:
        NOTICES.change(tx, {"id": holder_id}, due_at=due_at)
    NOTICES.change(tx, {"id": notice_id}, combined_into=holder_id)


def release_card(tx: Transaction, subject: str) -> None:
    """Queue a card that waits, as there is more to say than its answer said."""
    tx.run("release_card", subject=subject, now=tx.now())


def queue_lost_card(tx: Transaction, card_id: str) -> None:
    """Forget a message that was deleted, or can't be edited any more; the row of a card stays."""
    if not CARDS.count_deleted(tx, id=card_id, is_notice=True):
        _lose_card(tx, card_id)


def _lose_card(tx: Transaction, card_id: str) -> None:
    """Forget a card's location; if its operation was fulfilled and it hasn't said so, a message has to."""
    cards.forget_location(tx, card_id)
    card, operation = CARDS.one(tx, id=card_id), OPERATIONS.one(tx, id=card_id)
    if operation is None or operation.outcome is not Outcome.FULFILLED or card is None or "text" in card.body:
        return
    where = {"workspace": operation.workspace_id, "connection": operation.connection}
    body = where | {"channel_id": operation.channel_id}
    add_notices(tx, [NewNotice(card_id, end_of(operation), END, operation.principal, body)])


def add_or_extend(tx: Transaction, new: NewNotice, items: str) -> None:
    """Write a notice; one of its subject, kind and person that nobody has claimed yet takes its ``items``."""
    key = {"subject": new.subject, "kind": new.kind, "principal": new.principal}
    waiting = NOTICES.one(tx, **key, state=NoticeState.PENDING)
    if waiting is None:
        add_notices(tx, [new])
    else:
        body = waiting.body | {items: [*waiting.body[items], *new.body[items]]}
        NOTICES.change(tx, {"id": waiting.id}, body=body)


def is_written(tx: Transaction, subject: str, kind: AnyKind, occasion: str) -> bool:
    """Return whether a notice was written, sent or not."""
    return NOTICES.row(tx, subject=subject, kind=kind, occasion=occasion) is not None


@prioritize(Priority.STEADY)
def has_notices(tx: Transaction, subject: str) -> bool:
    """Return whether anything was written to be told about something."""
    return tx.one("notice_about", subject=subject) is not None


def _add(tx: Transaction, new: NewNotice, notice_id: str = "", *, is_first: bool = False) -> Row | None:
    """Write a notice; return its key, None if it existed, which the first of a subject can't."""
    now = tx.now()
    row = {
        "id": notice_id or tx.ids.new("notice"),
        "subject": new.subject,
        "kind": new.kind,
        "principal": new.principal.key,
    }
    rest = {
        "occasion": new.occasion,
        "body": new.body,
        "state": NoticeState.PENDING,
        "urgency": new.kind.urgency,
        "created_at": now,
        "due_at": now + new.due_in,
    }
    if is_first:
        NOTICES.add_missing(tx, **row, **rest)
        return row
    return row if NOTICES.add_new(tx, **row, **rest) else None


def _combine_waiting(tx: Transaction, now: float, due: Collection[int]) -> bool:
    """Combine informational notices of people that have waited through a silence into one; return if any has.

    It takes in more until it is claimed. What may have been sent is looked for first.
    """
    late_news = (
        []
        if _INFORMATIONAL_URGENCIES.isdisjoint(due)
        else tx.all("late_news", now=now, since=now - SILENCE_SECONDS)
    )
    for late in take_batch(tx, late_news):
        found = tx.one("unclaimed_summary", principal=late["principal"])
        holder = str(found["id"]) if found is not None else tx.ids.new("notice")
        news = tx.all(
            "gather_news", principal=late["principal"], now=now, holder=holder, limit=_MAX_COMBINED_NOTICES
        )
        for one in news:
            # It takes part in what becomes of that message, without being one itself.
            cards.drop(tx, one["id"])
        if news and found is None:
            principal = Principal.from_key(late["principal"])
            _add(tx, NewNotice(principal.key, NoticeKind.SUMMARY, holder, principal), holder)
        # As old as what it tells: whoever has waited longest is told first.
        NOTICES.change(tx, {"id": holder}, due_at=late["oldest"])
    return bool(late_news)


def list_combined_notices(tx: Transaction, notice_id: str) -> list[Notice]:
    """Return the notices that one of kind SUMMARY or RESULTS reports, oldest first."""
    found = NOTICES.query(tx, "held_notices", id=notice_id)
    return sorted(found, key=lambda notice: (notice.created_at, notice.id))


def claim_notices_once(
    tx: Transaction,
    limit: int,
    lease: float,
    shares: Mapping[int, float] = FULL_SHARES,
    owner: str = "",
    room: CallQuota = UNLIMITED,
) -> list[Notice] | None:
    """Lease due notices by urgency, then age; ``attempts`` includes the attempt that now begins.

    No more than there is ``room`` for within the share of their urgency; the first has room of its own.
    Notices with an expired lease come again, with ``unknown_since`` set to the attempt's time if unset; with
    one that may have been sent come those of its person, as one search answers for them. Those about a run
    whose output another process follows are left to that one. Return None if there was enough to do to gather
    what is told together: it comes first, however much it is.
    """
    now, before = tx.now(), tx.changes
    found = tx.all("due_urgencies", urgencies=URGENCY_NUMBERS, now=now, limit=room.most(), **room.within(now))
    fits = {int(row["urgency"]): int(row["fit"]) for row in found}
    is_late = _combine_waiting(tx, now, fits.keys())
    if tx.changes - before >= _MAX_COMBINED_NOTICES:
        return None
    if is_late:
        fits.setdefault(NoticeKind.SUMMARY.urgency, max(fits.values()))
    claimed: list[Notice] = []
    paced = 0
    for urgency in _URGENCIES:
        if urgency not in shares or urgency not in fits:
            continue
        left = limit - len(claimed)
        if urgency > 0:
            left = min(left, fits[urgency] - paced - room.most() + room.most(shares[urgency]))
        if left <= 0:
            continue
        some = _claim(tx, _QUEUE_OF[urgency].claim, lease, owner, limit=left)
        claimed += some
        paced += len(some) * (urgency > 0)
    return claimed


async def claim_notices(
    engine: Engine,
    limit: int,
    lease: float,
    shares: Mapping[int, float] = FULL_SHARES,
    owner: str = "",
    room: CallQuota = UNLIMITED,
) -> list[Notice]:
    """Claim notices as ``claim_notices_once`` does, once all that is told together is gathered."""
    claim = partial(claim_notices_once, limit=limit, lease=lease, shares=shares, owner=owner, room=room)
    while (claimed := await engine.write(claim, Priority.CLAIMS)) is None:
        pass
    return claimed


def claim_pending(
    tx: Transaction, place: str, lease: float, owner: str = "", *, is_send: bool
) -> list[Notice]:
    """Lease a pending one in the installation with the id ``place``, in spite of its pause, each in turn.

    With ``is_send`` rather what wasn't sent than what may have been, which comes with all of its person.
    """
    _combine_waiting(tx, tx.now(), _INFORMATIONAL_URGENCIES)
    return _claim(
        tx, PENDING_CLAIM.statement, lease, owner, is_send=is_send, people=_make_people_pattern(place)
    )


def _claim(tx: Transaction, query: str, lease: float, owner: str, **which: Any) -> list[Notice]:
    now = tx.now()
    given = {"now": now, "until": now + lease, "owner": owner}
    found = NOTICES.query(tx, query, **which, settled=now - CARD_FIRST_SECONDS, **given)
    for principal in take_batch(tx, {one.principal for one in found if one.unknown_since is not None}):
        found += NOTICES.query(
            tx, UNSURE_CLAIM.statement, principal=principal.key, limit=_MAX_COMBINED_NOTICES, **given
        )
    return sorted(found, key=lambda notice: (notice.created_at, notice.id))


@concerns(lambda notice, *_, **__: [notice.principal.key])
def mark_notice_sent(
    tx: Transaction,
    notice: Notice,
    channel_id: str,
    message_ts: str,
    rendered_digest: str = "",
    said: cards.SentText = None,
    *,
    in_place: bool = False,
) -> None:
    """Mark as sent; what can change is written into its card's row in the same transaction.

    ``rendered_digest`` is the digest of what the message shows, "" if that isn't known; ``said`` what it says
    for good. ``in_place``: the message may have been another's before.
    """
    now, notice_id = tx.now(), notice.id
    row = tx.one("notice_sent", id=notice_id, channel_id=channel_id, message_ts=message_ts, now=now)
    if row is None:
        return
    kind, subject = parse_enum(AnyKind, row["kind"]), row["subject"]
    if kind in _HOLDERS:
        to = {"state": NoticeState.SENT, "sent_at": now, "channel_id": channel_id, "error": None}
        at = {"channel_id": channel_id, "message_ts": message_ts, "said": dict(said or {})}
        start_fan_out(tx, "finished", notice=notice_id, to=to, at=at if message_ts else None)
    if message_ts:
        card_id = cards.choose_card_id(kind, notice_id, subject)
        if said is not None and channel_id.startswith("D"):
            cards.add_announcement(tx, row | {"id": notice_id}, said)
        if in_place:
            cards.forget_replaced(tx, card_id, channel_id, message_ts)
        cards.save_location(tx, card_id, channel_id, message_ts, rendered_digest, said)
    else:
        cards.drop(tx, cards.choose_card_id(kind, notice_id, subject))
    # Slack's ids of direct messages begin with D. A card may be in a channel, and a reply goes to wherever
    # the person typed, which may be a conversation with somebody else.
    is_direct = channel_id.startswith("D") and kind is not NoticeKind.REPLY
    if is_direct and row["direct"] != channel_id:
        DIRECT_CHANNELS.upsert(tx, principal=row["principal"], channel_id=channel_id)


def requeue_unsent_notices(tx: Transaction, notices: Sequence[Notice]) -> None:
    """Put back notices that a search hasn't found in Slack, at their old place."""
    for notice in notices:
        tx.run("notice_not_sent", id=notice.id, attempts=notice.attempts)


def retry_notice(
    tx: Transaction,
    notice: Notice,
    due_in: float,
    *,
    error: str,
    unknown_since: float | None = None,
    is_text: bool = False,
    read_since: float | None = None,
    tried_at: float | None = None,
) -> None:
    """Retry later; ``unknown_since`` keeps the earliest value given, and ``is_text`` stays.

    It waits for a read only with ``read_since``. A notice that was claimed again since is left to whoever
    sends it now.
    """
    tx.run(
        "notice_retry",
        id=notice.id,
        attempts=notice.attempts,
        due_at=tx.now() + due_in,
        error=error,
        has_unknown=unknown_since is not None,
        unknown_since=unknown_since or 0.0,
        is_text=is_text or notice.is_text,
        read_since=read_since,
        tried_at=tried_at,
    )


async def release_notices(engine: Engine, place: str, settles: float) -> None:
    """Make all waiting notices due, as Slack can be reached again: in the installation with the id ``place``.

    A send of unknown outcome still has its ``settles`` seconds to show.
    """
    now = engine.now()
    given = {
        "now": now,
        "shown": now + settles,
        "people": _make_people_pattern(place),
        "limit": FAN_OUT_BATCH_SIZE,
    }
    await repeat_until_done(engine, lambda tx: tx.count("release_notices", **given))


def _make_people_pattern(place: str) -> str:
    """Return the pattern of the keys of an installation's people."""
    return f"%:{place or '%'}:%"


def end_state(tx: Transaction, subject: str) -> EndState:
    """Return the state of the message about an operation's or a run's end."""
    row = tx.one("end_of", id=subject)
    assert row is not None  # a SELECT without a table
    return cast(EndState, row["state"])


def give_up_notice(tx: Transaction, notice_id: str, error: str) -> None:
    """Give up on a notice, with all that it holds; doctor shows them."""
    row = tx.one("notice_dead", id=notice_id, error=error)
    cards.drop(tx, notice_id)
    if row is not None and row["kind"] in _SHOWS_CARD:
        _lose_card(tx, row["subject"])
    start_fan_out(tx, "finished", notice=notice_id, to={"state": NoticeState.DEAD, "error": error})


def _end(tx: Transaction, row: Row, said: Row) -> None:
    NOTICES.change(tx, {"id": row["id"]}, **said["to"], body={})
    card = CARDS.one(tx, id=row["id"]) if said.get("at") else None
    if card is not None:
        # What it offers is on the message that tells it.
        at = said["at"]
        shown = {**card.body, **at["said"], "holder": said["notice"]}
        cards.save_location(tx, card.id, at["channel_id"], at["message_ts"], said=shown)
    marks = parse_enum(AnyKind, row["kind"]).marks
    # The card of a run stays where its end has no message of its own: its output is below it.
    if Mark.END in marks and Mark.OUTPUT not in marks and said["to"]["state"] == NoticeState.SENT:
        cards.queue_ended(tx, row["subject"])


register_fan_out("finished", lambda _tx, _said: True, ("some_told_together", _end))


def reply_to(tx: Transaction, interaction: str, passed: Collection[str] = ()) -> Notice | None:
    """Return the message that an interaction was answered with; None if it is unknown.

    A message that was to take the reply's place comes before that. The notices with the ids ``passed`` are
    left out.
    """
    answers = (NOTICES.one(tx, subject=interaction, kind=kind) for kind in _ANSWERS)
    return next((one for one in answers if one is not None and one.id not in passed), None)


@prioritize(Priority.STEADY)
def list_dead_notices(tx: Transaction, limit: int = 50) -> list[Notice]:
    """Return the newest dead notices."""
    return NOTICES.query(tx, "dead_notices", limit=limit)


def find_direct_channel(tx: Transaction, principal: Principal) -> str | None:
    """Return the direct message's channel id known from an earlier send, if any."""
    row = DIRECT_CHANNELS.row(tx, principal=principal)
    return None if row is None else str(row["channel_id"])
