"""The outbox, which contains notices to be sent.

A notice is written in the same transaction as the change it reports. It is sent later, and only once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any, Final, cast, get_args

from bot.domain.notices import (
    END,
    EndState,
    Mark,
    NewNotice,
    Notice,
    NoticeKind,
    NoticeState,
    Urgency,
    end_of,
)
from bot.domain.operations import MAX_PROMPT_SECONDS
from bot.domain.people import Principal
from bot.domain.work_items import DEADLINE_SECONDS, Outcome
from bot.store import cards, preferences
from bot.store.engine import Engine
from bot.store.fan_out import (
    FAN_OUT_BATCH_SIZE,
    register_fan_out,
    repeat_until_done,
    select_some,
    start_fan_out,
    take_batch,
)
from bot.store.queues import Queue, build_claim, declare_queue
from bot.store.slack_rate_limits import UNLIMITED, CallQuota
from bot.store.tables import CARDS, DIRECT_CHANNELS, NOTICES, OPERATIONS, parse_enum
from bot.store.transaction import Priority, Row, Transaction, as_json, concerns, prioritize

#: How long, in seconds, the notice about the end of an operation or run waits for a card that is being sent,
#: so that the two appear in the right order.
CARD_FIRST_SECONDS = 5.0
#: Results of stops, suspensions and removals wait this many seconds for the other results of the same
#: request, so that one message can include them all. Results of other verbs wait only
#: ``REQUESTED_RESULT_SECONDS``, because people need them sooner.
RESULTS_SECONDS: Final = 60.0
REQUESTED_RESULT_SECONDS: Final = 10.0
_HOLDERS: Final = frozenset({NoticeKind.SUMMARY, NoticeKind.RESULTS})
#: If a person's oldest waiting update has waited this many seconds, Usher combines their waiting updates into
#: one message. A wait of this length means that Slack was down, not just busy.
SILENCE_SECONDS: Final = 60.0
#: Kinds of notices that can answer an interaction. A reply may be replaced by a notice of another kind, so if
#: there are several answers, the current one is the one whose kind comes first here.
_ANSWERS: Final = (NoticeKind.MESSAGE, NoticeKind.ASSISTANT_QUESTION, NoticeKind.REPLY)
_SHOWS_CARD: Final = frozenset({NoticeKind.CARD, NoticeKind.CARD_UPDATE})
#: Urgency of the notices that are combined into one message after an outage of Slack (``Mark.NEWS``), and of
#: the combined message.
_INFORMATIONAL_URGENCIES: Final = {NoticeKind.SUMMARY.urgency}
_URGENCIES: Final = get_args(Urgency)
#: Maximum number of notices to combine into one message, or to search for in Slack at once.
_MAX_COMBINED_NOTICES: Final = FAN_OUT_BATCH_SIZE // 2
URGENCY_NUMBERS: Final = as_json(dict.fromkeys(_URGENCIES, 1))
#: Maps each urgency to the share of Slack's remaining capacity that its notices may use. By default, each may
#: use all of it.
FULL_SHARES: Final[Mapping[int, float]] = dict.fromkeys(_URGENCIES, 1.0)

_UNSENT: Final = "state NOT IN ('sent', 'dead')"


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
#: Statement that claims one notice to try while Slack isn't responding. If the notice's last attempt failed,
#: the next one needn't be due yet. With ``:is_send``, notices that certainly haven't been sent come first.
#: Otherwise, those that may have been sent come first, so that Usher searches Slack for one of them. A
#: message isn't searched for before it has had time to show up. Replies come last. In each group, notices
#: that wait for a read of their workspace come first. The rest take turns, so that one that always fails
#: doesn't block the others.
PENDING_CLAIM: Final = build_claim(
    table="notices",
    where=f"urgency IN (0, 1, 2, 3) AND {_UNSENT} AND {{due_or_retried}} AND principal LIKE :people"
    " AND {claimable} AND {settled}",
    changes="{attempted}",
    order="CASE WHEN urgency = 0 THEN 2"
    " WHEN (unknown_since IS NULL AND state <> 'leased') = :is_send THEN 0 ELSE 1 END,"
    " CASE WHEN error = 'to be read' THEN 0 ELSE 1 END, COALESCE(leased_at, 0), created_at",
    limit="1",
)
#: Statement that claims all of a person's notices that may already have been sent, so that a single search in
#: Slack can find them. Replies are left out, because they are never sent again.
UNSURE_CLAIM: Final = build_claim(
    table="notices",
    where=f"principal = :principal AND {_UNSENT} AND {{due_or_retried}}"
    " AND (unknown_since IS NOT NULL OR state = 'leased' OR {doubted})"
    " AND combined_into IS NULL AND kind <> 'reply' AND {output_followed_here}",
    changes="{unsure_claimed}",
)


@prioritize(Priority.URGENT)
def add_notices(tx: Transaction, notices: Sequence[NewNotice], subject: str = "") -> None:
    """Write notices, skipping any whose subject, kind and occasion match those of an existing one.

    A notice's subject is the id of whatever it is about, such as an operation. The occasion distinguishes
    notices of the same kind about the same subject. ``subject`` is used for notices without a subject of
    their own. Notices that the person doesn't want aren't written.
    """
    for given in notices:
        new = given if given.subject else replace(given, subject=subject)
        waits = {"subject": new.subject, "kind": NoticeKind.CARD, "state": NoticeState.PENDING}
        card = NOTICES.one(tx, **waits) if new.body.get("is_so_already") else None
        if card is not None and (promise := card.body.get("promise")):
            # An earlier message promised to check again, so the result replaces that message.
            new = replace(new, body=new.body | {"becomes": promise})
        row = _add(tx, new) if preferences.should_send_notice(tx, new) else None
        if row is not None:
            _add_to_results(tx, new, str(row["id"]))
            cards.add_notice(tx, row, new.body)
        elif Mark.IN_CARD in new.kind.marks:
            release_card(tx, new.subject)


def ask_for_end(tx: Transaction, notices: Sequence[NewNotice], subject: str) -> None:
    """Prefetch what ``add_notices`` will read when an operation ends."""
    CARDS.ask(tx, id=subject)
    for one in notices:
        preferences.ask_delivery(tx, one)


def ask_once(tx: Transaction, question: NewNotice) -> bool:
    """Write a question unless its subject already has one.

    Return False if the subject's existing question has a different occasion.
    """
    asked = {row["occasion"] for row in NOTICES.rows(tx, subject=question.subject, kind=question.kind)}
    if not asked:
        add_notices(tx, [question])
    return asked <= {question.occasion}


def add_card(
    tx: Transaction, card: NewNotice, *, is_announced: bool, slow_seconds: float | None = None
) -> None:
    """Write the first card of a new operation or run, which has no messages yet.

    ``is_announced`` means that an answer has already announced the work, and that another message will report
    its end. The card is then sent only if the work takes long. If ``slow_seconds`` is given, that means
    longer than nine in ten similar starts take, or until the start's deadline.
    """
    if is_announced:
        delay = max(cards.CARD_DELAY_SECONDS, (slow_seconds or 0.0) + MAX_PROMPT_SECONDS)
        card = replace(card, due_in=min(delay, DEADLINE_SECONDS))
    _add(tx, card, is_first=True)


def await_results(tx: Transaction, operation_id: str, request: str) -> None:
    """Mark an operation so that its result is sent in one message with the request's other results."""
    CARDS.change(tx, {"id": operation_id}, body={"request": request})


