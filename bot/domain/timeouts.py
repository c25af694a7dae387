"""How long to wait before giving up on an unknown outcome, trusting a read, or calling a start slow.

A single observation proves little. A call without an answer may still take effect, and a read may be refused
or find nothing because of a gateway error. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.observations import Created
from bot.domain.operations import MAX_PROMPT_SECONDS, Operation, OperationVerb
from bot.domain.reads import Unconfirmed
from bot.domain.runs import Run
from bot.domain.work_items import Call, WorkItem
from bot.domain.workspaces import State, Workspace

#: How long, in seconds, to wait for a visible effect of a start or stop whose outcome is unknown. The call is
#: then repeated, which is harmless.
START_SETTLES: Final = 60.0
#: How long, in seconds, to wait for a visible effect of a start or stop if the process that was making the
#: call has died. This is shorter than ``START_SETTLES``, which also allows for calls that timed out and may
#: still be on their way to a slow server.
INTERRUPTED_SETTLES: Final = 30.0
#: How long, in seconds, to look for the result of a creation or launch whose outcome is unknown.
MAKE_SETTLES: Final = 120.0
#: How long, in seconds, the provider may report a workspace as down after an accepted start before its card
#: says so. After ``NEVER_UP_AFTER`` seconds, the start counts as failed.
STILL_DOWN_AFTER: Final = 60.0
NEVER_UP_AFTER: Final = 180.0
#: How long, in seconds, an accepted stop may have no effect before the card says so.
NO_EFFECT_AFTER: Final = 60.0
#: First wait, in seconds, before retrying a call that a busy provider refused. While the provider keeps
#: refusing the call, the wait grows, to at most ``MAX_BUSY_SECONDS``. ``busy_pause`` randomly shortens each
#: wait by up to half.
MIN_BUSY_SECONDS: Final = 10.0
MAX_BUSY_SECONDS: Final = 300.0
#: Maximum wait, in seconds, before retrying a call that was refused because of another change to the
#: workspace. Such a change rarely takes long.
MAX_CONFLICT_SECONDS: Final = 60.0
#: After a failed workspace is started, early reads may still show the old failure. Two reads must therefore
#: show the workspace as failed, the second at least this many seconds after the call, before the start counts
#: as failed.
FAILED_AGAIN_AFTER: Final = 20.0
#: How long, in seconds, to wait before rereading a workspace that seems to be gone. An error at the provider
#: can make it seem so for hours.
SAID_AGAIN_AFTER: Final = 86_400.0
#: Maximum duration of a call by another process, in seconds. After that, the call has ended or the process
#: has died. This is longer than a call's time-out and the lease of its step.
CALL_ENDS: Final = 45.0
#: How long, in seconds, a user has to answer a question. Also how long a connection must be missing from the
#: settings before it counts as removed.
ANSWER_SECONDS: Final = 86_400.0

#: Maximum time, in seconds, between two searches for a missing result while the user is being asked about it.
_SELDOM: Final = 300.0

#: An uncertain report: a read didn't find the workspace. Another read has to confirm this.
GONE: Final = "gone"
#: An uncertain report: a list doesn't contain the workspace. A read or the next list has to confirm this.
UNLISTED: Final = "unlisted"
LEFT_OUT: Final = "left_out"
#: Kinds of report that a workspace is starting or has failed, but without the reason. Each maps to that
#: state. The next read asks the provider for the reason.
UNEXPLAINED: Final = {f"{state}, unexplained": state for state in (State.STARTING, State.FAILED)}
EXPLAINED: Final = "explained"
#: Maps each kind of uncertain report to what Usher requires before believing it: how many reads in a row must
#: agree, and how many seconds must have passed since the first of them. For refused reads, see
#: ``_REFUSAL_CERTAIN``.
_CERTAIN: Final = {GONE: (2, 0.0), LEFT_OUT: (3, 0.0)}
_REFUSAL_CERTAIN: Final = (3, 60.0)


def unknown_since(call: Call, called_at: float | None, since: float | None) -> float:
    """Return when a call's outcome became unknown. For a call in flight, return when it must have ended."""
    if call is Call.INTERRUPTED:
        return called_at or 0.0
    if since is not None and call is not Call.CALLING:
        return since
    return (called_at or 0.0) + CALL_ENDS


def find_settling_time(work_item: WorkItem) -> float:
    """Return when a start or stop whose outcome is unknown would have shown an effect."""
    call = work_item.stop_call if work_item.stop_call.is_unsure else work_item.start_call
    settles = INTERRUPTED_SETTLES if call is Call.INTERRUPTED else START_SETTLES
    return unknown_since(call, work_item.called_at, work_item.unknown_since) + settles


