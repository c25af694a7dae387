"""Due timers: first the warning, then the stop on the owner's behalf.

One transaction both requests the stop and ends its timer, so the workspace is stopped only once, and never
after its owner has cancelled the stop.

A stop waits until its warning has been delivered. If the warning can't be delivered, administrators are told,
and the stop is carried out only if it is reversible. If Usher was down, or the workspace hasn't been read
since the warning, the workspace is read first, and its owner is warned again.

If something prevents a stop, for example because the provider doesn't respond, the owner isn't warned, but is
told once the planned time has passed. If the obstacle may disappear, the stop remains planned. As soon as the
stop is possible, the owner is warned, and then the workspace is stopped. If the obstacle can't disappear, the
timer ends.
"""

from dataclasses import replace
from typing import Any, Final

import structlog

from bot.domain.accepted_requests import CLASS, HOURS, TIMER
from bot.domain.feasibility import GRACE_SECONDS, LINK_HELPS, PASSING_OBSTACLES
from bot.domain.installations import AnyInstallation
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.stops import Consent, PlannedStop, choose_planned_mode, costs_more, is_final
from bot.domain.timers import (
    AGAIN_SECONDS,
    LEAST_TIMER_WARNING_SECONDS,
    MORE_SECONDS,
    find_due_time,
    find_warning_seconds,
)
from bot.domain.workspaces import Workspace
from bot.services import courses
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.feasibility import find_planned_stop_obstacle, get_stop_effects
from bot.services.operation_requests import begin_operation
from bot.services.scheduled_work import (
    CLAIM_LEASE_SECONDS,
    FRESH_SECONDS,
    POLL_SECONDS,
    READ_TIMEOUT_SECONDS,
    RETRY_SECONDS,
    ScheduledWork,
)
from bot.store import gates, hours, operations, stop_warnings
from bot.store import timers as rows
from bot.store.notices import add_notices
from bot.store.tables import WORKSPACES
from bot.store.transaction import Transaction
from bot.support.errors import Refused

log = structlog.get_logger(__name__)

CLAIM_BATCH_SIZE: Final = 50
#: Maximum interval, in seconds, between two checks of whether the provider allows a planned stop again.
_MAX_RETRY_SECONDS: Final = 600.0


def process_due_timer(tx: Transaction, caller: Caller, looked: Workspace) -> None:
    """Send a timer's warning, or carry out its stop. Raise Refused if the stop is no longer possible."""
    workspace, now = rows.decide(tx, looked.id), tx.now()
    if workspace is None or workspace.stop_at is None or workspace.stop_at != looked.stop_at:
        return
    stop_at, is_warned, read_at = workspace.stop_at, workspace.stop_warned, _read_at(workspace, now)
    warned_at = stop_at - find_warning_seconds(workspace.stop_card) if is_warned else now
    if obstacle := find_planned_stop_obstacle(tx, caller.context, workspace):
        _hold_back(tx, workspace, obstacle)
    elif now - read_at > FRESH_SECONDS and now >= stop_at and read_at < warned_at - FRESH_SECONDS:
        # The owner will be warned again after the workspace has been read.
        _request_read(tx, workspace, unwarned=True)
    elif rows.apply_timer(tx, workspace.id):
        log.info("timer of a workspace that is down", workspace=workspace.id)
    elif is_warned:
        stop_workspace(tx, caller, workspace)
    else:
        # The stop waits until its warning has been delivered, no matter how late that is.
        moved_to = max(stop_at, now + LEAST_TIMER_WARNING_SECONDS)
        warning = _build_notice(workspace, NoticeKind.STOP_WARNING, moved_to)
        rows.save_timer_warning(tx, workspace.id, stop_at, moved_to, warning)