def _add_to_results(tx: Transaction, new: NewNotice, notice_id: str) -> None:
    """Hold back the message about an operation's end, to combine it with the request's other results."""
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
    """Send a card that was held back, because there is now more to report than the answer said."""
    tx.run("release_card", subject=subject, now=tx.now())


def queue_lost_card(tx: Transaction, card_id: str) -> None:
    """Forget a card's message, because it was deleted or can no longer be edited. The card's row is kept."""
    if not CARDS.count_deleted(tx, id=card_id, is_notice=True):
        _lose_card(tx, card_id)


def _lose_card(tx: Transaction, card_id: str) -> None:
    """Forget a card's message. If its operation succeeded but the card didn't show that, write a notice."""
    cards.forget_location(tx, card_id)
    card, operation = CARDS.one(tx, id=card_id), OPERATIONS.one(tx, id=card_id)
    if operation is None or operation.outcome is not Outcome.FULFILLED or card is None or "text" in card.body:
        return
    where = {"workspace": operation.workspace_id, "connection": operation.connection}
    body = where | {"channel_id": operation.channel_id}
    add_notices(tx, [NewNotice(card_id, end_of(operation), END, operation.principal, body)])


def add_or_extend(tx: Transaction, new: NewNotice, items: str) -> None:
    """Write a notice, or extend an unsent one with the same subject, kind and person.

    The unsent notice gets the new notice's ``items`` in addition to its own.
    """
    key = {"subject": new.subject, "kind": new.kind, "principal": new.principal}
    waiting = NOTICES.one(tx, **key, state=NoticeState.PENDING)
    if waiting is None:
        add_notices(tx, [new])
    else:
        body = waiting.body | {items: [*waiting.body[items], *new.body[items]]}
        NOTICES.change(tx, {"id": waiting.id}, body=body)


