"""Courses after their card was posted: members skip and leave, teachers change the timetable.

A change is decided on the card's row alone and holds at once: every reader of a member's rule reads it by
that row (``bot.features.courses.timetable.apply_timetable``). The rules' own rows follow in batches, and so
do the messages.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from bot.domain import policy
from bot.domain.notices import NewNotice
from bot.domain.timers import REST
from bot.domain.undoable_actions import RECENT_SECONDS
from bot.features.courses import lesson_store as rules
from bot.features.courses import store as stored
from bot.features.courses import texts as words
from bot.features.courses import timetable, use_cases
from bot.features.courses.message_context import load_courses
from bot.features.courses.model import (
    MIN_COUNT_SECONDS,
    ClassCard,
    ClassFacts,
    ClassKind,
    CourseRule,
    Participant,
)
from bot.features.courses.tables import CLASS_CARDS, PARTICIPANTS
from bot.features.hours import store as rows
from bot.features.hours.model import group_days
from bot.messages.texts import times
from bot.services import home_sections
from bot.services.caller import Caller, run_request_hooks
from bot.services.scheduled_work import ScheduledWork
from bot.store import cards, timers, undoable_actions
from bot.store.notices import add_notices
from bot.store.transaction import Row, Transaction
from bot.support.errors import Refused

#: How many members follow in one transaction, which writes up to three rows of each.
MEMBERS_PER_TRANSACTION: Final = 30
#: News of a change is sent at once if a lesson begins within so many seconds, before it or after it.
NEAR_LESSON_SECONDS: Final = 3_600.0
#: The most changes that one message lists; of more, it has the resulting timetable alone.
MAX_CHANGES_IN_MESSAGE: Final = 5
#: The words of the audit for orders whose own word is that of what a member does for themself.
_LESSON_ACTIONS: Final = {"skip": "cancel_lesson", "back": "restore_lesson"}
policy.declare(policy.AccessRule(shows=True), "courses")


def list_own_courses(tx: Transaction, caller: Caller) -> list[tuple[ClassCard, bool]]:
    """Return a person's own courses that go on, by their next lessons, each with whether they teach it.

    An enrollment that waits for a link or a workspace counts, as it does on the card.
    """
    caller.check(tx, "list")
    mine, key = rows.list_rules_of_person(tx, caller.principal), caller.principal.key
    joined = {one.card for one in mine if isinstance(one, CourseRule)}
    joined |= stored.list_pending_courses(tx, caller.principal)
    found = [one for one in stored.list_courses(tx) if key in one.teachers or one.id in joined]
    coming = {one.id: timetable.find_lesson(one, tx.now()) for one in found}
    found.sort(key=lambda one: math.inf if (next_ := coming[one.id]) is None else next_.at)
    return [(one, key in one.teachers) for one in found if not one.is_over(tx.now())]


async def _load_home(whose: home_sections.HomeOwner) -> Sequence[ClassFacts]:
    """Load the courses that somebody teaches, then those that they have joined."""
    found = await Caller(whose.context, whose.principal).read(list_own_courses)
    return await load_courses(whose.gatherer, whose.principal, found)


home_sections.SECTION_READERS["courses"] = _load_home


def count_affected(tx: Transaction, caller: Caller, card_id: str, days: Collection[str]) -> int:
    """Count the members that would lose weekdays by a change; raises Refused as ``change`` does."""
    return rules.count_agreed(tx, use_cases.require_teacher(tx, caller, "class_change", card_id).id, days)


def list_first_members(tx: Transaction, caller: Caller, card_id: str) -> list[Participant]:
    """Return the first members of a course, to its teacher; raises Refused as ``require_teacher`` does."""
    card = use_cases.require_teacher(tx, caller, "class_problems", card_id)
    return PARTICIPANTS.query(tx, "joined_first", card_id=card.id, limit=MEMBERS_PER_TRANSACTION)


def skip(tx: Transaction, caller: Caller, card_id: str, day: str) -> tuple[CourseRule, list[str]]:
    """Leave days out of a person's lessons, separated by commas; return their rule and the days.

    Instead of a day it may be the epoch second after which the next lesson is meant, or "" for now.
    Raises Refused (``course.not_joined``, ``course.never``).
    """
    caller.check(tx, "lesson_skip")
    rule, card = (
        rules.find_own_rule(tx, card_id, caller.principal),
        use_cases.find_visible_card(tx, caller, card_id),
    )
    if rule is None:
        raise Refused("course.not_joined", words.NOT_JOINED.format(course=card.title))
    if "-" not in day:
        # What they have left out already is meant again by a second press; what has been started isn't.
        after = max(float(day or tx.now()), rule.processed_until)
        coming = timetable.find_lesson_after(replace(rule, off=card.off), after)
        if coming is None:
            raise Refused("course.never", words.NO_LESSONS_LEFT.format(course=card.title))
        day = coming.local[:10]
    days = day.split(",")
    left_out = replace(rule, off=rule.off.union(days))
    if left_out != rule and caller.is_first_delivery(tx):
        rules.put_rule(tx, left_out)
        rows.review_start(tx, rule.workspace_id, rule)
        timers.decide(tx, rule.workspace_id)
        caller.record(tx, "class.skip", card.subject, [(rule, left_out)], day=day)
    return rule, days


def cancel_skips(tx: Transaction, caller: Caller, card_id: str) -> tuple[CourseRule, list[str]]:
    """Take back the days from today on that a person skips; return their rule and the days.

    Raises Refused (``course.not_joined``).
    """
    caller.check(tx, "lesson_skip")
    card = use_cases.find_visible_card(tx, caller, card_id)
    rule = rules.find_own_rule(tx, card_id, caller.principal)
    if rule is None:
        raise Refused("course.not_joined", words.NOT_JOINED.format(course=card.title))
    days = timetable.list_days_from_today(rule, rule.skipped, tx.now())
    # What its teachers have left out by now stays out.
    remaining = rule.skipped - frozenset(days)
    changed = replace(rule, off=remaining | card.off, course_off=card.off - remaining)
    if days and caller.is_first_delivery(tx):
        rules.put_rule(tx, changed)
        rows.review_start(tx, rule.workspace_id, rule)
        timers.decide(tx, rule.workspace_id)
        caller.record(tx, "class.unskip", card.subject, [(rule, changed)], day=",".join(days))
    return changed, days


def leave(tx: Transaction, caller: Caller, card_id: str) -> tuple[ClassCard, CourseRule | None]:
    """Remove a person from a course; return it, and their rule of it if they had joined. Raises Refused.

    What a lesson has begun ends as planned.
    """
    caller.check(tx, "course_leave")
    card, rule = (
        use_cases.find_visible_card(tx, caller, card_id),
        rules.find_own_rule(tx, card_id, caller.principal),
    )
    if caller.is_first_delivery(tx):
        rules.leave(tx, card.id, caller.principal)
        if rule is not None:
            timers.decide(tx, rule.workspace_id)
            cards.queue_messages(tx, rule.workspace_id, changed=True)
            rows.review_start(tx, rule.workspace_id, rule)
        caller.record(tx, "class.leave", card.subject, consent="withdrawn")
    return card, rule


def change(
    tx: Transaction,
    caller: Caller,
    card_id: str,
    what: str,
    said: Mapping[str, str],
    to: Mapping[str, Any],
    seen: ClassCard | None = None,
) -> ClassCard:
    """Change fields of a course's timetable; return its card. Its members follow, and are notified once.

    ``what`` names the message, which is filled with what is ``said``. To ``end`` it changes its last day: a
    lesson that is on ends as planned. Of new ``teachers`` only they are told. ``seen`` is the card from which
    the fields were worked out. Raises Refused (``class.unknown``, ``policy.…``, ``course.over``,
    ``course.began``, ``course.never``, ``course.changed``).
    """
    card, now = use_cases.require_teacher(tx, caller, "class_change", card_id), tx.now()
    if not card.is_course or card.is_over(now):
        raise Refused("course.over", words.COURSE_OVER)
    if seen is not None and any(getattr(seen, name) != getattr(card, name) for name in to):
        raise Refused("course.changed", words.CHANGED_MEANWHILE.format(course=card.title))
    if what == "end":
        to = _get_end_fields(card, now, caller.principal.key)
    changed = replace(card, **to)
    changed = replace(changed, stops_at=timetable.get_last_end(changed))
    if what != "end" and changed.is_over(now):
        raise Refused("course.never", words.NO_LESSONS)
    if changed != card and caller.is_first_delivery(tx):
        if what == "teachers":
            _change_teachers(tx, caller, card, dict(to))
        else:
            _change_timetable(tx, caller, card, {**to, "stops_at": changed.stops_at}, what, dict(said))
        action = _LESSON_ACTIONS.get(what, what)
        caller.record(tx, f"class.{action}", card.subject, [(card, changed)])
    return changed


def take_over(tx: Transaction, caller: Caller, card_id: str) -> ClassCard:
    """Make an administrator the teacher of a course without one; raises Refused (``course.taught``)."""
    card = use_cases.require_teacher(tx, caller, "class_change", card_id)
    if not card.without_teacher_until and caller.principal.key not in card.co_teachers:
        raise Refused("course.taught", words.HAS_TEACHER.format(course=card.title))
    to = {"co_teachers": card.co_teachers | {caller.principal.key}, "without_teacher_until": ""}
    return change(tx, caller, card_id, "teachers", {}, to)


def _get_end_fields(card: ClassCard, now: float, by: str) -> Row:
    """Return the fields that end a course: a lesson that is on ends as planned."""
    last = (card.day(now) - timedelta(days=timetable.find_lesson_on(card, now) is None)).isoformat()
    moved = {day: times for day, times in card.moved.items() if day <= last}
    to: Row = {"last_day": last, "moved": moved, "closed_at": now, "stopped_by": by}
    return {**to, "stops_at": timetable.get_last_end(replace(card, **to))}


def _change_teachers(tx: Transaction, caller: Caller, card: ClassCard, to: Row) -> None:
    """Write the teachers of a course, and notify the new and former ones."""
    CLASS_CARDS.change(tx, {"id": card.id}, **to)
    use_cases.notify_teachers(tx, caller, card, to["co_teachers"])


@undoable_actions.changes_back(CLASS_CARDS.name)
def put_back(tx: Transaction, caller: Caller, row: Row, was: Row) -> None:
    """Restore a course's timetable as it was before a change; raises Refused as ``change`` does."""
    card, former = (
        use_cases.require_teacher(tx, caller, "class_change", row["id"]),
        CLASS_CARDS.parse(row | was),
    )
    if card.done_at is not None:
        raise Refused("course.over", words.COURSE_OVER)
    if "co_teachers" in was:
        _change_teachers(tx, caller, card, {name: getattr(former, name) for name in was})
        return
    what = "hours" if was.keys() - {"off", "stops_at"} else "skip" if former.off > card.off else "back"
    said = describe_days_off(card, former.off) if former.off != card.off else {}
    _change_timetable(tx, caller, card, {name: getattr(former, name) for name in was}, what, said)


