"""Class cards: a teacher posts a card for a class in Slack, and people enroll by pressing its button.

By pressing the button, people also agree that their workspace is stopped when the class ends. They can
withdraw this consent, and a class never stops a workspace without it (ADR 91). A button press is handled in
one transaction, without calling any provider.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

from bot.domain import timetable
from bot.domain.audit import AuditEntry
from bot.domain.courses import (
    MIN_COUNT_SECONDS,
    ClassCard,
    ClassCounts,
    ClassProblem,
    MissingPart,
    Participant,
)
from bot.domain.forms import append_suffix
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import BRINGING_UP, Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.policy import Target, decide
from bot.domain.stops import (
    PlannedStop,
    StopEffects,
    choose_gentlest_mode,
    choose_planned_mode,
    ends_by_consent,
    is_final,
)
from bot.domain.time_parsing import write_hours
from bot.domain.timers import CLASS_WARNING_SECONDS, REST
from bot.domain.work_items import DEADLINE_SECONDS
from bot.domain.workspaces import State, Workspace
from bot.providers.base import Provider
from bot.providers.facets import Creation
from bot.services import course_readiness as readiness
from bot.services import due_lessons, former_members
from bot.services.accounts import find_or_open_account
from bot.services.caller import Caller, require_usable
from bot.services.context import Context
from bot.services.feasibility import predict_class_effects, predict_stop_effects
from bot.services.message_context import get_ide_url
from bot.services.operation_requests import build_provisional
from bot.services.scheduled_work import ScheduledWork
from bot.store import cards, creations, inbox, operations, people, timers, workspaces
from bot.store import courses as store
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.operations import Accepted
from bot.store.tables import CLASS_CARDS, OPERATIONS, PARTICIPANTS
from bot.store.transaction import Row, Transaction, concerns
from bot.support.errors import NotLinked, Refused

#: A class card shows how many workspaces are ready, starting and so on. While any are starting or stopping,
#: this is the maximum interval, in seconds, between two counts. The interval grows while nothing changes.
MAX_REDRAW_SECONDS: Final = 60.0
#: Maximum number of due class cards that a process claims at a time.
CARDS_PER_CLAIM: Final = 20
#: Maximum number of enrollments that one transaction handles when a class ends. It is small, because several
#: rows are written for each enrollment.
ENROLLMENTS_PER_TRANSACTION: Final = 40
#: How long, in seconds, a workspace created for a course keeps running so that its owner can try it out.
TRIAL_RUN_SECONDS: Final = 3600.0


class JoinTarget(NamedTuple):
    """The workspace that a person enrolls with.

    If there is none yet, ``waits_for`` is the reason. ``instead_of`` is the id of an earlier workspace that
    no longer exists. ``beside`` is the title of another workspace that already has the name intended for the
    new one.
    """

    workspace: Workspace | None
    waits_for: MissingPart = ""
    instead_of: str = ""
    beside: str = ""
    #: Whether the provider has rejected one of the person's accounts.
    is_refused: bool = False


class JoinResult(NamedTuple):
    """The result of enrolling a person, with the card and the person's workspace.

    The result is ``joined`` if a start was already open, ``running`` if the workspace is up, ``enrolled`` if
    the person joined a course without a lesson at the moment, ``noted`` if the person doesn't have a
    workspace yet, and ``sought`` if the person's list must be read first.
    """

    card: ClassCard
    target: JoinTarget
    result: Literal["started", "joined", "running", "noted", "sought", "over", "full", "enrolled"]
    operation: Operation | None = None


# -- the teacher ---------------------------------------------------------------------------------------------


def post(tx: Transaction, caller: Caller, draft: ClassCard) -> ClassCard:
    """Write a card and the notice that posts it. Raise Refused if a course's lessons couldn't take place."""
    caller.check(tx, "card")
    provider, now = caller.context.need(draft.connection), tx.now()
    card = replace(
        draft, reference=caller.reference, created_at=now, lead_seconds=readiness.MIN_SECONDS_AHEAD
    )
    card = replace(card, shows_hours=True, id=caller.context.ids.new("class"), principal=caller.principal)
    next_check_at = store.NEVER_DUE_AT if card.stops_at is None else card.stops_at - CLASS_WARNING_SECONDS
    if card.is_course:
        check_lessons(provider, predict_class_effects(provider, card))
        _check_retention(provider, card)
        card, next_check_at = replace(card, stops_at=timetable.get_last_end(card)), now
        if card.is_over(now):
            raise Refused("course.never")
    if caller.is_first_delivery(tx):
        CLASS_CARDS.add(tx, card, next_check_at=next_check_at)
        cards.add(tx, NoticeKind.CLASS_CARD, card.id, card.principal.key)
        add_notices(tx, [_build_post_notice(card)])
        caller.record(tx, "class.post", card, channel=draft.channel_id)
    return card


def post_again(tx: Transaction, caller: Caller, card_id: str) -> bool:
    """Post a card again with a new notice. Return False if the card is already known to be posted."""
    card = require_teacher(tx, caller, "class_post", card_id)
    existing = cards.find_card(tx, card.id)
    if existing is None or existing.message_ts:
        return False
    # If someone answers the same question again, the card is already being posted.
    if tx.one("class_card_on_its_way", id=card.id) is None and caller.is_first_delivery(tx):
        again = CLASS_CARDS.first(tx, "repost_class", id=card.id)
        assert again is not None, "it was read in this transaction"
        add_notices(tx, [_build_post_notice(again)])
    return True


def _build_post_notice(card: ClassCard) -> NewNotice:
    body = {"channel_id": card.channel_id, "connection": card.connection}
    return NewNotice(card.id, NoticeKind.CLASS_CARD, str(card.posts), card.principal, body)


def list_problems(tx: Transaction, caller: Caller, card_id: str) -> tuple[ClassCard, list[ClassProblem]]:
    """Return the members who aren't ready yet, with reasons. Raise Refused like ``require_teacher``."""
    card = require_teacher(tx, caller, "class_problems", card_id)
    return card, store.list_problems(tx, card.id)


