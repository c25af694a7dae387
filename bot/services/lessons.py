"""Courses after their card was posted: their members skip and leave, their teachers change the timetable.

What shall be is decided on the card's row alone. It holds at once: whoever reads a member's rule reads it as
that row says (``bot.domain.lessons.followed``). The rules' own rows follow in pieces, and so do the messages.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from bot.domain import lessons
from bot.domain.classes import REST, ClassCard, Participant
from bot.domain.hours import Rule
from bot.domain.notices import NewNotice, NoticeKind
from bot.messages.texts import classes as words
from bot.services import classes, hours
from bot.services.asked import Asked
from bot.services.due import Due
from bot.store import cards, homes, timers, workspaces
from bot.store import classes as stored
from bot.store import hours as rows
from bot.store.notices import add_notices
from bot.store.tables import CLASS_CARDS, PARTICIPANTS
from bot.store.transaction import Row, Transaction
from bot.support.errors import Refused

#: How many members follow in one transaction, which writes up to three rows of each.
SOME: Final = 30


def own(tx: Transaction, asked: Asked) -> list[tuple[ClassCard, bool]]:
    """Return a person's own courses that go on, the newest first, each with whether they teach it."""
    joined, key = {rule.card for rule in rows.rules(tx, asked.principal)}, asked.principal.key
    every = stored.courses(tx)
    return [(one, key in one.teachers) for one in every if key in one.teachers or one.id in joined]


def members(tx: Transaction, asked: Asked, card_id: str) -> list[Participant]:
    """Return who joined a course first, to who teaches it; raises Refused as ``classes.owned`` does."""
    card = classes.owned(tx, asked, "class_problems", card_id)
    return PARTICIPANTS.found(tx, "joined_first", card_id=card.id, limit=SOME)


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
        hours.replan(tx, rule, left_out)
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
    """Change fields of a course's timetable; return its card. Whoever joined follows, and is told once.

    ``what`` names the message, which is filled with what is ``said``. To ``end`` it changes its last day: a
    lesson that is on ends as planned. Raises Refused (``class.unknown``, ``policy.…``, ``course.over``,
    ``course.began``).
    """
    card, now = classes.owned(tx, asked, "class_change", card_id), tx.now()
    if not card.is_course or card.is_over(now):
        raise Refused("course.over", words.COURSE_OVER)
    if what == "end":
        last = (card.day(now) - timedelta(days=lessons.lesson_on(card, now) is None)).isoformat()
        moved = {day: times for day, times in card.moved.items() if day <= last}
        to = {"last_day": last, "moved": moved, "closed_at": now, "stopped_by": asked.principal.key}
    changed = replace(card, **to)
    changed = replace(changed, stops_at=lessons.last_end(changed))
    if changed != card and asked.is_new(tx):
        if what == "teachers":
            CLASS_CARDS.change(tx, {"id": card.id}, **to)
        else:
            _decide(tx, asked, card, {**to, "stops_at": changed.stops_at}, what, dict(said))
        asked.note(tx, f"class.{what}", card, [(card, changed)])
    return changed


def put_back(tx: Transaction, asked: Asked, row: Row, was: Row) -> None:
    """Let a course's timetable say again what it said before a change; raises Refused as ``change`` does."""
    card, former = classes.owned(tx, asked, "class_change", row["id"]), CLASS_CARDS.of(row | was)
    if card.done_at is not None:
        raise Refused("course.over", words.COURSE_OVER)
    if "trainers" in was:
        CLASS_CARDS.change(tx, {"id": card.id}, trainers=former.trainers)
        return
    what = "hours" if was.keys() - {"off", "stops_at"} else "skip" if former.off > card.off else "back"
    said = {"days": words.dates_of(days)} if (days := former.off ^ card.off) else {}
    _decide(tx, asked, card, {name: getattr(former, name) for name in was}, what, said)


def _decide(tx: Transaction, asked: Asked, card: ClassCard, to: Row, what: str, said: Row) -> None:
    """Write what shall be into the card's row alone, with the news of it for its members, who follow.

    Raises Refused (``course.began``) if that changes the lesson that is on.
    """
    changed, now, on = replace(card, **to), tx.now(), lessons.lesson_on(card, tx.now())
    if on is not None and changed.on(day := card.day(on.at)) != card.on(day):
        raise Refused("course.began", words.LESSON_ON.format(course=card.title))
    news = {"state": changed.state, "by": asked.reference, "what": what, "said": said}
    earlier = card.news if card.follow_at is not None else []
    CLASS_CARDS.change(tx, {"id": card.id}, **to, news=[*earlier, news], follow_at=now)
    tx.run("look_at_class", id=card.id, now=now, rest=REST)
    cards.owe_about(tx, card.id, changed=True)


def _follow(tx: Transaction, asked: Asked, looked: ClassCard) -> None:
    """Have some members' rules follow their course, and tell them what was decided since they were told.

    Those of a course that is over are deleted.
    """
    card = classes.seen(tx, asked, looked.id)
    found = rows.behind(tx, card, SOME)
    for rule in found:
        if card.done_at is not None:
            rows.drop(tx, rule.id)
            continue
        rows.put(tx, replace(rule, heard=card.state))
        timers.decide(tx, rule.workspace_id)
        for news in lessons.untold(card, rule.heard):
            more = sorted(card.days - rule.days), (rule.stops, rule.last_day) != (card.stops, card.last_day)
            body = {"connection": card.connection, "what": news["what"], "more": more, **news["said"]}
            occasion = f"{news['by']}:{rule.principal.key}"
            add_notices(tx, [NewNotice(card.id, NoticeKind.COURSE_CHANGED, occasion, rule.principal, body)])
            homes.want(tx, rule.principal)
    CLASS_CARDS.change(tx, {"id": card.id}, follow_at=tx.now() if len(found) == SOME else None)
    tx.run("look_at_class", id=card.id, now=tx.now(), rest=REST)


MEMBERS: Final = Due(
    name="members",
    every=0.2,
    # One course, so that whoever types waits for one piece.
    claim=lambda tx, _: CLASS_CARDS.found(tx, "claim_followed", now=tx.now(), until=tx.now() + REST),
    carry_out=_follow,
)
