"""How long to wait before an unknown outcome is settled, a read is trusted, or a start counts as slow.

A single observation proves little: a call without an answer may still take effect, and a read that is refused
or finds nothing may be a gateway's error. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol

from bot.domain.observations import Created
from bot.domain.operations import MAX_PROMPT_SECONDS, Operation, OperationVerb
from bot.domain.reads import Unconfirmed
from bot.domain.runs import Run
from bot.domain.work_items import Call, WorkItem
from bot.domain.workspaces import State, Workspace

#: After this many seconds, a start or stop of unknown outcome that has had no effect is sent again. Sending
#: it twice does no harm.
START_SETTLES: Final = 60.0
#: After this many seconds, a start or stop interrupted by the death of its process is sent again. Nothing can
#: still be sending the call and, unlike after a time-out, nothing suggests that the server is slow.
INTERRUPTED_SETTLES: Final = 30.0
#: How long to look for the result of a creation or launch of unknown outcome before drawing a conclusion, in
#: seconds.
MAKE_SETTLES: Final = 120.0
#: If the workspace is still shown as down ``STILL_DOWN_AFTER`` seconds after an accepted start, the card says
#: so; after ``NEVER_UP_AFTER`` seconds, the start counts as failed.
STILL_DOWN_AFTER: Final = 60.0
NEVER_UP_AFTER: Final = 180.0
#: How long after an accepted stop the card says that it has had no effect, in seconds.
NO_EFFECT_AFTER: Final = 60.0
#: Minimum and maximum number of seconds until a call refused by a busy provider is sent again. The pause
#: grows the longer the call has been refused, and ``busy_pause`` takes off up to half.
MIN_BUSY_SECONDS: Final = 10.0
MAX_BUSY_SECONDS: Final = 300.0
#: Maximum number of seconds until a call is sent again that was refused because of another change of the
#: workspace, which rarely takes long.
MAX_CONFLICT_SECONDS: Final = 60.0
#: How many seconds after the accepted start of a failed workspace a failure can count as a new one. Two reads
#: in a row have to find it, the second one after this time.
FAILED_AGAIN_AFTER: Final = 20.0
#: How long until a workspace that was found gone is read again, in seconds, because an error may last for
#: hours.
SAID_AGAIN_AFTER: Final = 86_400.0
#: After this many seconds, a call begun by another process has ended, or that process has died. This is
#: longer than a call's time-out and its step's lease.
CALL_ENDS: Final = 45.0
#: How long a question stays open, and how long a connection may be missing before it counts as removed, in
#: seconds.
ANSWER_SECONDS: Final = 86_400.0

#: Maximum number of seconds between searches while the user is being asked.
_SELDOM: Final = 300.0

#: The read found nothing. Like the kinds below, this is an uncertain report that has to be confirmed;
#: refusals are others.
GONE: Final = "gone"
#: The workspace is missing from a list, which a read or the next list has to confirm.
UNLISTED: Final = "unlisted"
LEFT_OUT: Final = "left_out"
#: Maps each kind of report to the state that was found, starting or failed, whose reason the next read asks
#: for.
UNEXPLAINED: Final = {f"{state}, unexplained": state for state in (State.STARTING, State.FAILED)}
EXPLAINED: Final = "explained"
#: Maps each kind of report to how many in a row, over how many seconds, are needed before it counts. Any
#: other kind is a refusal.
_CERTAIN: Final = {GONE: (2, 0.0), LEFT_OUT: (3, 0.0)}
_REFUSAL_CERTAIN: Final = (3, 60.0)


def unknown_since(call: Call, called_at: float | None, since: float | None) -> float:
    """Return when a call's outcome became unknown; for a call in flight, the latest time it can end."""
    if call is Call.INTERRUPTED:
        return called_at or 0.0
    if since is not None and call is not Call.CALLING:
        return since
    return (called_at or 0.0) + CALL_ENDS


def find_settling_time(work_item: WorkItem) -> float:
    """Return the time by which a start or stop of unknown outcome would have shown an effect."""
    call = work_item.stop_call if work_item.stop_call.is_unsure else work_item.start_call
    settles = INTERRUPTED_SETTLES if call is Call.INTERRUPTED else START_SETTLES
    return unknown_since(call, work_item.called_at, work_item.unknown_since) + settles


