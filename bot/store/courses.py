"""The database rows of classes and courses: their cards and their members."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from bot.domain import timetable
from bot.domain.begun_hours import RETRY_SECONDS, tries_again
from bot.domain.courses import (
    MIN_COUNT_SECONDS,
    ClassCard,
    ClassCounts,
    ClassProblem,
    MemberState,
    Participant,
)
from bot.domain.hours import Occurrence
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.timers import CLASS_WARNING_SECONDS
from bot.store import cards
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.tables import CLASS_CARDS, OPERATIONS, PARTICIPANTS, WORKSPACES
from bot.store.transaction import Priority, Row, Transaction, as_json, from_json, prioritize

#: Due time of a card that needs no work until someone presses one of its buttons or ends the class.
NEVER_DUE_AT = 1e12
#: Maximum number of cards to search when listing the classes that a person may teach.
MAX_TAUGHT_CARDS: Final = 500
#: The time until a card is checked again, as a fraction of the time since it last changed.
_RECHECK_SHARE = 0.1


def find_card(tx: Transaction, card_id: str) -> ClassCard | None:
    """Return the card of a class or course."""
    return CLASS_CARDS.one(tx, id=card_id)


def list_taught_cards(tx: Transaction, principal: Principal, reach: str | None) -> list[ClassCard]:
    """Return the newest cards of classes that a person may teach.

    These are the person's own cards, those that name them as a co-teacher and, if ``reach`` is given, all
    cards of people whose keys start with it.
    """
    return CLASS_CARDS.query(tx, "taught_cards", principal=principal.key, reach=reach, limit=MAX_TAUGHT_CARDS)


def list_members(tx: Transaction, card_id: str) -> list[Participant]:
    """Return everyone who has joined a class or course, including those who have since left."""
    return PARTICIPANTS.all(tx, card_id=card_id)


def list_courses(tx: Transaction) -> list[ClassCard]:
    """Return the current and future courses, newest first."""
    return CLASS_CARDS.query(tx, "courses")


def list_pending_courses(tx: Transaction, principal: Principal) -> frozenset[str]:
    """Return the ids of courses that a person has joined but has no account or workspace for yet."""
    return frozenset(row["id"] for row in tx.all("pending_courses", principal=principal.key))


def find_participant(tx: Transaction, card_id: str, principal: Principal) -> Participant | None:
    """Return a person's enrollment in a class or course, unless they have left."""
    found = PARTICIPANTS.one(tx, card_id=card_id, principal=principal)
    has_left = found is not None and found.withdrawn_at is not None and found.workspace_id is None
    return None if has_left else found


@prioritize(Priority.STEADY)
def count_members(tx: Transaction, card_id: str) -> ClassCounts:
    """Count a card's members in each state of the current or next lesson."""
    rows = _query_members(tx, "class_counts", card_id)
    return ClassCounts(**rows[0]) if rows else ClassCounts()


def _query_members(tx: Transaction, query: str, card_id: str, **more: Any) -> list[Row]:
    """Run a query that contains ``{in_lesson}``, filled in with a card's current or next lesson."""
    card, now = find_card(tx, card_id), tx.now()
    if card is None:
        return []
    found = timetable.find_lesson(card, now) or Occurrence(
        NEVER_DUE_AT, "start", "", NEVER_DUE_AT, NEVER_DUE_AT
    )
    of: Row = {"card_id": card.id, "connection": card.connection}
    of |= {"local": found.local, "begins": found.at, "since": found.due_at}
    return tx.all(query, **of, is_on=found.due_at <= now, **more)


@prioritize(Priority.STEADY)
def read_shown_counts(tx: Transaction, card_id: str) -> ClassCounts:
    """Return the counts shown on a card. If it doesn't show any yet, count its members."""
    row = CLASS_CARDS.row(tx, id=card_id)
    numbers = from_json(row["counted"] or "[]") if row else []
    # Counts saved by an earlier release may have different fields. If so, count again.
    is_whole = len(numbers) == len(ClassCounts.__slots__)
    return ClassCounts(*numbers) if is_whole else count_members(tx, card_id)


@prioritize(Priority.STEADY)
def list_problems(tx: Transaction, card_id: str) -> list[ClassProblem]:
    """Return the first 100 members who aren't ready yet, in the order in which they enrolled."""
    return [_parse_member(tx, row) for row in _query_members(tx, "class_problems", card_id, limit=100)]


