"""Departures: stopping the workspaces and ending the links of people who have left Slack or become guests.

If the person had planned to stop a workspace, it is stopped immediately, using their account. Then their
links end, and administrators are told which workspaces keep running. If any workspace is running, a task
carries out these steps, because a task is resumed after a crash. In the meantime, the person's requests are
refused.
"""

from enum import StrEnum
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.policy import find_flaw
from bot.domain.stops import Consent, StopMode, choose_planned_mode, costs_more, is_final
from bot.domain.tasks import Task, TaskKind
from bot.domain.work_items import DEADLINE_SECONDS
from bot.domain.workspaces import State, Workspace
from bot.services import accounts
from bot.services.caller import Caller
from bot.services.feasibility import get_stop_effects
from bot.store import accounts as rows
from bot.store import gates, hours, operations, people, timers, workspaces
from bot.store.audit import append_audit
from bot.store.fan_out import start_fan_out
from bot.store.notices import add_or_extend
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction

#: Maximum time, in seconds, to wait for the stops that a departed person had planned. These stops need the
#: person's links, which end after this time even if a provider hasn't responded.
MAX_STOPPING_SECONDS: Final = 6 * 3600.0
#: How long to wait, in seconds, for a read that shows whether a workspace is still running.
MAX_READING_SECONDS: Final = 120.0
#: Seconds to wait before telling administrators that someone has left, so that one message covers several
#: people.
GATHER_SECONDS: Final = 60.0
#: Maximum number of stops begun per transaction.
STOPS_BATCH_SIZE: Final = 10


def is_leaver(person: Person) -> bool:
    """Return whether a person has left Slack or become a guest."""
    return find_flaw(person) in {"left", "guest"}


def end_departed(tx: Transaction, caller: Caller, person: Person, *, actor: str) -> list[Account]:
    """End the links and hours of a person who left or became a guest. Return the accounts that ended.

    If one of the person's workspaces is running, a task is queued to do this later. A guest keeps links on
    connections without user accounts, because only these links record who owns the workspaces.
    """
    cause, ended = find_flaw(person), list[Account]()
    if cause is None or not is_leaver(person):
        return []
    for key in rows.find_keys_of_user(tx, person.principal):
        accounts.withdraw_requests(tx, key)
        since = tx.now()
        if _find_running(tx, key, since):
            task = NewTask(TaskKind.OFFBOARD, key.key, {"cause": cause, "actor": actor, "since": since})
            add_tasks(tx, [task])
        else:
            ended += _end_links(tx, caller, key, since, actor=actor, cause=cause)
    return ended


class Progress(StrEnum):
    """The progress of the task that follows a person's departure."""

    #: The next step would stop a workspace or end the person's links, so Slack must first confirm again that
    #: the person has left.
    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    ENDED = "ended"


def advance(tx: Transaction, caller: Caller, task: Task, *, confirmed: str = "") -> Progress:
    """Begin the stops that a person had planned before leaving, then end their links.

    ``confirmed`` is the reason for the departure, which Slack has just confirmed. Without it, nothing is
    stopped or ended.
    """
    since, cause = float(task.payload["since"]), confirmed
    left: list[dict[str, Any]] = []
    waits, begun = False, 0
    for workspace, account in _find_running(tx, caller.principal, since):
        latest = operations.find_latest_operation(tx, workspace.id)
        was_tried = latest is not None and latest.verb.brings_down and latest.created_at >= since
        if not _is_over(tx, caller, account, since):
            if begun >= STOPS_BATCH_SIZE or _is_stopping(latest):
                waits = True
                continue
            if not was_tried and not confirmed and _find_plan(tx, workspace) is not None:
                return Progress.UNCONFIRMED
            if not was_tried and _begin_stop(tx, caller, workspace):
                waits, begun = True, begun + 1
                continue
        if (workspace.observed_at or 0.0) < since and tx.now() < since + MAX_READING_SECONDS:
            gates.request_read_now(tx, workspace.id)
            waits = True
        left.append(_describe(workspace, cause, was_planned=was_tried))
    if waits:
        return Progress.WAITING
    if not confirmed:
        return Progress.UNCONFIRMED
    actor = str(task.payload["actor"])
    _end_links(tx, caller, caller.principal, since, actor=actor, cause=cause)
    if left:
        _notify_administrators(tx, caller, left)
    return Progress.ENDED


