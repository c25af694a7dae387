"""The waitlist for capacity. People join and leave it, and their starts are attempted in turn.

An attempt is an ordinary start on the person's behalf. It is subject to the usual limits on reads, and to the
usual rules about deadlines, consent and unknown outcomes. The transaction that ends an attempt also updates
the person's entry on the waitlist (``bot.store.waitlist.follow_attempt``).
"""

from dataclasses import replace
from typing import Final, Literal, cast

from bot.domain.accepted_requests import ROOM
from bot.domain.hours import was_used
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.stops import PlannedStop, StopMode, choose_planned_mode, is_final
from bot.domain.waitlist import (
    ANSWERED_WITHIN_SECONDS,
    MIN_PAUSE_SECONDS,
    UNUSED_SECONDS,
    WaitlistEntry,
    WaitlistFacts,
    WaitlistState,
    find_missing_capacity,
    get_default_end,
)
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import Workspace
from bot.services.caller import Caller
from bot.services.feasibility import get_stop_effects
from bot.services.operation_requests import begin_operation, describe_entry
from bot.services.scheduled_work import CLAIM_LEASE_SECONDS, FRESH_SECONDS, RETRY_SECONDS, ScheduledWork
from bot.services.workspaces import require_workspace
from bot.store import accepted_requests, cards, gates, operations, people, timers
from bot.store import waitlist as rows
from bot.store.notices import add_notices
from bot.store.tables import WAITLIST_ENTRIES
from bot.store.transaction import Row, Transaction
from bot.store.waitlist import STOP_PAUSE_SECONDS
from bot.support.errors import NotLinked, Refused

ENTRIES_PER_CLAIM: Final = 50


def list_own(tx: Transaction, caller: Caller) -> list[WaitlistFacts]:
    """Return a person's entries on the waitlist, with their places in line."""
    known = [
        one for one in rows.list_entries(tx, caller.principal) if one.connection in caller.context.connections
    ]
    return [describe_entry(tx, caller, one) for one in known]


def _is_held(tx: Transaction, caller: Caller, wait: WaitlistEntry) -> bool:
    """Return whether one more failed start might make the provider shut itself down.

    Open attempts count, too.
    """
    allowed = caller.context.need(wait.connection).settings.failures_allowed
    under_way = rows.count_attempts(tx, wait.connection)
    return rows.count_failures_in_a_row(tx, wait.connection) + under_way >= allowed


def join(tx: Transaction, caller: Caller, workspace_id: str, until: float | None = None) -> WaitlistFacts:
    """Put a workspace on the waitlist until a given time. If it is already waiting, it keeps its place.

    Raises NotLinked, and Refused (``wait.limit``) unless the provider is known to tolerate several failed
    starts.
    """
    workspace = require_workspace(tx, caller, "start", workspace_id)
    provider = caller.context.need(workspace.connection)
    caller.require_account(tx, workspace.connection)
    if provider.settings.failures_allowed <= 1:
        raise Refused("wait.limit", cause="wait_limit", title=provider.settings.title)
    now, known = tx.now(), rows.find_entry_of_workspace(tx, workspace.id)
    until = get_default_end(now, people.find_zone(tx, caller.principal)) if until is None else until
    if known is not None and known.state is not WaitlistState.GRANTED:
        if known.expires_at != until and caller.is_first_delivery(tx):
            known = rows.extend(tx, known, until)
            caller.record(tx, "workspace.join_waitlist", workspace, until=f"{until:.0f}")
        return describe_entry(tx, caller, known)
    if not caller.is_first_delivery(tx):
        raise Refused("wait.over", cause="wait_over")
    if known is not None:
        rows.end(tx, known)
    latest = operations.find_latest_operation(tx, workspace.id)
    kind = find_missing_capacity(latest.cause) if latest is not None else ""
    attempted_at = latest.ended_at if latest is not None and kind else None
    where = workspace.principal, workspace.connection, workspace.id, kind or "room"
    wait = rows.join(tx, WaitlistEntry(tx.ids.new("wait"), *where, 0, now, until, attempted_at=attempted_at))
    caller.record(tx, "workspace.join_waitlist", workspace, until=f"{until:.0f}")
    return describe_entry(tx, caller, wait)