@prioritize(Priority.STEADY)
def find_member(tx: Transaction, card_id: str, principal: Principal) -> ClassProblem | None:
    """Return one member's state in the current or next lesson."""
    rows = _query_members(tx, "member_of", card_id, principal=principal.key)
    return _parse_member(tx, rows[0]) if rows else None


def list_members_not_ready(
    tx: Transaction, card: ClassCard, joined_by: float
) -> list[tuple[Principal, MemberState]]:
    """Return members who won't have a workspace in the lesson and haven't been notified yet.

    Members who joined after ``joined_by`` are left out. If the card creates workspaces from a template, all
    members for whom no start has begun are included, because some may no longer be allowed to use it.
    """
    rows = _query_members(tx, "members_unserved", card.id, joined_by=joined_by, is_made=card.spec is not None)
    return [(Principal.from_key(row["principal"]), row["state"]) for row in rows]


def _parse_member(tx: Transaction, row: Row) -> ClassProblem:
    press = PARTICIPANTS.parse(row)
    operation = OPERATIONS.one(tx, id=row["newest"]) if row["newest"] else None
    workspace = WORKSPACES.one(tx, id=press.workspace_id) if press.workspace_id else None
    return ClassProblem(press, operation, workspace, row["state"])


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


def update_counts(
    tx: Transaction,
    card_id: str,
    counts: ClassCounts,
    *,
    rest: float,
    longest: float,
    lesson_at: float | None = None,
) -> None:
    """Mark a card as dirty if it shows different counts, and schedule the next count.

    While workspaces are starting or stopping, members are counted again after ``rest`` seconds. The longer
    nothing changes, the longer the interval becomes, up to ``longest``. At other times, they are counted
    again when the class ends, at ``lesson_at``, or when someone next presses a button.
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
        # Someone has pressed the card's button since the last count.
        looks.append(now + rest)
    seen = {"counted": numbers, "next_check_at": min(looks, default=NEVER_DUE_AT)}
    tx.run("class_counted", id=card_id, now=now, **seen)
    if has_changed:
        cards.queue_messages(tx, card_id, changed=True)


def list_enrollments_to_stop(tx: Transaction, card_id: str, stops_at: float, limit: int) -> list[Participant]:
    """Return the enrollments in a class whose workspaces still need a timer for the end of the class.

    Only members who agreed to that end are included. A timer for a later time doesn't count unless a warning
    was written for it.
    """
    return PARTICIPANTS.query(tx, "presses_to_end", card_id=card_id, stops_at=stops_at, limit=limit)


@prioritize(Priority.STEADY)
def find_class_of_stop(tx: Transaction, operation_id: str) -> ClassCard | None:
    """Return the card of the class whose end led to a stop."""
    return CLASS_CARDS.first(tx, "class_of_stop", operation_id=operation_id)


def withdraw(tx: Transaction, card_id: str, principal_key: str) -> None:
    """Record that a person no longer consents to the stop of their workspace at the end of a class."""
    tx.run("withdraw_consent", card_id=card_id, principal=principal_key, now=tx.now())
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=MIN_COUNT_SECONDS)


def notify(
    tx: Transaction, card: ClassCard, kind: NoticeKind, occasion: str, body: Row, to: Collection[str]
) -> None:
    """Write a notice about a card to each person whose key is in ``to``."""
    every = [(f"{occasion}:{key}", Principal.from_key(key)) for key in sorted(to)]
    add_notices(tx, [NewNotice(card.id, kind, once, one, body) for once, one in every])


def find_waiting_texts(tx: Transaction, principal: Principal, connection: str) -> list[str]:
    """Return the commands that will run once a person links an account, one per class card pressed."""
    key = {"principal": principal.key, "connection": connection, "now": tx.now()}
    return [row["text"] for row in tx.all("waiting_presses", **key)]


# -- lessons -------------------------------------------------------------------------------------------------


LESSON_QUEUE: Final = declare_queue(
    Queue(
        name="lessons",
        kind="lessons",
        is_scheduled=True,
        table="participants",
        due="due_at",
        order="due_at, joined_at, id",
    )
)


def claim_lessons(tx: Transaction, limit: int, lease: float) -> list[Participant]:
    """Claim members for whom a lesson is due, in the order in which they joined."""
    return sorted(PARTICIPANTS.parse_all(LESSON_QUEUE.take(tx, lease, limit)), key=lambda one: one.joined_at)


def list_memberships(tx: Transaction, principal: Principal) -> list[Participant]:
    """Return a person's enrollments in current courses, except those without a workspace."""
    return PARTICIPANTS.query(tx, "memberships", principal=principal.key)