def _hold_back(tx: Transaction, workspace: Workspace, obstacle: str) -> None:
    """Delay or cancel a stop that isn't possible now. After the planned time, tell the owner once.

    If the stop is for a class, it doesn't wait for the person to link again. If it was planned by hours, it
    is dropped once the hours require the workspace again.
    """
    now, stop_at = tx.now(), workspace.stop_at or 0.0
    is_passing = obstacle in PASSING_OBSTACLES and (workspace.stop_card is None or obstacle not in LINK_HELPS)
    due_at, timer = stop_at + (GRACE_SECONDS if is_passing else 0.0), workspace.planned_stops.counts
    rule = None if timer is None else timer.rule
    if is_passing:
        # Only a call to the provider can show whether the obstacle still exists.
        gates.request_read_now(tx, workspace.id)
    if now < due_at:
        rows.schedule_timer_check(tx, workspace.id, stop_at, min(due_at, now + RETRY_SECONDS))
    elif rows.apply_timer(tx, workspace.id):
        log.info("timer of a workspace that is down", workspace=workspace.id)
    elif rule is not None and hours.is_rule_on(tx, rule):
        rows.drop_stops(tx, workspace.id, rule)
    elif is_passing:
        # A single message covers all workspaces of the connection that were due to be stopped at that time.
        one = _build_notice(workspace, NoticeKind.PLANNED_STOP_FAILED, stop_at, cause=obstacle, is_due=True)
        add_notices(tx, [replace(one, subject=f"{workspace.principal.key}/{workspace.connection}")])
        # The provider may not allow the stop for days, so check less and less often.
        longer = min((now - stop_at) / 4.0, _MAX_RETRY_SECONDS) if obstacle == "not_allowed_now" else 0.0
        next_check_at = now + max(RETRY_SECONDS, longer)
        rows.schedule_timer_check(tx, workspace.id, stop_at, next_check_at, unwarned=True)
    else:
        _give_up(tx, workspace, obstacle)


def _give_up(tx: Transaction, workspace: Workspace, cause: str) -> None:
    stop_at = workspace.stop_at or 0.0
    rows.end_timer(
        tx,
        workspace.id,
        stop_at,
        [_build_notice(workspace, NoticeKind.PLANNED_STOP_FAILED, stop_at, cause=cause)],
    )
    courses.end_for_workspace(tx, workspace, None)


def _read_at(workspace: Workspace, now: float) -> float:
    return now if workspace.is_provisional else workspace.read_at or 0.0


def _request_read(tx: Transaction, workspace: Workspace, *, unwarned: bool = False) -> None:
    gates.request_read_now(tx, workspace.id)
    next_check_at = tx.now() + POLL_SECONDS
    rows.schedule_timer_check(tx, workspace.id, workspace.stop_at or 0.0, next_check_at, unwarned=unwarned)


def _end_refused(tx: Transaction, _caller: Caller, looked: Workspace, refusal: Refused) -> None:
    if refusal.cause == "not_allowed_now":
        # The workspace is in transition, so another attempt will be possible sooner or later.
        _hold_back(tx, looked, refusal.cause)
    else:
        _give_up(tx, looked, refusal.cause)


def _build_notice(workspace: Workspace, kind: NoticeKind, stop_at: float, **more: Any) -> NewNotice:
    body = {"workspace": workspace.id, "connection": workspace.connection, "stop_at": stop_at, **more}
    body |= {"mode": workspace.stop_mode} if kind is NoticeKind.PLANNED_STOP_FAILED else {}
    return NewNotice(workspace.id, kind, f"{stop_at:.0f}", workspace.principal, body)


def stop_workspace(tx: Transaction, caller: Caller, workspace: Workspace) -> None:
    """Stop a workspace on its owner's behalf when its timer is due.

    A class's timer doesn't stop anything without the owner's consent. Raises the same errors as
    ``begin_operation``.
    """
    if workspace.stop_card is None or courses.has_consent(tx, caller.context, workspace):
        courses.end_for_workspace(tx, workspace, _begin_stop(tx, caller, workspace))
    else:
        rows.drop_stops(tx, workspace.id, workspace.stop_card or "")
        courses.end_for_workspace(tx, workspace, None)