def is_written(tx: Transaction, subject: str, kind: NoticeKind, occasion: str) -> bool:
    """Return whether a notice was ever written. It needn't have been sent."""
    return NOTICES.row(tx, subject=subject, kind=kind, occasion=occasion) is not None


@prioritize(Priority.STEADY)
def has_notices(tx: Transaction, subject: str) -> bool:
    """Return whether a notice about a subject was ever written."""
    return tx.one("notice_about", subject=subject) is not None


def _add(tx: Transaction, new: NewNotice, notice_id: str = "", *, is_first: bool = False) -> Row | None:
    """Write a notice and return its row, or None if the notice already exists.

    If ``is_first`` is true, the row is returned in either case.
    """
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
    """Combine updates that were delayed by an outage of Slack into one message per person.

    Return whether there were any such updates. A combined message takes in further updates until it is
    claimed. An update that may already have been sent is left out until Usher has searched Slack for it.
    """
    if _INFORMATIONAL_URGENCIES.isdisjoint(due):
        return False
    if not (late_news := tx.all("late_news", now=now, since=now - SILENCE_SECONDS)):
        return False
    for late in take_batch(tx, late_news):
        found = tx.one("unclaimed_summary", principal=late["principal"])
        holder = str(found["id"]) if found is not None else tx.ids.new("notice")
        news = tx.all(
            "gather_news", principal=late["principal"], now=now, holder=holder, limit=_MAX_COMBINED_NOTICES
        )
        for one in news:
            # This update is no longer sent as a separate message, but as part of the combined one.
            cards.drop(tx, one["id"])
        if news and found is None:
            principal = Principal.from_key(late["principal"])
            _add(tx, NewNotice(principal.key, NoticeKind.SUMMARY, holder, principal), holder)
        # The combined message becomes due when its oldest update was due, so that the person who has waited
        # longest comes first.
        NOTICES.change(tx, {"id": holder}, due_at=late["oldest"])
    return True


def list_combined_notices(tx: Transaction, notice_id: str) -> list[Notice]:
    """Return the notices that a SUMMARY or RESULTS notice combines, oldest first."""
    found = NOTICES.query(tx, "held_notices", id=notice_id)
    return sorted(found, key=attrgetter("created_at", "id"))