def stop_all(tx: Transaction, caller: Caller, card_id: str) -> ClassCard | None:
    """End a class: warn everyone now, and stop their workspaces in five minutes.

    If a stop was already announced for an earlier time, that time still applies. Returns None if the class
    has already ended. Raises Refused like ``require_teacher``.
    """
    card = require_teacher(tx, caller, "class_stop", card_id)
    if card.closed_at is not None or card.done_at is not None or not caller.is_first_delivery(tx):
        return None
    now, by = tx.now(), caller.principal.key
    ends = {"now": now, "stops_at": now + CLASS_WARNING_SECONDS, "stopped_by": by}
    closed = CLASS_CARDS.first(tx, "close_class", id=card.id, **ends)
    if closed is not None:
        cards.queue_messages(tx, card.id, changed=True)
        caller.record(tx, "class.stop_all", card)
    return closed


def require_teacher(tx: Transaction, caller: Caller, verb: str, card_id: str) -> ClassCard:
    """Return a card of which the caller is a teacher.

    Raise Refused (``class.unknown``, ``policy.not_teacher``).
    """
    card = _card(tx, card_id)
    caller.check(tx, verb, Target("class", card.id, card.principal, delegates=card.co_teachers))
    return card


def _card(tx: Transaction, card_id: str) -> ClassCard:
    card = store.find_card(tx, card_id)
    if card is None:
        raise Refused("class.unknown")
    return card


# -- everybody -----------------------------------------------------------------------------------------------


def find_visible_card(tx: Transaction, caller: Caller, card_id: str) -> ClassCard:
    """Return a card from the person's own Slack workspace. Raise Refused if it isn't there."""
    card = _card(tx, card_id)
    if not caller.context.installation.are_together(caller.principal, card.principal):
        raise Refused("class.unknown", cause="class_elsewhere")
    return card


