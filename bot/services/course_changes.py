"""Changes to a posted course: members leaving it, and teachers cancelling lessons or ending it.

A change takes effect immediately, but a lesson that has begun still ends as planned. Teachers can cancel
lessons and restore cancelled ones, but not add any, because the members haven't agreed to more.
"""

import math
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain import timetable
from bot.domain.courses import MIN_COUNT_SECONDS, ClassCard
from bot.services import courses as use_cases
from bot.services.caller import Caller
from bot.store import cards, timers
from bot.store import courses as store
from bot.store.planned_starts import cancel_start
from bot.store.tables import CLASS_CARDS
from bot.store.transaction import Row, Transaction
from bot.support.errors import Refused


def list_own_courses(tx: Transaction, caller: Caller) -> list[tuple[ClassCard, bool]]:
    """Return a person's current courses, ordered by next lesson.

    The result says whether the person teaches each. The result includes the courses that the person teaches
    or has joined, even if they still need a link or a workspace.
    """
    caller.check(tx, "list")
    key, now = caller.principal.key, tx.now()
    joined = {one.card_id for one in store.list_memberships(tx, caller.principal)}
    joined |= store.list_pending_courses(tx, caller.principal)
    found = [one for one in store.list_courses(tx) if key in one.teachers or one.id in joined]
    coming = {one.id: timetable.find_lesson(one, now) for one in found}
    found.sort(key=lambda one: math.inf if (next_ := coming[one.id]) is None else next_.at)
    return [(one, key in one.teachers) for one in found if not one.is_over(now)]


def list_classes(tx: Transaction, caller: Caller) -> list[tuple[ClassCard, bool]]:
    """Return the newest unfinished classes that a person teaches or administers.

    For each class, the result says whether the person teaches it.
    """
    caller.check(tx, "list")
    who, place = caller.principal, caller.context.installation
    every = store.list_taught_cards(tx, who, place.reach(who))
    found = [one for one in every if not one.is_course and one.done_at is None]
    taught = [(one, who.key in one.teachers) for one in found]
    return [(one, is_own) for one, is_own in taught if is_own or place.administers(who, one.principal)]


def leave(tx: Transaction, caller: Caller, card_id: str) -> tuple[ClassCard, str | None]:
    """Remove a person from a course. Return the course, and the id of their workspace in it, if any.

    If a lesson has begun, it still ends as planned.
    """
    caller.check(tx, "course_leave")
    card = use_cases.find_visible_card(tx, caller, card_id)
    member = store.find_participant(tx, card_id, caller.principal)
    workspace_id = None if member is None else member.workspace_id
    if caller.is_first_delivery(tx):
        if member is not None:
            cancel_start(tx, member)
        store.leave(tx, card.id, caller.principal)
        if workspace_id is not None:
            timers.decide(tx, workspace_id)
            cards.queue_messages(tx, workspace_id, changed=True)
        caller.record(tx, "class.leave", card, consent="withdrawn")
    return card, workspace_id


def leave_out(tx: Transaction, caller: Caller, card_id: str, days: Collection[str]) -> ClassCard:
    """Cancel the lessons on some days. If ``days`` is empty, restore all cancelled lessons to come.

    Raises Refused if the course is over (``course.over``), if the current lesson would change
    (``course.began``), or if no lessons would be left (``course.never``).
    """
    card, now = _require_own(tx, caller, card_id), tx.now()
    changed = replace(card, off=card.off.union(days) if days else card.list_days_over(now))
    changed = replace(changed, stops_at=timetable.get_last_end(changed))
    if changed.is_over(now):
        raise Refused("course.never")
    if changed != card and caller.is_first_delivery(tx):
        _change(tx, card, off=changed.off, stops_at=changed.stops_at)
        caller.record(tx, "class.cancel_lesson" if days else "class.restore_lesson", card)
    return changed


def end(tx: Transaction, caller: Caller, card_id: str) -> ClassCard:
    """End a course. A lesson in progress still ends as planned. Raise Refused if the course is over."""
    card, now = _require_own(tx, caller, card_id), tx.now()
    has_begun = any(one.due_at <= now for one in card.on(card.day(now)))
    last = (card.day(now) - timedelta(days=not has_begun)).isoformat()
    to: Row = {"last_day": last, "closed_at": now, "stopped_by": caller.principal.key}
    to["stops_at"] = timetable.get_last_end(replace(card, **to))
    if caller.is_first_delivery(tx):
        _change(tx, card, **to)
        caller.record(tx, "class.end", card)
    return replace(card, **to)


def _require_own(tx: Transaction, caller: Caller, card_id: str) -> ClassCard:
    card = use_cases.require_teacher(tx, caller, "class_change", card_id)
    if not card.is_course or card.is_over(tx.now()):
        raise Refused("course.over")
    return card


def _change(tx: Transaction, card: ClassCard, **to: Any) -> None:
    """Change a course. Raise Refused (``course.began``) if that would affect the current lesson."""
    on, changed = timetable.find_lesson_on(card, tx.now()), replace(card, **to)
    if on is not None and changed.on(day := card.day(on.at)) != card.on(day):
        raise Refused("course.began", course=card.title)
    CLASS_CARDS.change(tx, {"id": card.id}, **to)
    tx.run("look_at_class", id=card.id, now=tx.now(), rest=MIN_COUNT_SECONDS)
    cards.queue_messages(tx, card.id, changed=True)
