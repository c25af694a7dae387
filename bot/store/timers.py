"""Planned stops of workspaces. If a workspace has several, the one that takes effect is called its timer.

A workspace's ``generation`` counts how often the workspace has been started, so that a button from an earlier
generation can be recognised.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from bot.domain import operations, timers, timetable, work_items, workspaces
from bot.domain.notices import NewNotice, NoticeKind, NoticeState
from bot.domain.planned_stops import choose_end
from bot.domain.stops import PlannedStop, PlannedStops
from bot.store import cards, corrections, courses, hours, stop_warnings
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.statements import fill_changes
from bot.store.tables import CARDS, NOTICES, OPERATIONS, PARTICIPANTS, WORKSPACES, parse_enum, parse_principal
from bot.store.transaction import Row, Transaction, clean

NO_TIMER: Final[Mapping[str, Any]] = {
    "stop_at": None,
    "stop_agreed": False,
    "stop_warned": False,
    "stop_warning": None,
    "stop_check_at": None,
    "stop_card": None,
    "planned_stops": "",
}
#: How often, in seconds, to check whether a planned stop's warning has been delivered.
_CHECK_INTERVAL_SECONDS: Final = 30.0
#: If a read finds a workspace down, its planned stops are kept for this many seconds after they were due. The
#: read may have been wrong, and the workspace may still be running.
_DOUBT_SECONDS: Final = 600.0
#: Reasons for planned stops that a new start cancels: nobody said that the workspace was still needed
#: (``needed``), or its owner didn't use the capacity that they got from the waitlist (``room``).
_OF_ONE_RUN: Final = frozenset({"needed", "room"})


def plan_stop(tx: Transaction, workspace_id: str, new: PlannedStop) -> None:
    """Schedule a stop of a workspace, replacing any stop that was planned for the same reason.

    A stop planned by the owner cancels the stops planned by classes. If the owner has just chosen the time of
    the stop, and a start is open whose call hasn't been sent, the start may be sent only until that time.
    """
    if new.because != "own":
        _change(tx, workspace_id, lambda ends: ends.add_end(new))
        return
    own = replace(new, since=tx.now())
    _change(tx, workspace_id, lambda ends: ends.add_end(own), named=own, withdraws=True)
    if not own.warns:
        tx.run("limit_start", workspace_id=workspace_id, at=own.at, now=tx.now())


def plan_resting_stop(tx: Transaction, workspace_id: str, new: PlannedStop) -> None:
    """Schedule a stop of a workspace that is down. It takes effect if the workspace is running by then."""
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is None:
        return
    if row["stop_at"] is not None:
        plan_stop(tx, workspace_id, new)
        return
    kept = PlannedStops(PlannedStops(WORKSPACES.parse(row).planned_stops.rows).add_end(new))
    WORKSPACES.change(tx, {"id": workspace_id}, planned_stops=kept)
    schedule_resting_check(tx, WORKSPACES.parse({**row, "planned_stops": clean(kept)}))


def drop_stops(tx: Transaction, workspace_id: str, *reasons: str) -> None:
    """Cancel a workspace's planned stops that have any of the given reasons.

    A reason is either a kind (``because``) or the id of a card, a rule or a start.
    """
    _change(tx, workspace_id, lambda ends: ends.remove_reasons(*reasons))


def clear_stops(tx: Transaction, workspace_id: str) -> None:
    """Cancel all of a workspace's planned stops, and withdraw the owner's consent to stops by classes.

    If a start is open, it won't plan its stop again, either.
    """
    _change(tx, workspace_id, lambda _: (), withdraws=True)
    tx.run("unlimit_start", workspace_id=workspace_id)


def decide(tx: Transaction, workspace_id: str) -> workspaces.Workspace | None:
    """Redetermine which planned stop takes effect, because rules may have changed. Return the workspace."""
    _change(tx, workspace_id, lambda ends: ends.rows)
    return WORKSPACES.one(tx, id=workspace_id)


def move_ends(tx: Transaction, former_id: str, workspace_id: str) -> None:
    """Copy planned stops to another row of the same workspace.

    Stops for reasons that it already has are skipped.
    """
    former = WORKSPACES.one(tx, id=former_id)
    moving = () if former is None else former.planned_stops.rows
    if moving:
        _change(tx, workspace_id, lambda ends: _merge_ends(ends, moving))


def _merge_ends(ends: PlannedStops, more: Iterable[PlannedStop]) -> tuple[PlannedStop, ...]:
    known = {(one.because, one.source) for one in ends.rows}
    return (*ends.rows, *(one for one in more if (one.because, one.source) not in known))


def _change(
    tx: Transaction,
    workspace_id: str,
    to: Callable[[PlannedStops], tuple[PlannedStop, ...]],
    *,
    named: PlannedStop | None = None,
    withdraws: bool = False,
) -> None:
    """Change a workspace's planned stops. The stop that takes effect becomes the workspace's timer.

    A warning that has been sent remains valid only if the timer's time stays the same. ``named`` is the stop
    that the owner has just set. ``withdraws`` means that stops planned by classes are cancelled, and the
    consents to them withdrawn.
    """
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is None:
        return
    workspace = WORKSPACES.parse(row)
    former = workspace.planned_stops
    for one in former.rows:
        if withdraws and one.card:
            courses.withdraw(tx, one.card, row["principal"])
    ends = to(PlannedStops(former.remove_reasons("class"))) if withdraws else to(former)
    # While the workspace is down, none of its planned stops takes effect.
    is_resting = row["stop_at"] is None and bool(former.rows) and workspace.is_down
    counts = None
    if ends and not (is_resting and named is None):
        joined = PARTICIPANTS.all(tx, workspace_id=workspace_id)
        counts = choose_end(
            ends,
            max((one.consented_at or 0.0 for one in joined), default=0.0),
            lambda end: timetable.postpone(end, courses.list_courses_of_workspace(tx, workspace_id)),
            partial(hours.is_needed_after, tx, workspace_id),
        )
    if row["planned_stops"] == clean(PlannedStops(ends, counts)) and named is None:
        return
    timer = (
        dict(NO_TIMER) if counts is None else _make_timer_columns(counts, tx.now(), is_named=counts is named)
    )
    if counts is not None and counts.at == row["stop_at"] and counts is not named:
        timer |= {name: row[name] for name in ("stop_warned", "stop_warning", "stop_check_at")}
    else:
        stop_warnings.drop(tx, row["stop_warning"])
    WORKSPACES.change(tx, {"id": workspace_id}, **timer | {"planned_stops": PlannedStops(ends, counts)})
    cards.queue_messages(tx, workspace_id, changed=True)


def _make_timer_columns(end: PlannedStop, now: float, *, is_named: bool) -> Row:
    needs_warning = not is_named or timers.needs_warning(end, now)
    before = timers.find_warning_seconds(end.card) if needs_warning else 0.0
    return {
        "stop_at": end.at,
        "stop_agreed": end.agreed,
        "stop_warned": not before,
        "stop_warning": None,
        "stop_check_at": end.at - before,
        "stop_card": end.card,
    }


TIMER_QUEUE: Final = declare_queue(
    Queue(
        name="timers",
        kind="timer",
        is_scheduled=True,
        table="workspaces",
        due="stop_check_at",
        only="{warned_in_time}",
        changes="{timer_claimed}",
        margins={"heard": timers.LEAST_TIMER_WARNING_SECONDS, "absent": timers.ABSENT_SECONDS},
    )
)


def claim_timers(
    tx: Transaction, limit: int, lease: float, waits: float = stop_warnings.MAX_WARNING_DELAY_SECONDS
) -> list[workspaces.Workspace]:
    """Claim the workspaces whose timers are due, for ``lease`` seconds, and return them.

    A timer becomes due for the owner's warning, and then for the stop itself. If Usher was away for long when
    it became due, or the warning wasn't delivered, the owner counts as not warned. But an undelivered warning
    does count if it can never be delivered or, for most stops, once it is ``waits`` seconds old. If a claimed
    timer turns out not to be due yet, its next check is scheduled for when it is due. A returned workspace
    without a timer is down and has to be read.
    """
    now = tx.now()
    found = WORKSPACES.parse_all(TIMER_QUEUE.take(tx, lease, limit, now, waited=now - waits))
    early = [one for one in found if one.stop_at is not None and now < timers.find_due_time(one)]
    for one in early:
        schedule_timer_check(tx, one.id, one.stop_at or 0.0, timers.find_due_time(one))
    return sorted((one for one in found if one not in early), key=lambda one: (one.stop_at or 0.0, one.id))


def schedule_timer_check(
    tx: Transaction, workspace_id: str, stop_at: float, at: float, *, unwarned: bool = False
) -> None:
    """Schedule the next check of a timer, unless the timer has changed.

    If ``unwarned`` is true, the owner will be warned again.
    """
    again = {"stop_warned": False} if unwarned else {}
    WORKSPACES.change(tx, {"id": workspace_id, "stop_at": stop_at}, stop_check_at=at, **again)
    if unwarned:
        cards.queue_messages(tx, workspace_id, changed=True)


def save_timer_warning(
    tx: Transaction,
    workspace_id: str,
    stop_at: float,
    moved_to: float,
    notice: NewNotice,
    *,
    again: bool = False,
) -> None:
    """Write a warning that gives the time of the stop. If the timer has changed, write nothing.

    If an earlier warning hasn't been sent yet, the time in that warning is changed instead, unless its
    message has already been drawn. ``again`` means that the owner has already been warned of this timer.
    """
    row = WORKSPACES.row(tx, id=workspace_id, stop_at=stop_at, stop_warned=again)
    if row is None:
        return
    now, least = tx.now(), timers.LEAST_TIMER_WARNING_SECONDS
    warning_id = row["stop_warning"]
    former = None if again else stop_warnings.find_warning(tx, warning_id)
    next_check_at = max(moved_to - least, now + _CHECK_INTERVAL_SECONDS)
    if former is not None and stop_warnings.is_on_its_way(former) and stop_at > now:
        is_drawn = former["state"] == NoticeState.LEASED
        moved_to = stop_at if is_drawn else max(stop_at, now + least + _CHECK_INTERVAL_SECONDS)
        for table in (NOTICES, CARDS):
            table.change(tx, {"id": warning_id}, body=notice.body | {"stop_at": moved_to})
    else:
        warning_id = stop_warnings.write(tx, notice, warning_id)
    moved = {"stop_at": moved_to, "stop_check_at": next_check_at, "stop_warning": warning_id}
    WORKSPACES.change(tx, {"id": workspace_id}, stop_warned=True, **moved)
    cards.queue_messages(tx, workspace_id, changed=True)


def end_timer(tx: Transaction, workspace_id: str, stop_at: float, notices: Sequence[NewNotice] = ()) -> bool:
    """Clear a timer that is done, and write the notices. Return False if the timer has changed."""
    if not WORKSPACES.count_changed(tx, {"id": workspace_id, "stop_at": stop_at}, **NO_TIMER):
        return False
    add_notices(tx, notices)
    cards.queue_messages(tx, workspace_id, changed=True)
    return True


def unlink(tx: Transaction, workspace: Row) -> None:
    """Notify an owner that a workspace's timer was cancelled, because the account was unlinked.

    The workspace's row is about to be deleted, so the notice contains its name.
    """
    if workspace["stop_at"] is None:
        return
    body = {
        "connection": workspace["connection"],
        "name": workspace["alias"] or workspace["name"],
        "stop_at": workspace["stop_at"],
        "cause": "unlinked",
    }
    occasion = f"{workspace['stop_at']:.0f}"
    principal = parse_principal(workspace["principal"])
    add_notices(tx, [NewNotice(workspace["id"], NoticeKind.PLANNED_STOP_FAILED, occasion, principal, body)])


def apply_timer(tx: Transaction, workspace_id: str, *, is_stopped: bool = False) -> bool:
    """Clear the timer of a workspace that is down and isn't being started. Return whether anything changed.

    The planned stops are kept and take effect again once the workspace is found running, because a single
    read isn't enough to cancel them. But they are cancelled if the owner had the workspace stopped
    (``is_stopped``), or if they were set for a start that failed. A stop that applies only to one start is
    also cancelled if that start ended without sending a call.
    """
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is None or (row["stop_at"] is None and not row["planned_stops"]):
        return False
    workspace, rest = WORKSPACES.parse(row), _make_rest(tx, row, is_stopped=is_stopped)
    is_new = row["stop_at"] is not None or clean(workspace.planned_stops) != clean(rest["planned_stops"])
    if (
        workspace.is_down
        and is_new
        and tx.count(fill_changes("settle_timer", *rest), id=workspace_id, now=tx.now(), **rest)
    ):
        return True
    ends = workspace.planned_stops.rows
    starts = {one.start for one in ends} - {""}
    idle = [one for one in starts if tx.one("idle_start", id=one) is not None]
    if idle:
        drop_stops(tx, workspace_id, *idle)
    return bool(idle)


def _make_rest(tx: Transaction, row: Row, *, is_stopped: bool) -> Row:
    """Return the columns for a workspace that is down, which keeps its planned stops but has no timer.

    The workspace is read again immediately, because a single read doesn't prove that it is down.
    """
    if is_stopped:
        return dict(NO_TIMER)
    now, latest = tx.now(), OPERATIONS.first(tx, "latest_operation", workspace_id=row["id"])
    kept = tuple(
        one
        for one in WORKSPACES.parse(row).planned_stops.rows
        if one.at > now - _DOUBT_SECONDS and not _was_for(one, latest)
    )
    resting = {"planned_stops": PlannedStops(kept), "stop_check_at": now} if kept else {}
    return {**NO_TIMER, **resting}


def _was_for(end: PlannedStop, start: operations.Operation | None) -> bool:
    """Return whether a stop was planned for a start that failed, or while that start was in progress."""
    if start is None or start.verb.brings_down or start.outcome is work_items.Outcome.FULFILLED:
        return False
    return end.start == start.id or start.created_at <= end.since <= (start.ended_at or math.inf)


def resume_ends(tx: Transaction, workspace_id: str) -> None:
    """Make a workspace's planned stops effective again, because it came up.

    The owner is warned of them again.
    """
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is None or row["stop_at"] is not None or not row["planned_stops"]:
        return
    oldest = tx.now() - _DOUBT_SECONDS
    _change(tx, workspace_id, lambda ends: tuple(one for one in ends.rows if one.at > oldest))


def begin_run(tx: Transaction, workspace: workspaces.Workspace) -> None:
    """Cancel planned stops that are past or were only for the last run, as the owner starts the workspace."""
    ends, now = workspace.planned_stops.rows, tx.now()
    if workspace.stop_at is not None or not ends:
        return
    kept = [one for one in ends if one.at > now and one.because not in _OF_ONE_RUN]
    WORKSPACES.change(tx, {"id": workspace.id}, planned_stops=PlannedStops(tuple(kept)) if kept else "")


def schedule_resting_check(tx: Transaction, resting: workspaces.Workspace) -> None:
    """Schedule the next read of a workspace that is down for when a planned stop or its warning is due."""
    now, ends = tx.now(), resting.planned_stops.rows
    checks = [at for one in ends for at in (one.at - timers.find_warning_seconds(one.card), one.at)]
    next_check_at = min((at for at in checks if at > now), default=None)
    WORKSPACES.change(tx, {"id": resting.id, "stop_at": None}, stop_check_at=next_check_at)


#: States in which a workspace counts as in use. If such a workspace goes down although nobody requested
#: it, its owner is notified.
_IN_USE: Final = frozenset({workspaces.State.RUNNING, workspaces.State.STOPPING})


def note_state(
    tx: Transaction,
    before: Row,
    after: workspaces.State,
    seen_at: float,
    verb: str | None,
    *,
    came_up_again: bool = False,
) -> None:
    """React to a read or list that shows that a workspace went down, or came up without an operation.

    ``before`` is the row before the read or list, and ``verb`` is the verb of the open operation, if any.
    ``came_up_again`` means that the workspace was down in between, although no read showed it. Its planned
    stops are kept, and its owner is warned of them again.
    """
    workspace_id, words = before["id"], before["actions"]
    state = parse_enum(workspaces.State, before["state"])
    was_down = workspaces.is_down(state, None if words is None else words.split())
    # While an operation is open, no message has reported its end, so no message has to be corrected.
    is_corrected = verb is None and corrections.note_contradiction(tx, before, after, seen_at)
    if after in workspaces.NOT_UP_STATES:
        apply_timer(tx, workspace_id)
        if not is_corrected and state in _IN_USE:
            _notify_of_unrequested_stop(tx, before, seen_at)
    elif after in workspaces.UP_STATES and (came_up_again or was_down):
        # If an operation is bringing the workspace up, the workspace's generation began when the operation
        # was accepted.
        if verb not in operations.BRINGING_UP:
            tx.run("next_episode", id=workspace_id)
            row = WORKSPACES.row(tx, id=workspace_id) if came_up_again else None
            if row is not None:
                WORKSPACES.change(tx, {"id": workspace_id}, **_make_rest(tx, row, is_stopped=False))
        if before["planned_stops"] or came_up_again:
            resume_ends(tx, workspace_id)


def _notify_of_unrequested_stop(tx: Transaction, before: Row, seen_at: float) -> None:
    """Tell an owner that a workspace went down, unless an operation or a stop by Usher explains it.

    The notice (STOPPED_ELSEWHERE) is written once for each such event: its subject is the workspace, and its
    occasion is when the workspace was seen down. The owner's preferences decide whether it is sent
    (``bot.domain.notices``).
    """
    workspace_id = before["id"]
    row = tx.one("stop_watch", id=workspace_id)
    if row is None or row["open_operation"] is not None:
        return
    operation = tx.one("latest_operation", workspace_id=workspace_id)
    # The workspace may have gone down because of a stop whose end no read has shown yet. A stop that has
    # finished can't be the cause, because the workspace has come up since.
    is_ours = (
        operation is not None
        and operation["verb"] not in operations.BRINGING_UP
        and operation["outcome"] != work_items.Outcome.FULFILLED
    )
    if is_ours:
        return
    body = {"workspace": workspace_id, "connection": row["connection"]}
    body |= corrections.explain_stop(tx, before, seen_at)
    principal = parse_principal(row["principal"])
    occasion = f"{seen_at:.3f}"
    add_notices(tx, [NewNotice(workspace_id, NoticeKind.STOPPED_ELSEWHERE, occasion, principal, body)])