def describe_days_off(card: ClassCard, off: frozenset[str]) -> dict[str, str]:
    """Return the words of messages for the days of a course that are left out, or aren't any more."""
    every = replace(card, off=card.off | off)
    return {"days": times.format_dates(group_days(every, card.off ^ off))}


def _change_timetable(
    tx: Transaction, caller: Caller, card: ClassCard, to: Row, what: str, said: Row
) -> None:
    """Write a new timetable into the card's row alone, with the change of it for its members, who follow.

    While its teacher may still take it back they don't hear of it, unless a lesson is near.
    Raises Refused (``course.began``) if that changes the lesson that is on.
    """
    changed, now, on = replace(card, **to), tx.now(), timetable.find_lesson_on(card, tx.now())
    if on is not None and changed.on(day := card.day(on.at)) != card.on(day):
        raise Refused("course.began", words.LESSON_ON.format(course=card.title))
    change = {"state": changed.state, "by": caller.reference, "what": what, "said": said}
    earlier = card.timetable_changes if card.fan_out_at is not None else []
    coming = [timetable.find_lesson(one, now) for one in (card, changed)]
    soonest = min((one.at for one in coming if one is not None), default=now)
    fan_out_at = now if soonest - now <= NEAR_LESSON_SECONDS else now + RECENT_SECONDS
    CLASS_CARDS.change(tx, {"id": card.id}, **to, timetable_changes=[*earlier, change], fan_out_at=fan_out_at)
    tx.run("look_at_class", id=card.id, now=now, rest=MIN_COUNT_SECONDS)
    cards.queue_messages(tx, card.id, changed=True)


