"""Rules of working hours, when they are looked at next, and what became of each start and stop."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain.classes import ClassCard, ClassKind
from bot.domain.ends import that_counts
from bot.domain.errands import Outcome
from bot.domain.hours import HORIZON, HoursKind, Occurrence, Rule
from bot.domain.lead import AGAIN, tries_again
from bot.domain.lessons import followed
from bot.domain.moments import EVERY_DAY
from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.domain.people import Person, Principal
from bot.domain.stops import End
from bot.domain.timers import REST
from bot.domain.workspaces import Workspace
from bot.store import operations, pieces, timers
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.tables import OPERATIONS, WORKSPACES, principal_of
from bot.store.timetables import CLASS_CARDS, OCCURRENCES, PARTICIPANTS, RULES
from bot.store.transaction import Row, Transaction

DAY_SECONDS: Final = 86_400.0
#: Why a rule is paused that goes on once its person has linked again.
OF_LINK = frozenset({"unlinked", "refused"})


def of_courses(tx: Transaction, found: Sequence[Rule]) -> list[Rule]:
    """Return rules with those of courses as their cards say now, though they haven't been rewritten yet."""
    known = {card: CLASS_CARDS.one(tx, id=card) for card in {one.card for one in found} if card}
    return [followed(one, card) if (card := known.get(one.card or "")) else one for one in found]


def rule(tx: Transaction, rule_id: str) -> Rule | None:
    """Return a rule."""
    return next(iter(of_courses(tx, RULES.all(tx, id=rule_id))), None)


def rules_of(tx: Transaction, workspace_id: str) -> list[Rule]:
    """Return a workspace's rules."""
    return of_courses(tx, RULES.all(tx, "id", workspace_id=workspace_id))


def _that_counts(tx: Transaction, workspace_id: str, ends: Sequence[End]) -> End | None:
    rules = [one for one in rules_of(tx, workspace_id) if not one.paused]
    joined = PARTICIPANTS.all(tx, workspace_id=workspace_id)
    return that_counts(ends, rules, max((one.consented_at or 0.0 for one in joined), default=0.0))


timers.know(_that_counts)


def rules(tx: Transaction, principal: Principal) -> list[Rule]:
    """Return a person's rules, by workspace."""
    return of_courses(tx, RULES.all(tx, "workspace_id, id", principal=principal))


def find_planned_stop(tx: Transaction, workspace: Workspace) -> tuple[float, bool] | None:
    """Return when hours stop a workspace next, and whether its person agreed that this ends it for good."""
    found = [(one.next_stop(tx.now()), one.agreed) for one in rules_of(tx, workspace.id) if not one.card]
    return min(((at, agreed) for at, agreed in found if at is not None), default=None)


def put(tx: Transaction, new: Rule) -> None:
    """Add a rule, or replace it."""
    RULES.put(tx, new, **_looks(new, _look_at(new, new.settled_at)))


def drop(tx: Transaction, rule_id: str) -> None:
    """Delete a rule."""
    RULES.delete(tx, id=rule_id)


def behind(tx: Transaction, card: ClassCard, limit: int) -> list[Rule]:
    """Return rules of a course that don't follow it yet, as it is now, in the order of joining."""
    now = {"state": card.state, "lead": card.lead, "is_over": card.done_at is not None}
    return of_courses(tx, RULES.found(tx, "members_behind", card=card.id, limit=limit, **now))


def own_lessons(tx: Transaction, card_id: str, principal: Principal) -> Rule | None:
    """Return a person's rule of a course, if they have joined it."""
    return next(iter(of_courses(tx, RULES.all(tx, card=card_id, principal=principal))), None)


def of_calendar(tx: Transaction, digest: str) -> Rule | None:
    """Return the rule of a course whose private calendar address has this digest."""
    return next(iter(of_courses(tx, RULES.all(tx, calendar=digest))), None)


def became(tx: Transaction, looked: Rule, one: Occurrence) -> str:
    """Return what became of a start or stop, "" if nothing has yet."""
    row = OCCURRENCES.row(tx, rule_id=looked.id, local=one.local, side=one.side)
    return "" if row is None else str(row["became"])


def begin_lesson(tx: Transaction, joining: Rule, lesson: Occurrence, became: str) -> None:
    """Note what became of the begin of a lesson that somebody joins while it is on."""
    key: Row = {"rule_id": joining.id, "local": lesson.local, "side": "start"}
    OCCURRENCES.add_new(tx, **key, became=became, at=lesson.at)


