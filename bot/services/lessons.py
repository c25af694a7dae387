"""Courses after their card was posted: their members skip and leave, their teachers change the timetable.

What somebody agreed to when they joined is theirs (``bot.domain.lessons.agreed``): a change never adds to it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain import lessons
from bot.domain.classes import REST, ClassCard
from bot.domain.hours import Rule
from bot.domain.notices import NewNotice, NoticeKind
from bot.messages.texts import classes as words
from bot.services import classes, hours
from bot.services.asked import Asked
from bot.store import cards, homes, workspaces
from bot.store import hours as rows
from bot.store.notices import add_notices
from bot.store.tables import CLASS_CARDS
from bot.store.transaction import Transaction
from bot.support.errors import Refused


def skip(tx: Transaction, asked: Asked, card_id: str, day: str) -> tuple[Rule, str]:
    """Leave a day out of a person's lessons; return their rule and the day.

    Instead of a day it may be the epoch second after which the next lesson is meant, or "" for now.
    Raises Refused (``course.not_joined``, ``course.never``).
    """
    asked.check(tx, "lesson_skip")
    rule, card = rows.own_lessons(tx, card_id, asked.principal), classes.seen(tx, asked, card_id)
    if rule is None:
        raise Refused("course.not_joined", words.NOT_JOINED.format(course=card.title))
    if "-" not in day:
        # What they have left out already is meant again by a second press; what has been started isn't.
        after = max(float(day or tx.now()), rule.settled_at)
        coming = lessons.following(replace(rule, off=card.off), after)
        if coming is None:
            raise Refused("course.never", words.NO_LESSONS_LEFT.format(course=card.title))
        day = coming.local[:10]
    if day not in rule.off and asked.is_new(tx):
        left_out = replace(rule, off=rule.off | {day})
        hours.replan(tx, workspaces.workspace(tx, rule.workspace_id), rule, left_out)
        asked.note(tx, "class.skip", card, [(rule, left_out)], day=day)
    return rule, day


def leave(tx: Transaction, asked: Asked, card_id: str) -> ClassCard:
    """Let a person leave a course, with the stop that a lesson has planned; raises Refused."""
    asked.check(tx, "course_leave")
    card, rule = classes.seen(tx, asked, card_id), rows.own_lessons(tx, card_id, asked.principal)
    if asked.is_new(tx):
        workspace = workspaces.workspace(tx, rule.workspace_id) if rule is not None else None
        if rule is not None and workspace is not None:
            hours.drop(tx, workspace, [rule])
        rows.leave(tx, card.id, asked.principal)
        asked.note(tx, "class.leave", card, consent="withdrawn")
    return card


def change(
    tx: Transaction, asked: Asked, card_id: str, what: str, said: Mapping[str, str], to: Mapping[str, Any]
) -> ClassCard:
    """Change fields of a course's timetable, and tell whoever joined once; return its card.

    ``what`` names the message, which is filled with what is ``said``. To ``end`` it changes its last day: a
    lesson that is on ends as planned. Raises Refused (``class.unknown``, ``policy.…``, ``course.over``,
    ``course.began``).
    """
    card, now = classes.owned(tx, asked, "class_change", card_id), tx.now()
    if not card.is_course or card.is_over(now):
        raise Refused("course.over", words.COURSE_OVER)
    on = lessons.lesson_on(card, now)
    if what == "end":
        last = (card.day(now) - timedelta(days=on is None)).isoformat()
        moved = {day: times for day, times in card.moved.items() if day <= last}
        to = {"last_day": last, "moved": moved, "closed_at": now, "stopped_by": asked.principal.key}
    changed = replace(card, **to)
    changed = replace(changed, stops_at=lessons.last_end(changed))
    if on is not None and changed.on(on_day := card.day(on.at)) != card.on(on_day):
        raise Refused("course.began", words.LESSON_ON.format(course=card.title))
    if changed == card or not asked.is_new(tx):
        return card
    columns = {name: getattr(changed, name) for name in (*to, "stops_at")}
    CLASS_CARDS.change(tx, {"id": card.id}, **columns)
    for rule in rows.lessons_of(tx, card.id):
        new = lessons.agreed(rule, card, changed)
        rows.put(tx, new)
        is_longer = (new.stops, new.last_day) != (changed.stops, changed.last_day)
        more = sorted(changed.days - new.days), is_longer
        body = {"connection": card.connection, "what": what, "more": more, **said}
        occasion = f"{asked.reference}:{rule.principal.key}"
        add_notices(tx, [NewNotice(card.id, NoticeKind.COURSE_CHANGED, occasion, rule.principal, body)])
        homes.want(tx, rule.principal)
    tx.run("look_at_class", id=card.id, now=now, rest=REST)
    cards.owe_about(tx, card.id, changed=True)
    asked.note(tx, f"class.{what}", card)
    return changed