def busy_pause(busy_for: float, jitter: float, *, longest: float = MAX_BUSY_SECONDS) -> float:
    """Return how many seconds to wait before resending a refused call: 10 to ``longest``, with jitter.

    The pause grows with ``busy_for``, the number of seconds the call has been refused so far. ``jitter``,
    from 0 to 1, takes off up to half, so that calls that were refused together aren't sent again together.
    """
    return min(busy_for + MIN_BUSY_SECONDS, longest) * (1.0 - jitter / 2.0)


def search_in(pace: Pacing, asked_at: float | None, now: float) -> float:
    """Return how many seconds to wait before the next search; longer than usual while the user is asked."""
    usual = max(pace.pending_interval, pace.min_poll_interval)
    return usual if asked_at is None else max(usual, min((now - asked_at) / 20.0, _SELDOM))


def has_settled(maker: WorkItem, now: float) -> bool:
    """Return whether the result of a creation or launch of unknown outcome would be visible by now."""
    return now >= unknown_since(maker.start_call, maker.called_at, maker.unknown_since) + MAKE_SETTLES


class Pacing(Protocol):
    """How often a provider is read, in seconds; ``bot.providers.base.Pace`` implements this."""

    @property
    def min_poll_interval(self) -> float:
        """Return the minimum number of seconds between two reads of a resource."""
        ...

    @property
    def pending_interval(self) -> float:
        """Return the number of seconds between reads while an operation or transition is in progress."""
        ...

    @property
    def running_interval(self) -> float:
        """Return the number of seconds between reads of a running workspace that is in use."""
        ...

    @property
    def unused_interval(self) -> float:
        """Return the number of seconds between reads of a workspace that hasn't been used for a day."""
        ...


class Verdict(StrEnum):
    """What to do after a search that found no certain result."""

    SEARCH = "search"  #: the result may still show up: search again
    REPEAT = "repeat"  #: nothing was made: send the call again
    NOTHING = "nothing"  #: nothing was made, and nobody wants it any more
    ASK = "ask"  #: nobody can tell: the person decides
    UNTOLD = "untold"  #: nobody can tell, and nobody wants it any more


def judge(
    ours: Created | None,
    unexplained: Sequence[Created],
    *,
    is_proof: bool,
    has_settled: bool,
    is_wanted: bool,
) -> Created | Verdict:
    """Return the resource to adopt as a call's result after a search, or what to do instead.

    A resource with Usher's mark (``ours``) is adopted or, failing that, the only one that nothing else
    explains. ``is_proof``: the provider would show Usher's mark, so finding nothing means that nothing was
    made.
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
    """Return whether reads have reported something often enough and for long enough to act on it."""
    times, seconds = _CERTAIN.get(unconfirmed.kind, _REFUSAL_CERTAIN)
    return unconfirmed.times >= times and now - unconfirmed.since >= seconds


def count_unconfirmed(before: Unconfirmed | None, kind: str, now: float) -> Unconfirmed:
    """Return the number of consistent reports after one more read; a different kind restarts the count."""
    if before is None or before.kind != kind:
        return Unconfirmed(kind, 1, now)
    return Unconfirmed(kind, before.times + 1, before.since)


#: How long a stop must have had no effect before it can be forced, in seconds.
UNANSWERED_SECONDS: Final = 60.0


def is_slow(operation: Operation, now: float) -> bool:
    """Return whether a start is slower than usual."""
    slow_at = operation.slow_at
    return slow_at is not None and now >= slow_at


def is_on_time(operation: Operation, now: float) -> bool:
    """Return whether a start whose usual duration is known isn't slow yet."""
    return operation.slow_at is not None and not is_slow(operation, now)


def list_card_changes(operation: Operation) -> list[float]:
    """Return the times at which an operation's card changes even if nothing new is known."""
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
    """Return whether an open stop was sent and was requested long enough ago that it can be forced."""
    is_asked = (
        operation.verb in (OperationVerb.STOP, OperationVerb.SUSPEND) and operation.stop_call is not Call.NONE
    )
    return operation.is_open and is_asked and now - operation.created_at >= UNANSWERED_SECONDS


def is_run_unanswered(run: Run, now: float) -> bool:
    """Return whether a run's stop was sent long enough ago that it can be forced."""
    is_asked = run.requested_stop == "stop" and run.stop_call is not Call.NONE
    return run.is_going and is_asked and now - (run.called_at or now) >= UNANSWERED_SECONDS