def tell_of_lesson(tx: Transaction, rule: Rule, lesson: Occurrence, start: Operation | None) -> None:
    """Have a person told when a lesson begins whether their workspace is ready.

    ``start`` is the operation that starts it, None if it is up.
    """
    if (due_in := lesson.at - tx.now()) > 0.0:
        body: Row = {"workspace": rule.workspace_id, "connection": rule.connection}
        body |= {"card": rule.card, "course": rule.course, "local": lesson.local, "ends": lesson.until}
        subject = rule.workspace_id if start is None else start.id
        occasion = f"{rule.card}:{lesson.local}"
        add_notices(tx, [NewNotice(subject, ClassKind.LESSON, occasion, rule.principal, body, due_in)])


def agreed(tx: Transaction, card_id: str, days: Collection[str]) -> int:
    """Count who has agreed to lessons of a course on any of these weekdays."""
    every = [f"{row['days']} {row['agreed_days']}".split() for row in RULES.rows(tx, card=card_id)]
    return sum(not one.isdisjoint(days) for one in map(frozenset, every))


def leave(tx: Transaction, card_id: str, principal: Principal) -> None:
    """Let a person leave a course: their consent ends, their place is free, and that they left is known."""
    RULES.delete(tx, card=card_id, principal=principal)
    left = {"withdrawn_at": tx.now(), "workspace_id": None, "operation_id": None, "waits_for": ""}
    PARTICIPANTS.change(tx, {"card_id": card_id, "principal": principal}, **left)
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=REST)


def drop_all(tx: Transaction, principal: Principal) -> None:
    """Delete the rules of a person who may have none any more, and let them leave their courses."""
    pieces.follow(tx, "left", principal=principal.key)


def _drop(tx: Transaction, row: Row, _said: Row) -> None:
    if row["card"]:
        leave(tx, row["card"], principal_of(row["principal"]))
    RULES.delete(tx, id=row["id"])


pieces.know("left", lambda _tx, _said: True, ("some_rules_of_person", _drop))


RULE_QUEUES: Final = (
    declare_queue(
        Queue(
            name="rules",
            kind="hours",
            is_scheduled=True,
            table="rules",
            due="look_at",
            order="look_at, id",
        )
    ),
    declare_queue(
        Queue(
            name="lessons",
            kind="hours",
            is_scheduled=True,
            table="rules",
            due="lesson_look_at",
            order="lesson_look_at, id",
        )
    ),
)


def claim_hours(tx: Transaction, limit: int, lease: float) -> list[Rule]:
    """Return the rules that are due, the oldest first; they come again after ``lease`` seconds."""
    now = tx.now()
    found = [rule for queue in RULE_QUEUES for rule in RULES.known(queue.take(tx, lease, limit))]
    return sorted(of_courses(tx, found), key=lambda one: (one.due(now)[:1], one.id))


def look_at_hours(tx: Transaction, looked: Rule, at: float) -> None:
    """Set when a rule is looked at next, if it isn't paused."""
    RULES.change(tx, {"id": looked.id, "paused": ""}, **_looks(looked, at))


def due(tx: Transaction, looked: Rule) -> list[Occurrence]:
    """Return what is due of a rule now; what was settled by an earlier clock, or in another zone, stays."""
    return [one for one in looked.due(tx.now()) if not became(tx, looked, one)]


def settle(tx: Transaction, settled: Rule, became: Mapping[Occurrence, str]) -> None:
    """Write what became of what was due, and when the rule is looked at next.

    Hours that come once are deleted with their last occurrence, those of a course with that.
    """
    now = tx.now()
    until = max([settled.settled_at, now - HORIZON, *(one.at for one in settled.due(now))])
    for one, what in became.items():
        OCCURRENCES.add(tx, rule_id=settled.id, local=one.local, side=one.side, became=what, at=one.at)
    look_at = _look_at(settled, until)
    if look_at is None and not (settled.card or settled.days & EVERY_DAY):
        drop(tx, settled.id)
    else:
        RULES.change(tx, {"id": settled.id}, settled_at=until, **_looks(settled, look_at))


def begun(tx: Transaction, started: Rule) -> None:
    """Write when a rule started its workspace, and how often nobody has used that."""
    RULES.change(tx, {"id": started.id}, started_at=started.started_at, unused=started.unused)