def leave(
    tx: Transaction, caller: Caller, workspace_id: str, *, is_read_with_place: bool = False
) -> tuple[Workspace, Literal["", "left", "stops"]]:
    """Stop waiting and cancel any attempt in progress. Return "left" or "stops", or "" if there was no wait.

    ``stops`` means that the provider was already called, so a stop is requested, which has its own message.
    ``is_read_with_place`` means that the reply appears in the same conversation as the message that shows the
    place in line, so that message is removed.
    """
    workspace = require_workspace(tx, caller, "stop", workspace_id)
    known = rows.find_entry_of_workspace(tx, workspace.id)
    if known is None or known.state is WaitlistState.GRANTED:
        return workspace, ""
    attempt = operations.find_operation(tx, known.operation_id or "")
    stops = attempt is not None and attempt.is_open and attempt.has_called
    if stops:
        begin_operation(tx, caller, workspace.id, OperationVerb.STOP)
    elif caller.is_first_delivery(tx):
        rows.end(tx, known)
        if attempt is not None and attempt.is_open:
            operations.end(tx, attempt.id, Outcome.CANCELLED, "cancelled")
        caller.record(tx, "workspace.leave_waitlist", workspace)
    if is_read_with_place:
        cards.close(tx, known.id)
    return workspace, "stops" if stops else "left"


def list_lines(
    tx: Transaction, caller: Caller, since: float
) -> tuple[list[Row], list[WaitlistFacts], WaitlistFacts | None]:
    """Return all lines, with the number of people in each, and the caller's own places.

    Also return the caller's last entry if it ended after ``since``.
    """
    caller.check(tx, "list")
    last, known = rows.find_last_entry(tx, caller.principal, since), caller.context.connections
    ended = describe_entry(tx, caller, last) if last is not None and last.connection in known else None
    return rows.summarize_lines(tx, since), list_own(tx, caller), ended


# -- when they are due ---------------------------------------------------------------------------------------


def carry_out(tx: Transaction, caller: Caller, looked: WaitlistEntry) -> None:
    """Do what is due for an entry: start its workspace, check its attempt, pass its turn on, or end it."""
    wait = rows.find_entry(tx, looked.id)
    if wait is None or wait.state is WaitlistState.OVER:
        return
    if wait.state is WaitlistState.GRANTED:
        _offer_unused(tx, caller, wait)
    elif wait.state is WaitlistState.TRYING:
        _check_attempt(tx, caller, wait)
    elif tx.now() >= wait.expires_at:
        rows.close(tx, wait)
    elif caller.require_account(tx, wait.connection).compute_retry_delay(tx.now()) > 0:
        rows.pass_turn(tx, wait, CLAIM_LEASE_SECONDS)
    elif not _is_held(tx, caller, wait):
        _try(tx, caller, wait)


def _try(tx: Transaction, caller: Caller, wait: WaitlistEntry) -> None:
    """Start the workspace on the person's behalf. Raises the same errors as ``begin_operation``."""
    workspace = require_workspace(tx, caller, "start", wait.workspace_id)
    if workspace.hidden and not workspace.is_provisional:
        rows.end(tx, wait)
        return
    if rows.is_gone_since(tx, wait):
        rows.close(tx, wait, "gone")  # The person hasn't asked for a different workspace.
        return
    effects = get_stop_effects(caller.context, workspace)
    mode = choose_planned_mode(effects)
    given_on = "" if is_final(effects, mode) else mode
    if not rows.change(tx, wait, state=WaitlistState.TRYING, mode=given_on, attempted_at=tx.now()):
        return
    once = replace(caller, interaction=f"wait:{wait.id}:{tx.now():.3f}", via="")
    accepted = begin_operation(
        tx, once, workspace.id, OperationVerb.START, planned_for=tx.now(), initiator=ROOM
    )
    trying = replace(wait, state=WaitlistState.TRYING)
    begun = accepted.operation
    rows.change(tx, trying, operation_id=begun.id, workspace_id=begun.workspace_id)