@concerns(lambda caller, card_id, **_: [caller.principal.key, card_id])
def enroll(
    tx: Transaction,
    caller: Caller,
    card_id: str,
    *,
    message_ts: str | None = None,
    is_list_fresh: bool = False,
) -> JoinResult:
    """Enroll a person: record their consent and, unless their workspace is already running, request a start.

    If a start is already open, no second one is requested. If a stop is open, the start replaces it. If a
    button is pressed twice at the same time, only one workspace is created. If a person can't have a
    workspace yet, that is noted for the teacher. Nothing is written if the class is ``over`` or ``full``, or
    if the person's list must be read first (``sought``). ``is_list_fresh`` means that the list has been read.
    ``message_ts`` is the message whose button was pressed. If Usher doesn't know whether the card was sent,
    this message shows where it is. Raises Refused (``class.unknown``, ``workspace.withheld``,
    ``workspace.unmade``).
    """
    caller.check(tx, "class_press")
    card = find_visible_card(tx, caller, card_id)
    before = store.find_participant(tx, card.id, caller.principal)
    if card.is_over(tx.now()):
        return JoinResult(card, JoinTarget(None), "over")
    if before is None and card.maximum is not None:
        taken = tx.one("seats_taken", card_id=card.id)
        if taken is not None and taken["count"] >= card.maximum:
            return JoinResult(card, JoinTarget(None), "full")
    target = _find_target(tx, caller, card, before, is_list_fresh=is_list_fresh)
    if target.waits_for == "no_workspace" and not is_list_fresh:
        return JoinResult(card, target, "sought")
    is_new, workspace = caller.is_first_delivery(tx), target.workspace
    key = {"card_id": card.id, "principal": caller.principal.key, "now": tx.now()}
    key |= {"id": f"{card.id}:{caller.principal.key}"}
    if workspace is None:
        if is_new:
            tx.run("note_participant", **key, waits_for=target.waits_for)
            tx.run("look_at_class", id=card.id, now=tx.now(), rest=MIN_COUNT_SECONDS)
        return JoinResult(card, target, "noted")
    if not is_new:
        operation_id = before.operation_id if before is not None else None
        operation, joined = operations.find_operation(tx, operation_id or ""), True
    else:
        workspace_id, operation, joined = _start_workspace(tx, caller, card, target, workspace, before)
        tx.run(
            "press_class",
            **key,
            workspace_id=workspace_id,
            operation_id=operation.id if operation is not None else None,
            is_ready=operation is None and not card.is_course,
        )
        consent = _record_agreement(tx, caller, card, workspace_id, None if joined else operation)
        _record_message(tx, caller, card, message_ts)
        tx.run("look_at_class", id=card.id, now=tx.now(), rest=MIN_COUNT_SECONDS)
        began = "" if operation is None else operation.id
        caller.record(tx, "class.join", card, began=began, workspace=workspace.id, consent=consent)
    if timetable.find_lesson_on(card, tx.now()) is None:
        return JoinResult(card, target, "enrolled", operation)
    if operation is None:
        return JoinResult(card, target, "running")
    return JoinResult(card, target, "joined" if joined else "started", operation)