def timed(tx: Transaction, looked: Rule) -> Occurrence | None:
    """Return the stop that a rule settled last, if it set a timer for it."""
    last = looked.after(looked.settled_at - 1.0)
    if last is None or last.at != looked.settled_at:
        return None
    return last if became(tx, looked, last) == "timer" else None


def unsettle(tx: Transaction, changed: Rule, stop: Occurrence) -> None:
    """Write a changed rule of which a start or stop that was settled comes again, however late."""
    OCCURRENCES.delete(tx, rule_id=changed.id, local=stop.local, side=stop.side)
    put(tx, replace(changed, settled_at=min(tx.now(), stop.at - 1.0)))


def find_plan(tx: Transaction, start: Operation) -> tuple[Rule, Occurrence] | None:
    """Return the rule and its start that an operation carries out, of several the one that is good longest.

    Hours that have begun since have joined it.
    """
    plans = _filter_plans(tx, start, (one for one in rules_of(tx, start.workspace_id) if not one.paused))
    begins = start.planned_for or 0.0
    return max(plans, key=lambda plan: (plan[1].at >= begins, plan[1].latest_start), default=None)


def _filter_plans(tx: Transaction, start: Operation, rules: Iterable[Rule]) -> list[tuple[Rule, Occurrence]]:
    """Return those of some rules that a start carries out, each with its own start."""
    begins, now = start.planned_for, tx.now()
    if begins is None or start.good_until is None:
        return []
    begun = ((rule, one) for rule in rules for one in rule.between(begins - DAY_SECONDS, max(begins, now)))
    return [(rule, one) for rule, one in begun if one.side == "start" and one.until > begins]


def review_start(tx: Transaction, workspace_id: str, *changed: Rule) -> None:
    """Let a start that is still to be sent go by its plan's rules as they are now; some were changed.

    It is good for as long as they say, and is cancelled where they don't want it any more.
    """
    row = OPERATIONS.row(tx, workspace_id=workspace_id, outcome=None)
    start = None if row is None else OPERATIONS.of(row)
    if start is None or not start.is_planned_ahead:
        return
    # What a course has now may hide the lesson for which a start was made; its end is kept with that.
    workspace = WORKSPACES.one(tx, id=workspace_id)
    is_lessons = workspace is not None and any(one.start == start.id for one in workspace.ends.rows)
    if not is_lessons and not _filter_plans(tx, start, changed):
        return
    plan = find_plan(tx, start)
    if plan is None:
        operations.end(tx, start.id, Outcome.CANCELLED, "cancelled")
        timers.drop(tx, workspace_id, start.id)
    else:
        OPERATIONS.change(tx, {"id": start.id}, good_until=plan[1].latest_start)


def waits_until(tx: Transaction, start: Operation) -> float:
    """Return until when a start by hours waits for room, if they say so; 0.0 for any other."""
    begins = start.planned_for or 0.0
    waiting = [one for one in rules_of(tx, start.workspace_id) if one.waits and begins]
    sides = [one for rule in waiting for one in rule.between(begins - 1.0, begins) if one.at == begins]
    return max((one.until for one in sides if one.side == "start"), default=0.0)


def follow_start(tx: Transaction, ended: Operation, owed: Sequence[NewNotice]) -> Sequence[NewNotice]:
    """Schedule another try of a plan's failed start if the cause may pass, else notify its person."""
    plan = find_plan(tx, ended) if ended.outcome is Outcome.FAILED else None
    if plan is None:
        return owed
    rule, begin = plan
    if (ended.cause or "").partition(":")[0] == "missed":
        return [missed(rule, begin, because=(ended.cause or "").partition(":: ")[2])]
    if not tries_again(ended, begin, tx.now(), is_lesson=bool(rule.card)):
        return owed
    unsettle(tx, rule, begin)
    look_at_hours(tx, rule, tx.now() + AGAIN)
    return ()


def missed(rule: Rule, one: Occurrence, **more: Any) -> NewNotice:
    """Return the notice of a missed start or stop, with the end of its plan."""
    body: Row = {"workspace": rule.workspace_id, "connection": rule.connection, "course": rule.course}
    until = one.until if one.side == "start" and rule.stops is not None else None
    body |= {"side": one.side, "planned_at": one.at, "until": until, "cause": "", "more": 0, **more}
    occasion = f"{rule.id}:{one.local}:{one.side}"
    return NewNotice(rule.workspace_id, HoursKind.HOURS_MISSED, occasion, rule.principal, body)