def claim_notices_once(
    tx: Transaction,
    limit: int,
    lease: float,
    shares: Mapping[int, float] = FULL_SHARES,
    owner: str = "",
    room: CallQuota = UNLIMITED,
) -> list[Notice] | None:
    """Claim due notices by urgency, then by age. The new attempt is already counted in ``attempts``.

    Claim at most ``limit`` notices. Except for replies (urgency 0), the number is also limited by how many
    messages Slack will still accept (``room``) and by the share of those that each urgency may use. If a
    notice's lease has expired, it is claimed again, and ``unknown_since``, if unset, is set to the time of
    the earlier attempt. If another process is following a run's output, notices about that run are left to
    that process. Updates are combined first. If combining takes the whole transaction, return None. The
    caller must then call this again.
    """
    now, before = tx.now(), tx.changes
    given = {"urgencies": URGENCY_NUMBERS, "now": now, "limit": room.most(), **room.within(now)}
    tx.ask("due_urgencies", **given)
    tx.ask("late_news", now=now, since=now - SILENCE_SECONDS)
    found = tx.all("due_urgencies", **given)
    fits = {int(row["urgency"]): int(row["fit"]) for row in found}
    is_late = _combine_waiting(tx, now, fits.keys())
    if tx.changes - before >= _MAX_COMBINED_NOTICES:
        return None
    if is_late:
        fits.setdefault(NoticeKind.SUMMARY.urgency, max(fits.values()))
    claimed: list[Notice] = []
    paced, due = 0, [urgency for urgency in _URGENCIES if urgency in shares and urgency in fits]
    for urgency in due:
        left = limit - len(claimed)
        if urgency > 0:
            left = min(left, fits[urgency] - paced - room.most() + room.most(shares[urgency]))
        if left <= 0:
            continue
        claim = _QUEUE_OF[urgency].claim
        some = _claim(tx, claim, lease, owner, is_last=urgency == due[-1], limit=left)
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
    """Claim notices like ``claim_notices_once``, repeatedly until all due updates have been combined.

    If one of the claimed notices may already have been sent, all such notices to the same person are claimed
    with it, because a single search in Slack finds them all.
    """
    claim = partial(claim_notices_once, limit=limit, lease=lease, shares=shares, owner=owner, room=room)
    while (claimed := await engine.write(claim, Priority.CLAIMS)) is None:
        pass
    if any(one.unknown_since is not None for one in claimed):
        unsure = partial(_claim_unsure, claimed=claimed, lease=lease, owner=owner)
        claimed = await engine.write(unsure, Priority.CLAIMS)
    return claimed


def claim_pending(
    tx: Transaction, place: str, lease: float, owner: str = "", *, is_send: bool
) -> list[Notice]:
    """Claim one of an installation's unsent notices, even if the pause before its next attempt isn't over.

    If ``is_send`` is true, notices known not to have been sent come first. Otherwise, notices that may have
    been sent come first. In either group, the notices are tried in turn. If the claimed notice may have been
    sent, the same person's other notices that may have been sent are claimed, too.
    """
    _combine_waiting(tx, tx.now(), _INFORMATIONAL_URGENCIES)
    found = _claim(tx, PENDING_CLAIM, lease, owner, is_send=is_send, people=_make_people_pattern(place))
    return _claim_unsure(tx, found, lease, owner)


def _claim(
    tx: Transaction, query: str, lease: float, owner: str, *, is_last: bool = False, **which: Any
) -> list[Notice]:
    now = tx.now()
    given = {**which, "now": now, "until": now + lease, "owner": owner, "settled": now - CARD_FIRST_SECONDS}
    if is_last:
        tx.ask(query, **given)
        tx.finish()
    return sorted(NOTICES.query(tx, query, **given), key=attrgetter("created_at", "id"))


def _claim_unsure(tx: Transaction, claimed: Sequence[Notice], lease: float, owner: str) -> list[Notice]:
    """Claim all other notices to the same people that may have been sent. Return all, ``claimed`` first."""
    given = {"now": tx.now(), "until": tx.now() + lease, "owner": owner, "limit": _MAX_COMBINED_NOTICES}
    found, unsure = list(claimed), {one.principal for one in claimed if one.unknown_since is not None}
    for principal in take_batch(tx, unsure) if unsure else ():
        found += NOTICES.query(tx, UNSURE_CLAIM, principal=principal.key, **given)
    return found


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
    """Mark a notice as sent, and record in its card's row where the message is.

    ``rendered_digest`` is the digest of what the message shows, or "" if unknown. ``said`` is the message's
    text, if it can't be rendered again. ``in_place`` means that the message may have belonged to another card
    before. If the notice reports an operation's end and the operation's card is still held back, the card is
    no longer needed.
    """
    now, notice_id = tx.now(), notice.id
    if message_ts:
        CARDS.ask(tx, id=cards.choose_card_id(notice.kind, notice_id, notice.subject))
    row = tx.one("notice_sent", id=notice_id, channel_id=channel_id, message_ts=message_ts, now=now)
    if row is None:
        return
    kind, subject = parse_enum(NoticeKind, row["kind"]), row["subject"]
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
        if row["needless_card"] is not None:
            waiting = {"id": row["needless_card"], "state": NoticeState.PENDING}
            to = {"state": NoticeState.SENT, "sent_at": now, "channel_id": "", "message_ts": "", "body": {}}
            # If another process has just claimed the card, it will find out by itself that the card isn't
            # needed.
            if NOTICES.count_changed(tx, waiting, **to):
                cards.close_unsent(tx, subject)
    else:
        cards.drop(tx, cards.choose_card_id(kind, notice_id, subject))
    # Only ids of direct messages begin with D. A reply goes to wherever the person typed, which may be a
    # direct conversation with someone else.
    is_direct = channel_id.startswith("D") and kind is not NoticeKind.REPLY
    if is_direct and row["direct"] != channel_id:
        DIRECT_CHANNELS.upsert(tx, principal=row["principal"], channel_id=channel_id)