def _start_workspace(
    tx: Transaction,
    caller: Caller,
    card: ClassCard,
    target: JoinTarget,
    workspace: Workspace,
    before: Participant | None,
) -> tuple[str, Operation | None, bool]:
    """Join an open start, or begin one. Return the workspace's id, the operation, and whether it was joined.

    The operation is None if the workspace is running and its link can be shown immediately, or if the
    workspace exists and the course has no lesson now.
    """
    context, lesson = caller.context, timetable.find_lesson_on(card, tx.now())
    if lesson is None and not workspace.is_provisional:
        return workspace.id, None, False
    planned_for = good_until = None
    if lesson is not None and lesson.at:
        # Only starts for a course's lessons are retried, so a class's start has no planned time.
        planned_for = lesson.at
        good_until = min(max(lesson.latest_start, tx.now() + DEADLINE_SECONDS), lesson.until)
    url = get_ide_url(context.connections.get(workspace.connection), workspace, context.public_url)
    if workspace.state is State.RUNNING and url is not None:
        now = tx.now()
        tx.run("use_workspace", id=workspace.id, now=now, last_request_at=now, brings_up=False)
        return workspace.id, None, False
    # If a button is pressed twice at the same time, the second press uses the first one's workspace.
    created = before.workspace_id if before is not None and workspace.is_provisional else None
    for workspace_id in filter(None, (created, workspace.id)):
        row = OPERATIONS.row(tx, workspace_id=workspace_id, outcome=None)
        if row is not None and row["verb"] in BRINGING_UP:
            inbox.save_result(tx, caller.interaction, row["id"])
            found = OPERATIONS.parse(row)
            # This button press also starts a workspace that would otherwise only be created.
            rested = found.creates_stopped
            if lesson is not None or not card.is_course:
                found = operations.repeat_request(tx, found, DEADLINE_SECONDS)
            return workspace_id, found, found.creates_stopped is rested
    given = (DEADLINE_SECONDS, caller.reference, caller.channel_id)
    if workspace.is_provisional:
        if target.instead_of:
            operations.put_away(tx, target.instead_of)
        creations.insert_provisional(tx, workspace)
        seconds = 0.0 if _can_stay_stopped(tx, caller.context, card) else None
        made = operations.add(
            tx, workspace, OperationVerb.CREATE, *given, planned_for=planned_for, run_seconds=seconds
        )
        accepted = Accepted(made)
    else:
        accepted = operations.accept(
            tx, workspace, OperationVerb.START, *given, planned_for=planned_for, good_until=good_until
        )
    inbox.save_result(tx, caller.interaction, accepted.operation.id)
    return workspace.id, accepted.operation, accepted.joined


def _can_stay_stopped(tx: Transaction, context: Context, card: ClassCard) -> bool:
    """Return whether a course's workspace can be created stopped, because the next lesson is far off."""
    making = context.need(card.connection).require_facet(Creation)
    coming = timetable.find_lesson(card, tx.now())
    is_far = coming is None or coming.due_at - tx.now() > TRIAL_RUN_SECONDS
    return is_far and card.spec is not None and making.can_create_stopped(card.spec)


def check_lessons(provider: Provider, effects: StopEffects) -> None:
    """Raise Refused (``course.ends``) if stopped workspaces couldn't be started again for the next lesson."""
    if is_final(effects, choose_gentlest_mode(effects)):
        raise Refused("course.ends", title=provider.settings.title)


def _check_retention(provider: Provider, card: ClassCard) -> None:
    """Raise Refused (``course.removed``) if the provider would remove workspaces before the last lesson."""
    stopped, total = provider.retention_seconds()
    pause, whole = timetable.get_longest_pause(card), timetable.get_last_end(card) - card.created_at
    if pause >= stopped or whole >= total:
        kept = min(stopped if pause >= stopped else total, total)
        title = provider.settings.title
        raise Refused("course.removed", title=title, kept=kept)


def _record_agreement(
    tx: Transaction, caller: Caller, card: ClassCard, workspace_id: str, started: Operation | None
) -> str:
    """Plan the stop of a workspace at the end of its class or lesson. Return what the owner agreed to.

    A workspace that was created between lessons is stopped again after an hour.
    """
    if not card.is_course:
        _plan_class_end(tx, caller.context, card, workspace_id)
        return "stop"
    workspace = workspaces.find_workspace(tx, workspace_id)
    assert workspace is not None, "it was read or written in this transaction"
    check_lessons(caller.context.need(card.connection), predict_stop_effects(caller.context, workspace))
    now, lesson = tx.now(), timetable.find_lesson_on(card, tx.now())
    member = store.find_participant(tx, card.id, caller.principal)
    assert member is not None, "it was written in this transaction"
    if lesson is not None:
        store.begin_lesson(tx, member, lesson, started)
        due_lessons.notify_of_lesson(tx, card, member, lesson, started)
    if started is None or started.creates_stopped:
        timers.decide(tx, workspace_id)
    elif lesson is not None:
        mode = choose_planned_mode(predict_stop_effects(caller.context, workspace))
        timers.plan_stop(tx, workspace_id, timetable.plan_lesson_end(card, lesson.until, mode, started.id))
    else:
        mode = choose_gentlest_mode(
            predict_class_effects(caller.context.connections.get(card.connection), card)
        )
        look = PlannedStop(now + TRIAL_RUN_SECONDS, mode, False, True, "look", card.id, card.title)
        timers.plan_stop(tx, workspace_id, look)
    return f"{write_hours(card.wanted)} until {card.last_day}"


