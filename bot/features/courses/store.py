"""Rows of class cards and of their participants."""

from collections.abc import Collection
from typing import Any, Final

import bot.features.courses.lesson_store  # noqa: F401 - whoever opens the database has the rules of courses read by it
from bot.domain.message_kinds import AnyKind
from bot.domain.notices import NewNotice
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.time_parsing import DAYS
from bot.domain.timers import CLASS_WARNING_SECONDS
from bot.features.courses import timetable
from bot.features.courses.model import (
    MIN_COUNT_SECONDS,
    ClassCard,
    ClassCounts,
    ClassProblem,
    CourseRule,
    MemberState,
    Participant,
)
from bot.features.courses.tables import CLASS_CARDS, COURSE_RULES, PARTICIPANTS
from bot.features.hours.model import YEAR_SECONDS, Occurrence
from bot.store import cards, operations, workspaces
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.transaction import Priority, Row, Transaction, as_json, from_json, prioritize

#: The due time when nothing is due: a press, or ending the class, makes it due.
NEVER_DUE_AT = 1e12
#: A card is next checked after this share of the time since its last change.
_RECHECK_SHARE = 0.1
#: What brings a workspace up.
START_VERBS = frozenset({OperationVerb.START, OperationVerb.RESTART, OperationVerb.CREATE})


def find_card(tx: Transaction, card_id: str) -> ClassCard | None:
    """Return a card."""
    return CLASS_CARDS.one(tx, id=card_id)


def list_courses(tx: Transaction) -> list[ClassCard]:
    """Return the courses that go on, the newest first."""
    return CLASS_CARDS.query(tx, "courses")


def list_pending_courses(tx: Transaction, principal: Principal) -> frozenset[str]:
    """Return the ids of the courses that a person has joined without an account or a workspace yet."""
    return frozenset(row["id"] for row in tx.all("pending_courses", principal=principal.key))


def list_ended_courses(tx: Transaction, since: float) -> list[ClassCard]:
    """Return the courses that have ended since a moment, the last one first."""
    # No course goes on for longer than a year.
    return CLASS_CARDS.query(tx, "ended_courses", since=since, posted_since=since - YEAR_SECONDS)


def find_participant(tx: Transaction, card_id: str, principal: Principal) -> Participant | None:
    """Return a person's enrollment by a card, unless they have left."""
    found = PARTICIPANTS.one(tx, card_id=card_id, principal=principal)
    has_left = found is not None and found.withdrawn_at is not None and found.workspace_id is None
    return None if has_left else found


@prioritize(Priority.STEADY)
def count_members(tx: Transaction, card_id: str) -> ClassCounts:
    """Count a card's members by their states in the lesson that is on or comes next."""
    rows = _query_members(tx, "class_counts", card_id)
    return ClassCounts(**rows[0]) if rows else ClassCounts()


def _query_members(tx: Transaction, query: str, card_id: str, **more: Any) -> list[Row]:
    """Return the rows of a query over ``{in_lesson}``: the lesson of a card that is on or comes next."""
    card, now = find_card(tx, card_id), tx.now()
    if card is None:
        return []
    found = timetable.find_lesson(card, now) or Occurrence(
        NEVER_DUE_AT, "start", "", NEVER_DUE_AT, NEVER_DUE_AT
    )
    day = found.local[:10]
    # Whoever agreed to any lessons agreed to those that are moved.
    weekday = DAYS[card.day(found.at).weekday()] if day and day not in card.moved else ""
    of: Row = {"card_id": card.id, "connection": card.connection, "state": card.state}
    of |= {"day": day, "weekday": weekday, "local": found.local, "begins": found.at, "since": found.due_at}
    return tx.all(query, **of, is_on=found.due_at <= now, **more)


@prioritize(Priority.STEADY)
def read_shown_counts(tx: Transaction, card_id: str) -> ClassCounts:
    """Return the counts that a card shows; count its members if it has none yet."""
    row = CLASS_CARDS.row(tx, id=card_id)
    numbers = from_json(row["counted"] or "[]") if row else []
    # An earlier release counted other things.
    is_whole = len(numbers) == len(ClassCounts.__slots__)
    return ClassCounts(*numbers) if is_whole else count_members(tx, card_id)


def list_failed_starts(tx: Transaction, card_id: str, begins: float) -> list[tuple[CourseRule, Operation]]:
    """Return the rules of a course whose starts for a lesson have failed, each with that start."""
    found = []
    for row in tx.all("failed_starts", card_id=card_id, begins=begins):
        failed = operations.find_operation(tx, row["failed_start"])
        found += [(COURSE_RULES.parse(row), failed)] if failed is not None else []
    return found


def count_late_starts(tx: Transaction, card_id: str, late_at: float) -> Row:
    """Count the starts of the lesson that is on which were sent late, and those that weren't in time."""
    rows = _query_members(tx, "count_late_starts", card_id, late_at=late_at)
    return rows[0] if rows else {"late": 0, "missed": 0}


@prioritize(Priority.STEADY)
def list_problems(tx: Transaction, card_id: str, limit: int = 100) -> list[ClassProblem]:
    """Return the members not ready yet, in the order of their enrollment."""
    return [_parse_member(tx, row) for row in _query_members(tx, "class_problems", card_id, limit=limit)]


@prioritize(Priority.STEADY)
def find_member(tx: Transaction, card_id: str, principal: Principal) -> ClassProblem | None:
    """Return one member's state in the current or next lesson."""
    rows = _query_members(tx, "member_of", card_id, principal=principal.key)
    return _parse_member(tx, rows[0]) if rows else None


