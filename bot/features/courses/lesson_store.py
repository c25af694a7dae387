"""Rules of courses: the lessons of whoever has joined one, as its card has them now."""

from collections.abc import Collection, Sequence
from typing import Final

from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.stops import End
from bot.domain.timers import REST
from bot.features.courses import timetable
from bot.features.courses.model import ClassCard, ClassKind, CourseRule
from bot.features.courses.tables import CLASS_CARDS, COURSE_RULES, PARTICIPANTS
from bot.features.hours import store as hours_store
from bot.features.hours.model import Occurrence
from bot.features.hours.store import OCCURRENCES
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.tables import principal_of
from bot.store.transaction import Row, Transaction


def _follow(tx: Transaction, rules: Sequence[CourseRule]) -> list[CourseRule]:
    """Return rules as the cards of their courses say now, though they haven't been rewritten yet."""
    cards = {key: CLASS_CARDS.one(tx, id=key) for key in {rule.card for rule in rules}}
    return [timetable.followed(rule, card) if (card := cards[rule.card]) else rule for rule in rules]


def read_shared_rules(tx: Transaction, rows: Sequence[Row]) -> Sequence[CourseRule]:
    """Return the rules of courses of rows, as the courses say now."""
    return _follow(tx, COURSE_RULES.parse_all(rows))


def put_rule(tx: Transaction, new: CourseRule) -> None:
    """Add the rule of somebody who has joined a course, or replace it."""
    hours_store.put_in(tx, COURSE_RULES, new)


def lesson_rule(tx: Transaction, rule_id: str) -> CourseRule | None:
    """Return the rule of somebody who has joined a course."""
    rule = hours_store.rule(tx, rule_id)
    return rule if isinstance(rule, CourseRule) else None


def lessons_of(tx: Transaction, workspace_id: str) -> list[CourseRule]:
    """Return the rules of courses that were joined with a workspace."""
    return [rule for rule in hours_store.rules_of(tx, workspace_id) if isinstance(rule, CourseRule)]


def behind(tx: Transaction, card: ClassCard, limit: int) -> list[CourseRule]:
    """Return rules of a course that don't follow it yet, as it is now, in the order of joining."""
    now = {"state": card.state, "lead": card.lead, "is_over": card.done_at is not None}
    return _follow(tx, COURSE_RULES.query(tx, "members_behind", card=card.id, limit=limit, **now))


def own_lessons(tx: Transaction, card_id: str, principal: Principal) -> CourseRule | None:
    """Return a person's rule of a course, if they have joined it."""
    return next(iter(_follow(tx, COURSE_RULES.all(tx, card=card_id, principal=principal))), None)


def of_calendar(tx: Transaction, digest: str) -> CourseRule | None:
    """Return the rule of a course whose private calendar address has this digest."""
    return next(iter(_follow(tx, COURSE_RULES.all(tx, calendar=digest))), None)


def begin_lesson(tx: Transaction, joining: CourseRule, lesson: Occurrence, became: str) -> None:
    """Record the result of a lesson's begin for a person who joins it while it is on."""
    key: Row = {"rule_id": joining.id, "local": lesson.local, "side": "start"}
    OCCURRENCES.add_new(tx, **key, became=became, at=lesson.at)


def notify_of_lesson(tx: Transaction, rule: CourseRule, lesson: Occurrence, start: Operation | None) -> None:
    """Have a person notified when a lesson begins whether their workspace is ready.

    ``start`` is the operation that starts it, None if it is up.
    """
    if (due_in := lesson.at - tx.now()) > 0.0:
        body: Row = {"workspace": rule.workspace_id, "connection": rule.connection}
        body |= {**rule.subject, "local": lesson.local, "ends": lesson.until}
        subject = rule.workspace_id if start is None else start.id
        occasion = f"{rule.card}:{lesson.local}"
        add_notices(tx, [NewNotice(subject, ClassKind.LESSON, occasion, rule.principal, body, due_in)])


def agreed(tx: Transaction, card_id: str, days: Collection[str]) -> int:
    """Count the members who have agreed to lessons of a course on any of these weekdays."""
    rows = COURSE_RULES.rows(tx, card=card_id)
    return sum(not {*row["days"].split(), *row["agreed_days"].split()}.isdisjoint(days) for row in rows)


def leave(tx: Transaction, card_id: str, principal: Principal) -> None:
    """Let a person leave a course: their consent ends, their place is free, and that they left is known."""
    COURSE_RULES.delete(tx, card=card_id, principal=principal)
    left = {"withdrawn_at": tx.now(), "workspace_id": None, "operation_id": None, "waits_for": ""}
    PARTICIPANTS.change(tx, {"card_id": card_id, "principal": principal}, **left)
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=REST)


def leave_with(tx: Transaction, row: Row) -> None:
    """Let a person leave the course of a row."""
    if row["card"]:
        leave(tx, row["card"], principal_of(row["principal"]))


def unlink(tx: Transaction, workspace: Row) -> None:
    """Let a person leave the courses of a workspace whose account was unlinked."""
    for rule in lessons_of(tx, workspace["id"]):
        leave(tx, rule.card, rule.principal)


def find_postponed_end(tx: Transaction, workspace_id: str, end: End) -> End | None:
    """Return the end of a workspace's lesson that begins before another end."""
    return timetable.postpone(end, lessons_of(tx, workspace_id))


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