def find_member_of_start(tx: Transaction, start: Operation) -> Participant | None:
    """Return the member whose lesson requested this start."""
    return PARTICIPANTS.one(tx, workspace_id=start.workspace_id, operation_id=start.id)


def open_lesson(tx: Transaction, card: ClassCard, lesson: Occurrence, limit: int) -> int:
    """Make a lesson due for some members who haven't begun it yet. Return how many there were.

    Members are chosen in the order in which they joined. Those who joined after the lesson's end are left
    out.
    """
    given = {"local": lesson.local, "until": lesson.until, "now": tx.now(), "limit": limit}
    return len(tx.all("open_lesson", card_id=card.id, **given))


def close_lesson(tx: Transaction, member: Participant, lesson: Occurrence | None) -> None:
    """Record that nothing more has to be started for a member in this lesson."""
    closed: Row = {} if lesson is None else {"lesson": lesson.local, "is_ready": False}
    _change_member(tx, member, due_at=None, **closed)


def check_again(tx: Transaction, member: Participant, seconds: float, **to: Any) -> None:
    """Make a member's lesson due again after a number of seconds."""
    _change_member(tx, member, due_at=tx.now() + seconds, **to)


def begin_lesson(tx: Transaction, member: Participant, lesson: Occurrence, start: Operation | None) -> None:
    """Record that a member's lesson has begun, with the operation, if any, that starts their workspace."""
    begun: Row = {"lesson": lesson.local, "operation_id": None if start is None else start.id}
    begun |= {"is_ready": start is None, "ended_at": None, "stop_operation_id": None, "due_at": None}
    _change_member(tx, member, **begun)


def leave(tx: Transaction, card_id: str, principal: Principal) -> None:
    """Record that a person has left a course. Their consent ends, and their place becomes free."""
    left = {
        "withdrawn_at": tx.now(),
        "workspace_id": None,
        "operation_id": None,
        "waits_for": "",
        "due_at": None,
    }
    PARTICIPANTS.change(tx, {"card_id": card_id, "principal": principal}, **left)
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=MIN_COUNT_SECONDS)


def list_courses_of_workspace(tx: Transaction, workspace_id: str) -> list[ClassCard]:
    """Return the courses in which a workspace is used."""
    joined = (find_card(tx, one.card_id) for one in PARTICIPANTS.all(tx, workspace_id=workspace_id))
    return [card for card in joined if card is not None and card.is_course]


def leave_with(tx: Transaction, workspace: Row) -> None:
    """End a person's consent to classes and courses that use a workspace, because its account was unlinked.

    They leave its courses. For classes, they stay on the card, which asks them to link again.
    """
    courses = {one.id for one in list_courses_of_workspace(tx, workspace["id"])}
    for member in PARTICIPANTS.all(tx, workspace_id=workspace["id"]):
        if member.card_id in courses:
            leave(tx, member.card_id, member.principal)
        elif member.withdrawn_at is None:
            _change_member(tx, member, withdrawn_at=tx.now())
            tx.run("look_at_class", id=member.card_id, now=tx.now(), rest=MIN_COUNT_SECONDS)


def _change_member(tx: Transaction, member: Participant, **to: Any) -> None:
    PARTICIPANTS.change(tx, {"card_id": member.card_id, "principal": member.principal}, **to)


def follow_start(tx: Transaction, ended: Operation, pending: Sequence[NewNotice]) -> Sequence[NewNotice]:
    """Retry a lesson's failed start if its cause may be temporary. Otherwise, return the notices to send."""
    member = find_member_of_start(tx, ended)
    card = None if member is None else find_card(tx, member.card_id)
    lesson = None if card is None else timetable.find_lesson_on(card, tx.now())
    if member is None or card is None or lesson is None or lesson.at != ended.planned_for:
        return pending
    if not tries_again(ended, lesson, tx.now(), is_own=False):
        return pending
    last = timetable.find_last_lesson(card, tx.now())
    check_again(tx, member, RETRY_SECONDS, lesson="" if last is None else last.local)
    return ()
