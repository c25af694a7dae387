"""When an unknown outcome has settled, when reads count as certain, and when a start is slow. Pure functions.

One observation is not the truth. A call without an answer may still take effect, and a read that is refused
or finds nothing may be a gateway's error.
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

#: Seconds after which a start or stop of unknown outcome is sent again if it shows no effect. Sending it
#: twice does no harm.
START_SETTLES: Final = 60.0
#: The same, counted from the call, if its process has died. Nobody can be sending the call any more and,
#: unlike after a time-out, nothing suggests that the server is slow.
INTERRUPTED_SETTLES: Final = 30.0
#: Seconds to look for the result of a creation or launch of unknown outcome before concluding anything.
MAKE_SETTLES: Final = 120.0
#: Seconds after an accepted start at which, if the workspace still shows as down, the card says so, and at
#: which the start counts as failed.
STILL_DOWN_AFTER: Final = 60.0
NEVER_UP_AFTER: Final = 180.0
#: Seconds after an accepted stop at which the card says that it shows no effect.
NO_EFFECT_AFTER: Final = 60.0
#: Least and most seconds until a call that a busy provider refused is sent again. The pause grows with the
#: time for which the call has been refused, and ``busy_pause`` takes off up to half.
MIN_BUSY_SECONDS: Final = 10.0
MAX_BUSY_SECONDS: Final = 300.0
#: Most seconds of that pause if another change of the workspace is the reason, which is rarely long.
MAX_CONFLICT_SECONDS: Final = 60.0
#: Seconds after the accepted start of a failed workspace until a failure may count as a new one. Two reads in
#: a row have to find it, the second of them after this time.
FAILED_AGAIN_AFTER: Final = 20.0
#: Seconds until a workspace that was found gone is read again, as an error may last for hours.
SAID_AGAIN_AFTER: Final = 86_400.0
#: Seconds after which a call begun by another process has ended, or that process has. Longer than a call's
#: time-out and its step's lease.
CALL_ENDS: Final = 45.0
#: Seconds that a question stays open, and that a connection may be missing before it counts as removed.
ANSWER_SECONDS: Final = 86_400.0

#: Most seconds between searches while the person is asked.
_SELDOM: Final = 300.0

#: Kinds of uncertain reports, besides those of refusals. A read found nothing.
GONE: Final = "gone"
#: A list lacks the workspace, which a read or the next list has to confirm.
UNLISTED: Final = "unlisted"
LEFT_OUT: Final = "left_out"
#: The workspace is starting or has failed, and the next read asks why. The state that was found, by kind.
UNEXPLAINED: Final = {f"{state}, unexplained": state for state in (State.STARTING, State.FAILED)}
EXPLAINED: Final = "explained"
#: Reports in a row, and seconds that they have to span, before each kind counts. Any other kind is a refusal.
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
    """Return the seconds until a refused call is sent again, growing from 10 s to ``longest``, with jitter.

    ``busy_for`` is how long it has been refused, in seconds. ``jitter``, from 0 to 1, takes off up to half,
    so that calls that were refused together aren't sent again together.
    """
    return min(busy_for + MIN_BUSY_SECONDS, longest) * (1.0 - jitter / 2.0)


def search_in(pace: Pacing, asked_at: float | None, now: float) -> float:
    """Return the seconds until the next search: the usual pace, and rarer while the person is asked."""
    usual = max(pace.pending_interval, pace.min_poll_interval)
    return usual if asked_at is None else max(usual, min((now - asked_at) / 20.0, _SELDOM))


def has_settled(maker: WorkItem, now: float) -> bool:
    """Return whether the result of a creation or launch of unknown outcome would have shown up by now."""
    return now >= unknown_since(maker.start_call, maker.called_at, maker.unknown_since) + MAKE_SETTLES


class Pacing(Protocol):
    """The intervals between reads of a provider, in seconds; ``bot.providers.base.Pace`` is one."""

    @property
    def min_poll_interval(self) -> float:
        """Return the least seconds between two reads of a resource."""
        ...

    @property
    def pending_interval(self) -> float:
        """Return the seconds between reads while an operation or transition is in progress."""
        ...

    @property
    def running_interval(self) -> float:
        """Return the seconds between reads of a running workspace in use."""
        ...

    @property
    def unused_interval(self) -> float:
        """Return the seconds between reads of a workspace unused for a day."""
        ...


class Verdict(StrEnum):
    """Decisions after a search that found no certain result."""

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
    """Return the resource to adopt as a call's result after a search at the provider, or a decision.

    A resource with Usher's mark (``ours``) is adopted, or the only one that nothing else explains.
    ``is_proof``: the provider would show Usher's mark, so finding nothing means that nothing was made.
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
    """Return whether reads have reported something often and long enough to act on it."""
    times, seconds = _CERTAIN.get(unconfirmed.kind, _REFUSAL_CERTAIN)
    return unconfirmed.times >= times and now - unconfirmed.since >= seconds


def count_unconfirmed(before: Unconfirmed | None, kind: str, now: float) -> Unconfirmed:
    """Return the count after one more read; a different kind restarts it."""
    if before is None or before.kind != kind:
        return Unconfirmed(kind, 1, now)
    return Unconfirmed(kind, before.times + 1, before.since)


#: Seconds after which a stop without effect can be forced.
UNANSWERED_SECONDS: Final = 60.0


def is_slow(operation: Operation, now: float) -> bool:
    """Return whether a start is slower than usual."""
    slow_at = operation.slow_at
    return slow_at is not None and now >= slow_at


def is_on_time(operation: Operation, now: float) -> bool:
    """Return whether a start whose usual time is known isn't slow yet."""
    return operation.slow_at is not None and not is_slow(operation, now)


def list_card_changes(operation: Operation) -> list[float]:
    """Return the times at which an operation's card changes without any news."""
    waits = [] if operation.has_called else [operation.created_at + MAX_PROMPT_SECONDS]
    return waits if operation.slow_at is None else [*waits, operation.slow_at]


def is_going(operation: Operation, workspace: Workspace | None) -> bool:
    """Return whether an operation is in progress: its call was sent, or its workspace is on the way."""
    if Call.NONE is not operation.start_call or Call.NONE is not operation.stop_call:
        return True
    if workspace is None:
        return False
    on_its_way = State.STOPPING if operation.verb.brings_down else State.STARTING
    is_coming = operation.verb is OperationVerb.START and workspace.lacks is not None
    return workspace.state is on_its_way or is_coming


def is_unanswered(operation: Operation, now: float) -> bool:
    """Return whether an open stop was sent, and requested long enough ago that it can be forced."""
    is_asked = (
        operation.verb in (OperationVerb.STOP, OperationVerb.SUSPEND) and operation.stop_call is not Call.NONE
    )
    return operation.is_open and is_asked and now - operation.created_at >= UNANSWERED_SECONDS


def is_run_unanswered(run: Run, now: float) -> bool:
    """Return whether a run's stop was sent long enough ago that it can be forced."""
    is_asked = run.requested_stop == "stop" and run.stop_call is not Call.NONE
    return run.is_going and is_asked and now - (run.called_at or now) >= UNANSWERED_SECONDS