def _check_teachers(tx: Transaction, caller: Caller, card: ClassCard) -> ClassCard:
    """Act on a course whose teachers have all gone; return its card."""
    now, coming = tx.now(), timetable.find_lesson(card, tx.now())
    match use_cases.decide_about_teachers(tx, caller.context, card):
        case "ask" if coming is not None:
            last = date.fromisoformat(coming.local[:10]) + timedelta(
                days=timetable.GRACE_DAYS_WITHOUT_TEACHER
            )
            CLASS_CARDS.change(tx, {"id": card.id}, without_teacher_until=last.isoformat())
            place, kind = caller.context.installation, ClassKind.COURSE_WITHOUT_TEACHER
            for one in place.filter_administrators(lambda one: place.are_together(one, card.principal)):
                occasion, body = f"{caller.reference}:{one.key}", {"connection": card.connection}
                add_notices(tx, [NewNotice(card.id, kind, occasion, one, body)])
        case "end":
            _change_timetable(tx, caller, card, _get_end_fields(card, now, card.principal.key), "end", {})
            caller.record(tx, "class.end", card.subject, None, because="without_teacher")
        case "keep":
            CLASS_CARDS.change(tx, {"id": card.id}, without_teacher_until="")
        case _:
            return card
    return use_cases.find_visible_card(tx, caller, card.id)