def busy_pause(busy_for: float, jitter: float, *, longest: float = MAX_BUSY_SECONDS) -> float:
    """Return how many seconds to wait before retrying a refused call: at most ``longest``.

    The pause grows with ``busy_for``, the number of seconds for which the call has been refused so far.
    ``jitter``, from 0 to 1, shortens it by up to half, so that calls that were refused together aren't all
    sent again at the same moment.
    """
    return min(busy_for + MIN_BUSY_SECONDS, longest) * (1.0 - jitter / 2.0)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a provider may be called, and how much at a time. Times are in seconds.

    Attributes:
        min_poll_interval: Minimum time between two reads of a workspace, by anyone (the poll gate).
        pending_interval: Time between reads of a workspace that is starting or stopping.
        running_interval: Time between reads of a workspace that is running and was used within a day, or
            isn't running and was used within the hour.
        unused_interval: Time between reads of a workspace that is running but wasn't used within a day, or
            isn't running and was used within a day.
        batch_size: Maximum number of workspaces in one call of ``status``.
        concurrency: Maximum number of concurrent calls.
    """

    min_poll_interval: float
    pending_interval: float
    running_interval: float = 300.0
    unused_interval: float = 1800.0
    batch_size: int = 1
    concurrency: int = 20


def search_in(pace: Pace, asked_at: float | None, now: float) -> float:
    """Return how many seconds to wait before the next search, which is longer while the user is asked."""
    usual = max(pace.pending_interval, pace.min_poll_interval)
    return usual if asked_at is None else max(usual, min((now - asked_at) / 20.0, _SELDOM))


def has_settled(maker: WorkItem, now: float) -> bool:
    """Return whether a creation or launch whose outcome is unknown would have a visible result by now."""
    return now >= unknown_since(maker.start_call, maker.called_at, maker.unknown_since) + MAKE_SETTLES


class Verdict(StrEnum):
    """What Usher does after a search that found no certain result."""

    SEARCH = "search"  #: the result may still appear, so search again
    REPEAT = "repeat"  #: nothing was created, so make the call again
    NOTHING = "nothing"  #: nothing was created, and nobody needs it any more
    ASK = "ask"  #: the outcome can't be determined, so the person decides
    UNTOLD = "untold"  #: the outcome can't be determined, but nobody needs the result any more


def judge(
    ours: Created | None,
    unexplained: Sequence[Created],
    *,
    is_proof: bool,
    has_settled: bool,
    is_wanted: bool,
) -> Created | Verdict:
    """Return the call's result if a search found it. If not, return what to do instead.

    A result with Usher's mark (``ours``) is accepted. If there is none, but nothing else explains exactly one
    of the results, that one is accepted. ``is_proof`` means that the provider would show Usher's mark, so
    that finding nothing proves that nothing was created.
    """
    if ours is not None:
        return ours
    if len(unexplained) == 1:
        return unexplained[0]
    if not has_settled:
        return Verdict.SEARCH
    if is_proof and not unexplained:
        return Verdict.REPEAT if is_wanted else Verdict.NOTHING
    return Verdict.ASK if is_wanted else Verdict.UNTOLD


def is_confirmed(unconfirmed: Unconfirmed, now: float) -> bool:
    """Return whether reads have reported the same thing often enough, and for long enough, to act on it."""
    times, seconds = _CERTAIN.get(unconfirmed.kind, _REFUSAL_CERTAIN)
    return unconfirmed.times >= times and now - unconfirmed.since >= seconds


def count_unconfirmed(before: Unconfirmed | None, kind: str, now: float) -> Unconfirmed:
    """Count how many reads in a row, including this one, have reported the same thing."""
    if before is None or before.kind != kind:
        return Unconfirmed(kind, 1, now)
    return Unconfirmed(kind, before.times + 1, before.since)


#: Seconds after which a stop that has had no effect can be forced.
UNANSWERED_SECONDS: Final = 60.0


def is_slow(operation: Operation, now: float) -> bool:
    """Return whether a start is slower than usual."""
    slow_at = operation.slow_at
    return slow_at is not None and now >= slow_at


def is_on_time(operation: Operation, now: float) -> bool:
    """Return whether a start is still within its usual duration. If that isn't known, return False."""
    return operation.slow_at is not None and not is_slow(operation, now)


def list_card_changes(operation: Operation) -> list[float]:
    """Return the times at which an operation's card changes even without news about the operation."""
    waits = [] if operation.has_called else [operation.created_at + MAX_PROMPT_SECONDS]
    return waits if operation.slow_at is None else [*waits, operation.slow_at]


def is_going(operation: Operation, workspace: Workspace | None) -> bool:
    """Return whether an operation is in progress: its call was sent, or its workspace is changing."""
    if Call.NONE is not operation.start_call or Call.NONE is not operation.stop_call:
        return True
    if workspace is None:
        return False
    on_its_way = State.STOPPING if operation.verb.brings_down else State.STARTING
    is_coming = operation.verb is OperationVerb.START and workspace.lacks is not None
    return workspace.state is on_its_way or is_coming


def is_unanswered(operation: Operation, now: float) -> bool:
    """Return whether an open stop was sent, and was requested long enough ago to be forced."""
    is_stop = operation.verb in (OperationVerb.STOP, OperationVerb.SUSPEND)
    is_asked = operation.is_open and is_stop and operation.stop_call is not Call.NONE
    return is_asked and now - operation.created_at >= UNANSWERED_SECONDS


def is_run_unanswered(run: Run, now: float) -> bool:
    """Return whether a run's stop was sent long enough ago to be forced."""
    is_asked = run.requested_stop == "stop" and run.stop_call is not Call.NONE
    return run.is_going and is_asked and now - (run.called_at or now) >= UNANSWERED_SECONDS