def requeue_unsent_notices(tx: Transaction, notices: Sequence[Notice]) -> None:
    """Put notices back in their old places in the queue, because a search in Slack didn't find them."""
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
    """Retry a notice later.

    ``unknown_since`` keeps the earliest value given, and ``is_text`` stays true once it has been set. The
    notice waits for a read only if ``read_since`` is given. If another process has claimed the notice in the
    meantime, nothing is changed.
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


def keep_body(tx: Transaction, notice: Notice, body: dict[str, Any]) -> None:
    """Save data learned while sending a notice, unless the notice has been claimed again."""
    NOTICES.change(tx, {"id": notice.id, "attempts": notice.attempts}, body=body)


async def release_notices(engine: Engine, place: str, settles: float) -> None:
    """Make all of an installation's waiting notices due, because Slack can be reached again.

    A message that may have been sent still gets ``settles`` seconds to show up in Slack.
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
    return f"%:{place or '%'}:%"


def end_state(tx: Transaction, subject: str) -> EndState:
    """Return the state of the message that reports the end of an operation or run."""
    (row,) = tx.all("end_of", id=subject)
    return cast(EndState, row["state"])


def give_up_notice(tx: Transaction, notice_id: str, error: str) -> None:
    """Give up on a notice, along with all notices combined in it. The doctor command reports them."""
    row = tx.one("notice_dead", id=notice_id, error=error)
    cards.drop(tx, notice_id)
    if row is not None and row["kind"] in _SHOWS_CARD:
        _lose_card(tx, row["subject"])
    start_fan_out(tx, "finished", notice=notice_id, to={"state": NoticeState.DEAD, "error": error})


def _end(tx: Transaction, row: Row, said: Row) -> None:
    NOTICES.change(tx, {"id": row["id"]}, **said["to"], body={})
    card = CARDS.one(tx, id=row["id"]) if said.get("at") else None
    if card is not None:
        # The buttons for this notice are on the combined message.
        at = said["at"]
        shown = {**card.body, **at["said"], "holder": said["notice"]}
        cards.save_location(tx, card.id, at["channel_id"], at["message_ts"], said=shown)
    marks = parse_enum(NoticeKind, row["kind"]).marks
    # A run's card is kept, because the output is posted in its thread.
    if Mark.END in marks and Mark.OUTPUT not in marks and said["to"]["state"] == NoticeState.SENT:
        # The end is reported in another message, so redraw even closed messages about the work.
        tx.run("queue_ended", subject=row["subject"])


_COMBINED: Final = "combined_into = :notice AND state NOT IN ('sent', 'dead')"
register_fan_out("finished", (select_some("notices", _COMBINED), _end))


def reply_to(tx: Transaction, interaction: str, passed: Collection[str] = ()) -> Notice | None:
    """Return the message that answered an interaction, skipping messages whose ids are in ``passed``.

    If a message was meant to replace the reply, return that message instead. Return None if there is no
    answer.
    """
    answers = (NOTICES.one(tx, subject=interaction, kind=kind) for kind in _ANSWERS)
    return next((one for one in answers if one is not None and one.id not in passed), None)


@prioritize(Priority.STEADY)
def list_dead_notices(tx: Transaction, limit: int = 50) -> list[Notice]:
    """Return the newest notices that Usher gave up on."""
    return NOTICES.query(tx, "dead_notices", limit=limit)


def find_direct_channel(tx: Transaction, principal: Principal) -> str | None:
    """Return the id of a person's direct message channel, if a message was ever sent there."""
    row = DIRECT_CHANNELS.row(tx, principal=principal)
    return None if row is None else str(row["channel_id"])