def list_members_not_ready(
    tx: Transaction, card: ClassCard, joined_by: float
) -> list[tuple[Principal, MemberState]]:
    """Return members without a workspace for the next lesson and not notified yet, who had joined by a time.

    Of a template, these are all for whom nothing has begun: somebody may not have it any more.
    """
    rows = _query_members(tx, "members_unserved", card.id, joined_by=joined_by, is_made=card.spec is not None)
    return [(Principal.from_key(row["principal"]), row["state"]) for row in rows]


def _parse_member(tx: Transaction, row: Row) -> ClassProblem:
    press = PARTICIPANTS.parse(row)
    operation = operations.find_operation(tx, row["newest"]) if row["newest"] else None
    workspace = workspaces.find_workspace(tx, press.workspace_id) if press.workspace_id else None
    return ClassProblem(press, operation, workspace, row["state"], row["paused"] or "")


CLASS_CARD_QUEUE: Final = declare_queue(
    Queue(
        name="class_cards",
        kind="class",
        is_scheduled=True,
        table="class_cards",
        due="next_check_at",
        where="done_at IS NULL",
    )
)
#: Courses that have changed since all members' rules followed.
MEMBER_QUEUE: Final = declare_queue(
    Queue(
        name="followed_courses",
        kind="members",
        is_scheduled=True,
        table="class_cards",
        due="fan_out_at",
    )
)


def claim_class_cards(tx: Transaction, limit: int, rest: float) -> list[ClassCard]:
    """Lease the cards whose counts or end are due, for ``rest`` seconds."""
    return CLASS_CARDS.parse_all(CLASS_CARD_QUEUE.take(tx, rest, limit))


def claim_changed_courses(tx: Transaction, lease: float) -> list[ClassCard]:
    """Lease one course whose members follow it: a person who types waits for one batch."""
    return CLASS_CARDS.parse_all(MEMBER_QUEUE.take(tx, lease, 1))


def update_counts(
    tx: Transaction,
    card_id: str,
    counts: ClassCounts,
    *,
    rest: float,
    longest: float,
    lesson_at: float | None = None,
) -> None:
    """Mark the card dirty if its counts differ from those shown; set when to look at it again.

    While anything is in progress that is after ``rest`` seconds, or later if nothing has changed for long
    (at most ``longest``); otherwise when the class ends, for a lesson (``lesson_at``), or when somebody
    presses.
    """
    row = CLASS_CARDS.row(tx, id=card_id)
    if row is None:
        return
    now, numbers = tx.now(), as_json([getattr(counts, name) for name in ClassCounts.__slots__])
    has_changed = numbers != row["counted"]
    since = 0.0 if has_changed else now - row["changed_at"]
    looks = (
        [now + max(rest, min(since * _RECHECK_SHARE, longest))] if counts.starting or counts.stopping else []
    )
    if lesson_at is not None:
        looks.append(lesson_at)
    elif row["stops_at"] is not None:
        ends = (row["stops_at"] - CLASS_WARNING_SECONDS, row["stops_at"])
        looks.append(next((at for at in ends if at > now), now + rest))
    if row["next_check_at"] <= now:
        # Somebody pressed since these were counted.
        looks.append(now + rest)
    seen = {"counted": numbers, "behind": counts.behind, "next_check_at": min(looks, default=NEVER_DUE_AT)}
    tx.run("class_counted", id=card_id, now=now, **seen)
    if has_changed:
        cards.queue_messages(tx, card_id, changed=True)


def list_enrollments_to_stop(tx: Transaction, card_id: str, stops_at: float, limit: int) -> list[Participant]:
    """Return enrollments with consent to the coming end of a class, and without a timer for it.

    One for a later end, of which nobody was warned yet, counts as none.
    """
    return PARTICIPANTS.query(tx, "presses_to_end", card_id=card_id, stops_at=stops_at, limit=limit)


@prioritize(Priority.STEADY)
def find_class_of_stop(tx: Transaction, operation_id: str) -> ClassCard | None:
    """Return the card whose end caused a stop."""
    return CLASS_CARDS.first(tx, "class_of_stop", operation_id=operation_id)


def merge(tx: Transaction, former: str, workspace_id: str) -> None:
    """Move the places of a workspace in classes to the row that it is merged into."""
    PARTICIPANTS.change(tx, {"workspace_id": former}, workspace_id=workspace_id)


def withdraw(tx: Transaction, card_id: str, principal_key: str) -> None:
    """Withdraw a person's consent to the end of a class."""
    tx.run("withdraw_consent", card_id=card_id, principal=principal_key, now=tx.now())
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=MIN_COUNT_SECONDS)


def find_agreed_at(tx: Transaction, workspace_id: str) -> float:
    """Return the time at which a workspace's person last agreed to its end by a class."""
    joined = PARTICIPANTS.all(tx, workspace_id=workspace_id)
    return max((one.consented_at or 0.0 for one in joined), default=0.0)


def notify(
    tx: Transaction, card: ClassCard, kind: AnyKind, occasion: str, body: Row, to: Collection[str]
) -> None:
    """Notify people, by their keys, about a card."""
    every = [(f"{occasion}:{key}", Principal.from_key(key)) for key in sorted(to)]
    add_notices(tx, [NewNotice(card.id, kind, once, one, body) for once, one in every])


def find_waiting_texts(tx: Transaction, principal: Principal, connection: str) -> list[str]:
    """Return the texts that a person's new account carries out for the classes that they joined."""
    key = {"principal": principal.key, "connection": connection, "now": tx.now()}
    return [row["text"] for row in tx.all("waiting_presses", **key)]