def _check_attempt(tx: Transaction, caller: Caller, wait: WaitlistEntry) -> None:
    """If an attempt was undone, cancelled or deleted, end its entry, so that the next person gets a turn."""
    operation = operations.find_operation(tx, wait.operation_id or "")
    cause = "cancelled" if operation is None else operation.cause or "cancelled"
    if cause == "forgotten":
        rows.end(tx, wait)  # The person has taken the workspace off their list, and an answer confirmed that.
    elif operation is None or not operation.is_open:
        rows.close(tx, wait, cause)
    elif (
        not operation.has_called
        and caller.require_account(tx, wait.connection).compute_retry_delay(tx.now()) > 0
    ):
        # While a person's sign-in is refused, others go first, and attempts become less and less frequent.
        operations.end(tx, operation.id, Outcome.CANCELLED, "cancelled")
        rows.pass_turn(tx, wait, CLAIM_LEASE_SECONDS)
    elif _is_blocking_others(tx, wait, operation):
        operations.end(tx, operation.id, Outcome.CANCELLED, "cancelled")
        add_notices(tx, rows.record_failure(tx, wait, tx.now(), ""))


def _is_blocking_others(tx: Transaction, wait: WaitlistEntry, attempt: Operation) -> bool:
    """Return whether a busy provider has refused an attempt for a minute while others wait behind it."""
    is_refused = attempt.start_call is Call.NONE and attempt.busy_since is not None
    return (
        is_refused
        and rows.find_others(tx, wait).lowest is not None
        and tx.now() - (attempt.busy_since or 0.0) >= MIN_PAUSE_SECONDS
    )


def _offer_unused(tx: Transaction, caller: Caller, wait: WaitlistEntry) -> None:
    """End an entry once its workspace is used or down. If it stays unused, free its capacity for others.

    To free it, a stop is planned and the owner is warned. If the stop would be final, the owner is asked
    instead. A busy workspace counts as used, and so does one whose owner has done something with it in Slack.
    """
    workspace = require_workspace(tx, caller, "status", wait.workspace_id)
    now = tx.now()
    since = wait.granted_at or 0.0
    is_warned = any(one.because == "room" for one in workspace.planned_stops.rows)
    if workspace.is_down:
        timers.drop_stops(tx, workspace.id, "room")
        rows.end(tx, wait)
        rows.offer_capacity(tx, wait.connection, STOP_PAUSE_SECONDS)
    elif (
        was_used(workspace, since)
        or accepted_requests.was_asked(tx, workspace, since)
        or "busy" in workspace.stakes
    ):
        timers.drop_stops(tx, workspace.id, "room")
        rows.end(tx, wait)
    elif rows.find_others(tx, wait).lowest is None:
        timers.drop_stops(tx, workspace.id, "room")
    elif now < since + UNUSED_SECONDS:
        return
    elif now - (workspace.observed_at or 0.0) > FRESH_SECONDS:
        gates.request_read_now(tx, workspace.id)
    elif is_warned:
        return
    elif wait.mode:
        at, mode = now + ANSWERED_WITHIN_SECONDS, cast(StopMode, wait.mode)
        timers.plan_stop(tx, workspace.id, PlannedStop(at, mode, warns=True, because="room", since=now))
    else:
        body = {"workspace": workspace.id, "connection": workspace.connection, "since": since}
        body |= {"waited_for": wait.kind}
        asks = NewNotice(workspace.id, NoticeKind.IDLE_PROMPT, f"room:{since:.0f}", wait.principal, body)
        rows.end(tx, wait)
        add_notices(tx, [asks])


def _refuse(tx: Transaction, _caller: Caller, looked: WaitlistEntry, refusal: Refused) -> None:
    """If the sign-in is refused or the provider offers no start, pass the turn on, else end the entry."""
    wait = rows.find_entry(tx, looked.id)
    if wait is None or wait.state not in {WaitlistState.WAITING, WaitlistState.GRANTED}:
        return  # While an attempt is open, its end decides.
    is_held = isinstance(refusal, NotLinked) and refusal.is_refused
    is_waiting = tx.now() < wait.expires_at
    if wait.state is WaitlistState.GRANTED:
        rows.end(tx, wait)
    elif is_waiting and (is_held or refusal.cause == "not_allowed_now"):
        rows.pass_turn(tx, wait, CLAIM_LEASE_SECONDS)
    else:
        rows.close(tx, wait, "" if is_held else refusal.cause)


WAITLIST_WORK: Final = ScheduledWork(
    name="wait",
    claim=lambda tx, _: WAITLIST_ENTRIES.parse_all(
        rows.WAIT_QUEUE.take(tx, CLAIM_LEASE_SECONDS, ENTRIES_PER_CLAIM)
    ),
    carry_out=carry_out,
    refuse=_refuse,
    later=lambda tx, _, looked: rows.pass_turn(tx, looked, RETRY_SECONDS),
)
