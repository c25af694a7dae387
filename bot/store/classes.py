"""Class cards: what a press does in one transaction, and what the end of a class stops."""

from bot.domain import lessons
from bot.domain.classes import ClassCard, ClassCounts, ClassProblem, Participant
from bot.domain.hours import Rule
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.timers import CLASS_WARNING_SECONDS
from bot.store import cards, operations, workspaces
from bot.store.tables import CLASS_CARDS, PARTICIPANTS, RULES
from bot.store.transaction import Transaction, as_json, from_json

#: The due time when nothing is due: a press, or ending the class, makes it due.
NEVER = 1e12
#: A card is next checked after this share of the time since its last change.
_SLOWER = 0.1
#: What brings a workspace up.
UP = frozenset({OperationVerb.START, OperationVerb.RESTART, OperationVerb.CREATE})


def class_card(tx: Transaction, card_id: str) -> ClassCard | None:
    """Return a card."""
    return CLASS_CARDS.one(tx, id=card_id)


def courses(tx: Transaction) -> list[ClassCard]:
    """Return the courses that go on, the newest first."""
    return CLASS_CARDS.found(tx, "courses")


def participant(tx: Transaction, card_id: str, principal: Principal) -> Participant | None:
    """Return a person's press of a card."""
    return PARTICIPANTS.one(tx, card_id=card_id, principal=principal)


def class_counts(tx: Transaction, card_id: str) -> ClassCounts:
    """Count a card's presses; of a course, also who is ready for the lesson that is on."""
    card, now = class_card(tx, card_id), tx.now()
    if card is not None and card.is_course:
        on = lessons.lesson_on(card, now)
        since, day = (now, "") if on is None else (on.due_at, on.local[:10])
        row = tx.one("lesson_counts", card_id=card_id, since=since, day=day, state=card.state)
    else:
        row = tx.one("class_counts", card_id=card_id)
    return ClassCounts(**row) if row else ClassCounts()


def counts_shown(tx: Transaction, card_id: str) -> ClassCounts:
    """Return what a card has counted last, whatever its members do since; count what none has yet."""
    row = CLASS_CARDS.row(tx, id=card_id)
    numbers = from_json(row["counted"] or "[]") if row else []
    # An earlier release counted other things.
    is_whole = len(numbers) == len(ClassCounts.__slots__)
    return ClassCounts(*numbers) if is_whole else class_counts(tx, card_id)


def failed_starts(tx: Transaction, card_id: str, begins: float) -> list[tuple[Rule, Operation]]:
    """Return the rules of a course whose starts for a lesson have failed, each with that start."""
    found = []
    for row in tx.all("failed_starts", card_id=card_id, begins=begins):
        failed = operations.operation(tx, row["failed_start"])
        found += [(RULES.of(row), failed)] if failed is not None else []
    return found


def class_problems(tx: Transaction, card_id: str, limit: int = 100) -> list[ClassProblem]:
    """Return who isn't ready, in the order of their presses."""
    found = []
    for row in tx.all("class_problems", card_id=card_id, limit=limit):
        one = PARTICIPANTS.of(row)
        operation = operations.operation(tx, row["newest_operation"]) if row["newest_operation"] else None
        workspace = workspaces.workspace(tx, one.workspace_id) if one.workspace_id else None
        found.append(ClassProblem(one, operation, workspace))
    return found


def claim_class_cards(tx: Transaction, limit: int, rest: float) -> list[ClassCard]:
    """Lease the cards whose counts or end are due, for ``rest`` seconds."""
    now = tx.now()
    return CLASS_CARDS.found(tx, "claim_class_cards", now=now, until=now + rest, limit=limit)


def class_counted(
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
    looks = [now + max(rest, min(since * _SLOWER, longest))] if counts.going or counts.stopping else []
    if lesson_at is not None:
        looks.append(lesson_at)
    elif row["stops_at"] is not None:
        ends = (row["stops_at"] - CLASS_WARNING_SECONDS, row["stops_at"])
        looks.append(next((at for at in ends if at > now), now + rest))
    if row["look_at"] <= now:
        # Somebody pressed since these were counted.
        looks.append(now + rest)
    seen = {"counted": numbers, "behind": counts.behind, "look_at": min(looks, default=NEVER)}
    tx.run("class_counted", id=card_id, now=now, **seen)
    if has_changed:
        cards.owe_about(tx, card_id, changed=True)


def presses_to_end(tx: Transaction, card_id: str, stops_at: float, limit: int) -> list[Participant]:
    """Return who consented to the end of a class that is still to come for them, and has no timer for it.

    One for a later end, of which nobody was warned yet, counts as none.
    """
    return PARTICIPANTS.found(tx, "presses_to_end", card_id=card_id, stops_at=stops_at, limit=limit)


def class_of_stop(tx: Transaction, operation_id: str) -> ClassCard | None:
    """Return the card whose end caused a stop."""
    return CLASS_CARDS.first(tx, "class_of_stop", operation_id=operation_id)