def _find_running(tx: Transaction, who: Principal, since: float) -> list[tuple[Workspace, Account]]:
    """Return a person's workspaces that are up, starting or stopping, each with its account."""
    linked = {one.connection: one for one in rows.list_accounts(tx, who) if one.linked_at <= since}
    running = []
    for one in workspaces.list_workspaces(tx, who):
        if one.connection in linked and one.is_own:
            latest = operations.find_latest_operation(tx, one.id)
            if one.state is State.STOPPING or _is_stopping(latest) or accounts.is_up(one, latest):
                running.append((one, linked[one.connection]))
    return running


def _is_stopping(latest: Operation | None) -> bool:
    return latest is not None and latest.is_open and latest.verb.brings_down


def _is_over(tx: Transaction, caller: Caller, account: Account, since: float) -> bool:
    """Return whether an account can't be used to stop workspaces any more, or stopping has taken too long."""
    is_refused = account.state != "active" or account.repeats(account.checked_at)
    is_there = account.connection in caller.context.connections
    return is_refused or not is_there or tx.now() >= since + MAX_STOPPING_SECONDS


def _begin_stop(tx: Transaction, caller: Caller, workspace: Workspace) -> bool:
    """Begin the stop that a person had planned for a workspace. Return whether one was begun.

    A final stop is begun only if the person knew its consequences and agreed to it.
    """
    planned = _find_plan(tx, workspace)
    if planned is None:
        return False
    at, agreed, effects = planned[0], planned[1], get_stop_effects(caller.context, workspace)
    mode: StopMode = workspace.stop_mode or choose_planned_mode(effects)
    consent = Consent(agreed)
    if is_final(effects, mode):
        if costs_more(workspace.stakes, consent, is_planned=True) or not agreed:
            return False
    else:
        consent = Consent.NONE
    seconds, reference = DEADLINE_SECONDS, caller.context.ids.reference()
    verb = OperationVerb(mode)
    timers.clear_stops(tx, workspace.id)
    operations.accept(
        tx, workspace, verb, seconds, reference, agreed=consent, reads_first=True, planned_for=at
    )
    detail = {"workspace": workspace.id, "because": "leaver", "reference": reference}
    target = f"{workspace.connection}/{workspace.remote_id}"
    append_audit(tx, [AuditEntry("usher", f"workspace.{verb}", target, "accepted", detail)])
    return True


def _find_plan(tx: Transaction, workspace: Workspace) -> tuple[float, bool] | None:
    """Return when a workspace will next be stopped, and whether its owner has agreed to a final stop."""
    if workspace.stop_at is not None:
        return workspace.stop_at, workspace.stop_agreed
    return hours.find_planned_stop(tx, workspace)


def _end_links(
    tx: Transaction, caller: Caller, who: Principal, since: float, *, actor: str, cause: str
) -> list[Account]:
    """End the links and hours that a person had when they left. Notify the person if they can be reached."""
    start_fan_out(tx, "departed", principal=who.key)
    open_to_all = {name for name, one in caller.context.connections.items() if one.has_link_method("none")}
    linked = {account.connection for account in rows.list_accounts(tx, who) if account.linked_at <= since}
    # Deactivated people can't receive messages.
    person = people.find_person(tx, who)
    can_read = cause == "guest" or (person is not None and find_flaw(person) is None)
    connections = linked - open_to_all if cause == "guest" else linked
    return accounts.end_accounts(tx, caller, who, connections, actor=actor, cause=cause, notify=can_read)


def _describe(workspace: Workspace, cause: str, *, was_planned: bool) -> dict[str, Any]:
    return {
        "person": workspace.principal.key,
        "cause": cause,
        "name": workspace.title,
        "connection": workspace.connection,
        "remote_id": workspace.remote_id,
        "seen_at": workspace.observed_at,
        "was_planned": was_planned,
    }


def _notify_administrators(tx: Transaction, caller: Caller, left: list[dict[str, Any]]) -> None:
    """Tell administrators which leavers' workspaces keep running. One message covers several people."""
    place, who = caller.context.installation, caller.principal
    named = ", ".join(f"{one['connection']}/{one['remote_id']}" for one in left)
    append_audit(tx, [AuditEntry("usher", "account.left_running", who.key, "ok", {"workspaces": named})])
    for one in place.filter_administrators(lambda one: place.are_together(one, who)):
        if one == who:
            continue
        subject, occasion = f"leavers:{one.key}", f"{who.key}:{tx.now():.0f}"
        body = {"left": left}
        notice = NewNotice(subject, NoticeKind.LEFT_RUNNING, occasion, one, body, GATHER_SECONDS)
        add_or_extend(tx, notice, "left")