def _begin_stop(tx: Transaction, caller: Caller, workspace: Workspace) -> Operation | None:
    """Begin the stop, postpone it, or just end the timer. Return the stop if one was begun.

    If the workspace is already being stopped, only the timer ends. If a workspace is busy, a final stop is
    postponed by an hour and its owner is asked. If the owner couldn't be warned, administrators are told. A
    final stop is then tried again a day later, or dropped if it was for a class. Any other stop is carried
    out.
    """
    stop_at, latest = workspace.stop_at or 0.0, operations.find_latest_operation(tx, workspace.id)
    if latest is not None and latest.is_open and latest.verb is OperationVerb.REMOVE:
        # If the removal fails, the planned stop still applies, so check again later.
        rows.schedule_timer_check(tx, workspace.id, stop_at, tx.now() + RETRY_SECONDS)
        return None
    if latest is not None and latest.is_open and latest.verb.brings_down:
        rows.end_timer(tx, workspace.id, stop_at)
        return None
    planned, mode = get_stop_effects(caller.context, workspace), workspace.stop_mode or "stop"
    if is_final(planned, mode) and not workspace.stop_agreed:
        # The chosen mode is final now, although it wasn't when the timer was set, so choose another.
        mode = choose_planned_mode(planned)
        if is_final(planned, mode):
            raise Refused("workspace.ends", cause="not_agreed")
    agreed, row = Consent(workspace.stop_agreed), WORKSPACES.row(tx, id=workspace.id)
    warned = None if row is None else row["stop_warning"]
    to_admins: list[NewNotice] = []
    survives_stop = not is_final(planned, mode)
    if not stop_warnings.is_delivered(tx, warned):
        to_admins = _build_missed_warning_notices(
            caller.context.installation, workspace, f"{stop_at:.0f}", survives_stop=survives_stop
        )
        if not survives_stop:
            add_notices(tx, to_admins)
            if workspace.stop_card is None:
                rows.plan_stop(
                    tx, workspace.id, PlannedStop(tx.now() + AGAIN_SECONDS, mode, bool(agreed), warns=True)
                )
            else:
                rows.end_timer(tx, workspace.id, stop_at)
            return None
    if survives_stop:
        # Slack may be unreachable, so use the owner's stored details.
        caller = replace(caller, uses_stored_identity=True)
    elif costs_more(workspace.stakes, agreed, is_planned=True):
        later = tx.now() + MORE_SECONDS
        warning = _build_notice(workspace, NoticeKind.STOP_WARNING, later, put_off=stop_at)
        rows.save_timer_warning(tx, workspace.id, stop_at, later, warning, again=True)
        return None
    timer = workspace.planned_stops.counts
    initiator = CLASS if workspace.stop_card else HOURS if timer is not None and timer.rule else TIMER
    verb = OperationVerb(mode)
    stop = begin_operation(
        tx, caller, workspace.id, verb, agreed=agreed, planned_for=stop_at, initiator=initiator
    )
    add_notices(tx, to_admins)
    course = timer.title if timer is not None and timer.because == "lesson" else ""
    stop_warnings.turn_into_card(tx, warned, stop.operation.id, {"course": course})
    return stop.operation


def _build_missed_warning_notices(
    installation: AnyInstallation, workspace: Workspace, occasion: str, *, survives_stop: bool
) -> list[NewNotice]:
    """Return the notices that tell administrators that an owner couldn't be warned of a stop.

    ``survives_stop`` means that the workspace can be started again, so it was stopped without the warning.
    """
    owner, subject = workspace.principal, f"unwarned:{workspace.id}"
    body: dict[str, Any] = {"connection": workspace.connection, "person": owner.key}
    body |= {"name": workspace.title, "survives_stop": survives_stop}
    return [
        NewNotice(subject, NoticeKind.WARNING_UNDELIVERED, f"{occasion}:{one.key}", one, body)
        for one in installation.filter_administrators(lambda one: installation.are_together(one, owner))
    ]


def _claim_due(tx: Transaction, context: Context) -> list[Workspace]:
    """Claim timers that are due. If a workspace wasn't read recently, read it now and claim its timer later.

    If a workspace is down, it is read but its timer isn't claimed. The read shows whether its planned stops
    apply again.
    """
    now = tx.now()
    claimed = rows.claim_timers(tx, CLAIM_BATCH_SIZE, CLAIM_LEASE_SECONDS, context.unwarned_seconds)
    resting = [one for one in claimed if one.stop_at is None]
    for one in resting:
        gates.request_read_now(tx, one.id)
        rows.schedule_resting_check(tx, one)
    claimed = [one for one in claimed if one.stop_at is not None]
    unread = [one for one in claimed if now - _read_at(one, now) > FRESH_SECONDS]
    waiting = [one for one in unread if now < find_due_time(one) + READ_TIMEOUT_SECONDS]
    for one in waiting:
        _request_read(tx, one)
    return [one for one in claimed if one not in waiting]


TIMER_WORK: Final = ScheduledWork(
    name="timer",
    claim=_claim_due,
    carry_out=process_due_timer,
    refuse=_end_refused,
    key=lambda looked: f"timer:{looked.id}:{looked.stop_at:.0f}",
)