def _record_message(tx: Transaction, caller: Caller, card: ClassCard, message_ts: str | None) -> None:
    """If Usher doesn't know which message shows the card, save the message whose button was pressed."""
    existing = cards.find_card(tx, card.id)
    if not message_ts or existing is None or existing.message_ts or card.channel_id != caller.channel_id:
        return
    cards.save_location(tx, card.id, card.channel_id, message_ts)
    cards.queue_messages(tx, card.id, changed=True)


def _find_target(
    tx: Transaction, caller: Caller, card: ClassCard, before: Participant | None, *, is_list_fresh: bool
) -> JoinTarget:
    """Find the workspace of a person who pressed a card's button, or describe the one to create.

    Unlinking deletes the rows of workspaces. After that, a workspace that was created by an earlier press is
    found by its name in the person's list, which must have been read since the unlinking (``is_list_fresh``).
    """
    provider, principal = caller.context.need(card.connection), caller.principal
    try:
        account = require_usable(provider, find_or_open_account(tx, caller, card.connection))
    except NotLinked as missing:
        return JoinTarget(None, "unlinked", is_refused=missing.is_refused)
    listed = workspaces.list_workspaces(tx, principal, connection=card.connection)
    known = [one for one in listed if one.is_own]
    if card.spec is None:
        return _find_by_pattern(card.pattern, [one for one in known if one.state is not State.GONE])
    stem = get_workspace_stem(provider, card.title)
    mine = _find_made(known, before, stem)
    if mine is not None and _is_there(tx, provider, mine):
        return JoinTarget(mine)
    if mine is None and before is not None and before.workspace_id is not None:
        if account.discovered_at is None and provider.has_lists and not is_list_fresh:
            return JoinTarget(None, "no_workspace")
        found = _find_after_unlink(known, stem, before.workspace_id)
        if found:
            return JoinTarget(found[0]) if len(found) == 1 else JoinTarget(None, "many_workspaces")
    if provider.is_withheld(card.spec, principal):
        # The teacher may use this template, but that doesn't mean that everyone else may.
        raise Refused("workspace.withheld", cause="class_withheld", title=provider.settings.title)
    fresh = build_provisional(caller.context.ids, provider, principal, replace(card.spec, name="", stem=stem))
    beside = next((one.title for one in known if one.name.casefold() == stem and one != mine), "")
    return JoinTarget(fresh, instead_of=mine.id if mine is not None else "", beside=beside)


def _is_there(tx: Transaction, provider: Provider, workspace: Workspace) -> bool:
    """Return whether a workspace exists or is being created. If its creation is cancelled, raise Refused."""
    if not workspace.is_provisional:
        return workspace.state is not State.GONE
    operation = operations.find_latest_operation(tx, workspace.id)
    if operation is None or not operation.is_open:
        # The workspace was never created, so create a new one in its place.
        return False
    if operation.verb is not OperationVerb.CREATE:
        raise Refused("workspace.unmade", cause="unmade", title=provider.settings.title)
    return True


def get_workspace_stem(provider: Provider, title: str) -> str:
    """Return the name for a person's workspace in a class. It follows the provider's naming rules."""
    return provider.name_rule.to_stem(title, "class")