def pause(tx: Transaction, paused: Rule, why: str, *, tell: bool = True) -> None:
    """Pause a rule until something has changed; tell its person, once for a workspace and cause."""
    RULES.change(tx, {"id": paused.id}, paused=why, **_looks(paused, None))
    if tell:
        body: Row = {"workspace": paused.workspace_id, "connection": paused.connection, "cause": why}
        body |= {"name": paused.name, "card": paused.card, "course": paused.course}
        occasion = f"{why}:{paused.settled_at:.0f}"
        notice = NewNotice(paused.workspace_id, HoursKind.HOURS_PAUSED, occasion, paused.principal, body)
        add_notices(tx, [notice])


def resume(tx: Transaction, row: Row, _said: Row) -> None:
    """Go on with a rule that paused because an account wasn't linked."""
    if row["paused"] in OF_LINK:
        (paused,) = of_courses(tx, [RULES.of(row)])
        settled_at = tx.now()
        if row["paused"] == "refused":
            # Nobody has stopped it: what was to begin meanwhile is made up for while it lasts.
            coming = paused.after(settled_at)
            begin = None if coming is None else paused.begin(coming)
            settled_at = (
                settled_at if begin is None else min(settled_at, max(begin.at - 1.0, paused.settled_at))
            )
        put(tx, replace(paused, paused="", settled_at=settled_at))


def unlink(tx: Transaction, workspace: Row, tell: bool) -> None:
    """Pause the rules of a workspace whose account was unlinked, which deletes its row; leave its courses."""
    for one in rules_of(tx, workspace["id"]):
        if one.card:
            leave(tx, one.card, one.principal)
            continue
        named = replace(one, name=workspace["alias"] or workspace["name"], remote_id=workspace["remote_id"])
        put(tx, named)
        pause(tx, named, "unlinked", tell=tell)
    if tell and workspace["stop_at"] is not None:
        add_notices(tx, [_not_stopped(workspace)])


def _not_stopped(workspace: Row) -> NewNotice:
    """Return the notice that a timer is gone with the account; the row is deleted, so it says the name."""
    body = {
        "connection": workspace["connection"],
        "name": workspace["alias"] or workspace["name"],
        "stop_at": workspace["stop_at"],
        "cause": "unlinked",
    }
    occasion = f"{workspace['stop_at']:.0f}"
    principal = principal_of(workspace["principal"])
    return NewNotice(workspace["id"], HoursKind.TIMER_FAILED, occasion, principal, body)


def link_rules(tx: Transaction, workspace: Workspace) -> None:
    """Give the rules of a workspace whose row was deleted the new one."""
    key = {"principal": workspace.principal, "connection": workspace.connection}
    RULES.change(tx, {**key, "remote_id": workspace.remote_id}, workspace_id=workspace.id)


def follow(tx: Transaction, former: str, workspace_id: str) -> None:
    """Move a workspace's rules to the one that took its place."""
    RULES.change(tx, {"workspace_id": former}, workspace_id=workspace_id)


def forget(tx: Transaction, workspace_id: str) -> None:
    """Delete the rules of a workspace that is gone for good."""
    RULES.delete(tx, workspace_id=workspace_id)


def find_active_rules(tx: Transaction, limit: int) -> list[Rule]:
    """Return rules that aren't paused."""
    return RULES.found(tx, "rules_left", limit=limit)


def seen_in(tx: Transaction, people: Sequence[Person]) -> None:
    """Ask those whose time zone has changed whether their hours move."""
    for person in people:
        moved = [
            one
            for one in RULES.all(tx, principal=person.principal)
            if person.time_zone and one.seen_zone != person.time_zone and not one.card
        ]
        for one in moved:
            RULES.change(tx, {"id": one.id}, seen_zone=person.time_zone)
        former = next((one.zone for one in moved if one.zone != person.time_zone), None)
        if former is not None:
            body = {"zone": person.time_zone, "former": former}
            occasion = f"{tx.now():.0f}"
            key = person.principal.key
            add_notices(tx, [NewNotice(key, HoursKind.HOURS_MOVED, occasion, person.principal, body)])


def _looks(looked: Rule, at: float | None) -> Row:
    """Return the columns that say when a rule is looked at; those of a course's have their own."""
    return {"lesson_look_at": at, "follows": looked.follows} if looked.card else {"look_at": at}


def _look_at(looked: Rule, after: float) -> float | None:
    next_ = None if looked.paused else looked.after(after)
    return None if next_ is None else next_.due_at
