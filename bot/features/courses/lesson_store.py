"""The rules of courses: the lessons of their members, as the cards have them now."""

from collections.abc import Collection, Sequence
from typing import Final

from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.stops import PlannedStop
from bot.features.courses import timetable
from bot.features.courses.model import MIN_COUNT_SECONDS, ClassCard, ClassKind, CourseRule
from bot.features.courses.tables import CLASS_CARDS, COURSE_RULES, PARTICIPANTS
from bot.features.hours import store as hours_store
from bot.features.hours.model import Occurrence
from bot.features.hours.store import OCCURRENCES
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.tables import parse_principal
from bot.store.transaction import Row, Transaction


def _apply_timetables(tx: Transaction, rules: Sequence[CourseRule]) -> list[CourseRule]:
    """Return rules as the cards of their courses are now, though they haven't been rewritten yet."""
    cards = {key: CLASS_CARDS.one(tx, id=key) for key in {rule.card for rule in rules}}
    return [timetable.apply_timetable(rule, card) if (card := cards[rule.card]) else rule for rule in rules]


def read_shared_rules(tx: Transaction, rows: Sequence[Row]) -> Sequence[CourseRule]:
    """Return the rules of courses of rows, by the present timetables."""
    return _apply_timetables(tx, COURSE_RULES.parse_all(rows))


def put_rule(tx: Transaction, new: CourseRule) -> None:
    """Add the rule of a course's member, or replace it."""
    hours_store.save_rule_in(tx, COURSE_RULES, new)


def find_course_rule(tx: Transaction, rule_id: str) -> CourseRule | None:
    """Return the rule of a course's member."""
    rule = hours_store.find_rule(tx, rule_id)
    return rule if isinstance(rule, CourseRule) else None


def list_course_rules(tx: Transaction, workspace_id: str) -> list[CourseRule]:
    """Return the rules of courses that were joined with a workspace."""
    return [rule for rule in hours_store.list_rules(tx, workspace_id) if isinstance(rule, CourseRule)]


def list_rules_behind(tx: Transaction, card: ClassCard, limit: int) -> list[CourseRule]:
    """Return rules of a course that don't follow its present timetable yet, in the order of joining."""
    now = {"state": card.state, "lead_seconds": card.lead_seconds, "is_over": card.done_at is not None}
    return _apply_timetables(tx, COURSE_RULES.query(tx, "members_behind", card=card.id, limit=limit, **now))


def find_own_rule(tx: Transaction, card_id: str, principal: Principal) -> CourseRule | None:
    """Return a person's rule of a course, if they have joined it."""
    return next(iter(_apply_timetables(tx, COURSE_RULES.all(tx, card=card_id, principal=principal))), None)


def find_rule_by_calendar(tx: Transaction, digest: str) -> CourseRule | None:
    """Return the rule of a course whose private calendar address has this digest."""
    return next(iter(_apply_timetables(tx, COURSE_RULES.all(tx, calendar=digest))), None)


def record_begin(tx: Transaction, joining: CourseRule, lesson: Occurrence, result: str) -> None:
    """Record the result of a lesson's begin for a person who joins it while it is on."""
    key: Row = {"rule_id": joining.id, "local": lesson.local, "side": "start"}
    OCCURRENCES.add_new(tx, **key, result=result, at=lesson.at)


def notify_of_lesson(tx: Transaction, rule: CourseRule, lesson: Occurrence, start: Operation | None) -> None:
    """Notify a person at a lesson's begin whether their workspace is ready.

    ``start`` is the operation that starts it, None if it is up.
    """
    if (due_in := lesson.at - tx.now()) > 0.0:
        body: Row = {"workspace": rule.workspace_id, "connection": rule.connection}
        body |= {**rule.subject, "local": lesson.local, "ends": lesson.until}
        subject = rule.workspace_id if start is None else start.id
        occasion = f"{rule.card}:{lesson.local}"
        add_notices(tx, [NewNotice(subject, ClassKind.LESSON, occasion, rule.principal, body, due_in)])


def count_agreed(tx: Transaction, card_id: str, days: Collection[str]) -> int:
    """Count the members with consent to lessons of a course on any of these weekdays."""
    rows = COURSE_RULES.rows(tx, card=card_id)
    return sum(not {*row["days"].split(), *row["agreed_days"].split()}.isdisjoint(days) for row in rows)


def leave(tx: Transaction, card_id: str, principal: Principal) -> None:
    """Delete a person's rule of a course, and note that they left: their consent ends, their seat is free."""
    COURSE_RULES.delete(tx, card=card_id, principal=principal)
    left = {"withdrawn_at": tx.now(), "workspace_id": None, "operation_id": None, "waits_for": ""}
    PARTICIPANTS.change(tx, {"card_id": card_id, "principal": principal}, **left)
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=MIN_COUNT_SECONDS)


def leave_course_of_row(tx: Transaction, row: Row) -> None:
    """Remove a person from the course of a row."""
    if row["card"]:
        leave(tx, row["card"], parse_principal(row["principal"]))


def unlink(tx: Transaction, workspace: Row) -> None:
    """Remove a person from the courses of a workspace whose account was unlinked."""
    for rule in list_course_rules(tx, workspace["id"]):
        leave(tx, rule.card, rule.principal)


def find_postponed_end(tx: Transaction, workspace_id: str, end: PlannedStop) -> PlannedStop | None:
    """Return the end of a workspace's lesson that begins before another end."""
    return timetable.postpone(end, list_course_rules(tx, workspace_id))


LESSON_QUEUE: Final = declare_queue(
    Queue(
        name="lessons",
        kind="lessons",
        is_scheduled=True,
        table="rules",
        due="lesson_check_at",
        order="lesson_check_at, id",
    )
)


def claim_lessons(tx: Transaction, limit: int, lease: float) -> list[CourseRule]:
    """Return the rules of courses that are due, the oldest first; they come again after ``lease`` seconds."""
    return hours_store.sort_due(tx, read_shared_rules(tx, LESSON_QUEUE.take(tx, lease, limit)))