def _find_made(rows: Sequence[Workspace], before: Participant | None, stem: str) -> Workspace | None:
    """Return the workspace that was created for this card or for another card with the same title."""
    if before is not None and before.workspace_id is not None:
        found = next((row for row in rows if row.id == before.workspace_id), None)
        if found is not None:
            return found
    same = [row for row in rows if row.spec is not None and row.spec.stem == stem]
    return next((row for row in same if row.state is not State.GONE), next(iter(same), None))


def _find_after_unlink(rows: Sequence[Workspace], stem: str, key: str) -> list[Workspace]:
    """Return the listed workspaces that have the name of the one whose row was deleted by unlinking."""
    there = [row for row in rows if row.state is not State.GONE]
    certain = [row for row in there if row.name.casefold() == append_suffix(stem, key)]
    return certain or [row for row in there if re.fullmatch(rf"{stem}(-[0-9]+)?", row.name.casefold())]


def _find_by_pattern(pattern: str, rows: Sequence[Workspace]) -> JoinTarget:
    """Find the workspace that matches a pattern.

    The pattern is tried as a whole name or id, then with ``*`` as a wildcard, then as a prefix.
    """
    needle = " ".join(pattern.split()).casefold()

    def names(row: Workspace) -> set[str]:
        return {row.title.casefold(), row.name.casefold(), row.remote_id.casefold()}

    exact = [row for row in rows if needle in names(row)]
    alike = [row for row in rows if any(fnmatchcase(name, needle) for name in names(row))]
    begun = [row for row in rows if any(name.startswith(needle) for name in names(row))]
    for found in (exact, alike, begun):
        if len(found) == 1:
            return JoinTarget(found[0])
        if found:
            return JoinTarget(None, "many_workspaces")
    return JoinTarget(None, "no_workspace")


# -- the end -------------------------------------------------------------------------------------------------


def _plan_class_end(tx: Transaction, context: Context, card: ClassCard, workspace_id: str) -> bool:
    """Plan a workspace's stop at the end of its class. Return whether this stop takes precedence."""
    workspace = workspaces.find_workspace(tx, workspace_id)
    provider = context.connections.get(card.connection)
    if workspace is None or provider is None or card.stops_at is None:
        return False
    mode = choose_gentlest_mode(predict_stop_effects(context, workspace))
    agreed = ends_by_consent(predict_class_effects(provider, card), is_any=card.spec is None)
    timers.plan_stop(
        tx, workspace.id, PlannedStop(card.stops_at, mode, agreed, True, "class", card.id, card.title)
    )
    timed = workspaces.find_workspace(tx, workspace.id)
    return timed is not None and timed.stop_card == card.id


def _review_card(tx: Transaction, caller: Caller, looked: ClassCard) -> None:
    """Process a card that is due: count members, plan stops shortly before the end, and send the summary."""
    card, now = store.find_card(tx, looked.id), tx.now()
    if card is None or card.done_at is not None:
        return
    lesson_at = None
    if card.is_course and (former_members.settle(tx, card) or readiness.open_missed_lesson(tx, card)):
        CLASS_CARDS.change(tx, {"id": card.id}, next_check_at=now)
        return  # The rest comes in the next step.
    if card.is_course:
        lesson_at = readiness.prepare(tx, caller.context, card)
    elif card.stops_at is not None and now >= card.stops_at - CLASS_WARNING_SECONDS:
        found = store.list_enrollments_to_stop(tx, card.id, card.stops_at, ENROLLMENTS_PER_TRANSACTION)
        for press in found:
            if not (
                _is_up(tx, press) and _plan_class_end(tx, caller.context, card, press.workspace_id or "")
            ):
                _end_participation(tx, card.id, press.principal)
        if len(found) == ENROLLMENTS_PER_TRANSACTION:
            CLASS_CARDS.change(tx, {"id": card.id}, next_check_at=now)
            return  # The rest comes in the next step.
    counts = store.count_members(tx, card.id)
    store.update_counts(
        tx, card.id, counts, rest=MIN_COUNT_SECONDS, longest=MAX_REDRAW_SECONDS, lesson_at=lesson_at
    )
    # Don't finish until everyone has had five minutes' warning, no matter how late that is.
    is_over = card.stops_at is not None and now >= card.stops_at and not counts.unended
    waits_until = (card.stops_at or 0.0) + readiness.SUMMARY_SECONDS if counts.stopping else lesson_at or 0.0
    if is_over and now >= waits_until:
        _finish(tx, card, counts)