def _update_members(tx: Transaction, caller: Caller, looked: ClassCard) -> None:
    """Make some members' rules follow their course, and notify them of the changes since then.

    Those of a course that is over are deleted.
    """
    card = _check_teachers(tx, caller, use_cases.find_visible_card(tx, caller, looked.id))
    found = rules.list_rules_behind(tx, card, MEMBERS_PER_TRANSACTION)
    for rule in found:
        if card.done_at is not None:
            rows.delete_rule(tx, rule.id)
            rows.review_start(tx, rule.workspace_id, rule)
            continue
        rules.put_rule(tx, replace(rule, notified_state=card.state))
        rows.review_start(tx, rule.workspace_id, rule)
        timers.decide(tx, rule.workspace_id)
        if changes := timetable.list_unsent_changes(card, rule.notified_state):
            _notify_member(tx, card, rule, changes)
    CLASS_CARDS.change(
        tx, {"id": card.id}, fan_out_at=tx.now() if len(found) == MEMBERS_PER_TRANSACTION else None
    )
    tx.run("look_at_class", id=card.id, now=tx.now(), rest=MIN_COUNT_SECONDS)


def _has_all_changes(card: ClassCard, changes: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether changes are few, and none of them was taken back or changed by a later one."""
    moved = [one["said"]["to"] for one in changes if "to" in one["said"]]
    holds = len(set(moved)) == len(moved) and set(moved) <= card.moved.keys() - card.off
    return (
        holds
        and not {"skip", "back"} <= {one["what"] for one in changes}
        and len(changes) <= MAX_CHANGES_IN_MESSAGE
    )


def _notify_member(
    tx: Transaction, card: ClassCard, rule: CourseRule, changes: Sequence[Mapping[str, Any]]
) -> None:
    """Notify a member of each change to their course, or of the result alone (``_has_all_changes``)."""
    last, more = changes[-1], (list[str](), False)
    if "hours" in {one["what"] for one in changes}:
        more = sorted(card.days - rule.days), (rule.stops, rule.last_day) != (card.stops, card.last_day)
    is_one = len(changes) == 1 or last["what"] == "end"
    each = changes if not is_one and _has_all_changes(card, changes) else []
    body = {"what": last["what"], **last["said"]} if is_one else {"what": "several"}
    body |= {"changes": [{"what": one["what"], **one["said"]} for one in each]} if each else {}
    body |= {"connection": card.connection, "more": more}
    occasion = f"{last['by']}:{rule.principal.key}"
    add_notices(tx, [NewNotice(card.id, ClassKind.COURSE_CHANGED, occasion, rule.principal, body)])
    cards.queue_for_reader(tx, card.id, rule.principal)
    run_request_hooks(tx, rule.principal)


MEMBER_WORK: Final = ScheduledWork(
    name="members",
    order=20,
    claim=lambda tx, _: stored.claim_changed_courses(tx, REST),
    carry_out=_update_members,
)