def _is_up(tx: Transaction, press: Participant) -> bool:
    """Return whether a member's workspace is still theirs, is up or starting, and isn't being stopped."""
    workspace = workspaces.find_workspace(tx, press.workspace_id or "")
    if workspace is None or workspace.principal != press.principal:
        return False
    operation = operations.find_latest_operation(tx, workspace.id)
    if operation is not None and operation.is_open:
        return not operation.verb.brings_down
    return not workspace.is_down


def _finish(tx: Transaction, card: ClassCard, counts: ClassCounts) -> None:
    CLASS_CARDS.change(tx, {"id": card.id}, done_at=tx.now())
    cards.queue_messages(tx, card.id, changed=True)
    body: Row = {"connection": card.connection}
    store.notify(tx, card, NoticeKind.CLASS_OVER, "summary", body, {card.principal.key, card.stopper})
    detail = {"card": card.id, "stopped": str(counts.stopped), "kept": str(counts.kept)}
    target = f"{card.connection}/{card.title}"
    append_audit(tx, [AuditEntry(card.stopper, "class.finished", target, "ok", detail)])


# guards: Nobody acts through another's account
def has_consent(tx: Transaction, context: Context, workspace: Workspace) -> bool:
    """Return whether a class's timer may stop a workspace now. If the policy refuses, record that.

    The only exception to the policy is the owner's recorded consent, which names who may stop the workspace.
    If the card announced a stop for a fixed time, it is carried out whatever has happened to the teacher
    since.
    """
    card = store.find_card(tx, workspace.stop_card or "")
    press = store.find_participant(tx, workspace.stop_card or "", workspace.principal)
    if card is None or press is None or press.workspace_id != workspace.id or press.withdrawn_at is not None:
        return False
    actor = Principal.from_key(card.stopper)
    person = people.find_person(tx, actor) if card.stopped_by else None
    target = Target("consent", workspace.id, press.principal, consented_to=card.principal)
    decision = decide(actor, "class_stop", target, context.installation, person)
    if not decision.allowed:
        refused = AuditEntry(actor.key, "class.stop", card.id, "refused", {"rule": decision.rule})
        append_audit(tx, [refused])
    return decision.allowed


def end_for_workspace(tx: Transaction, workspace: Workspace, stop: Operation | None = None) -> None:
    """Record that a class is over for one of its workspaces. ``stop`` is the stop that was begun, if any."""
    card = store.find_card(tx, workspace.stop_card or "")
    if card is None:
        return
    _end_participation(tx, card.id, workspace.principal, stop)
    if stop is not None:
        detail = {
            "card": card.id,
            "workspace": workspace.id,
            "owner": workspace.principal.key,
            "rule": "policy.consent",
            "because": "stop_all" if card.stopped_by else "until",
        }
        target = f"{workspace.connection}/{workspace.remote_id}"
        append_audit(tx, [AuditEntry(card.stopper, "class.stop", target, "accepted", detail)])


def _end_participation(
    tx: Transaction, card_id: str, principal: Principal, stop: Operation | None = None
) -> None:
    key = {"card_id": card_id, "principal": principal, "ended_at": None}
    PARTICIPANTS.change(tx, key, ended_at=tx.now(), stop_operation_id=stop.id if stop is not None else None)
    tx.run("look_at_class", id=card_id, now=tx.now(), rest=MIN_COUNT_SECONDS)


CLASS_WORK: Final = ScheduledWork(
    name="class",
    claim=lambda tx, _: CLASS_CARDS.parse_all(store.CLASS_CARD_QUEUE.take(tx, REST, CARDS_PER_CLAIM)),
    carry_out=_review_card,
)
