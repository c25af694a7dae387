"""When an unknown outcome has settled, when reads count as certain, and when a start is slow; pure.

One observation is not the truth: a call without an answer may still take effect, and a read that is refused
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

#: A start or stop of unknown outcome that shows no effect within this many seconds is sent again; sending it
#: twice does no harm.
START_SETTLES: Final = 60.0
#: The same from the call on where its process has died: nobody can be sending it any more, and unlike after a
#: time-out nothing says that its server is slow.
INTERRUPTED_SETTLES: Final = 30.0
#: How many seconds to look for what may have been created or launched before concluding anything.
MAKE_SETTLES: Final = 120.0
#: An accepted start that still shows as down: when the card says so, and when the start counts as failed.
STILL_DOWN_AFTER: Final = 60.0
NEVER_UP_AFTER: Final = 180.0
#: When the card says that an accepted stop shows no effect.
NO_EFFECT_AFTER: Final = 60.0
#: How long a call that was refused because its provider is busy waits before it is sent again: as long as it
#: has been refused, and not less or more than this many seconds; ``busy_pause`` takes off up to half.
MIN_BUSY_SECONDS: Final = 10.0
MAX_BUSY_SECONDS: Final = 300.0
#: The same for one that was refused because something else is under way, which is rarely long.
MAX_CONFLICT_SECONDS: Final = 60.0
#: An accepted start of what had failed has failed again once two reads in a row say so, the second of them
#: this many seconds after the call.
FAILED_AGAIN_AFTER: Final = 20.0
#: What is gone is read again this many seconds later, as an error may last for hours.
SAID_AGAIN_AFTER: Final = 86_400.0
#: After this many seconds a call begun by another process has ended, or that process has. Longer than a
#: call's time-out and its step's lease.
CALL_ENDS: Final = 45.0
#: How long a question stays open, and how long a connection may be missing before it counts as removed.
ANSWER_SECONDS: Final = 86_400.0

#: The longest interval between looks while the person is asked.
_SELDOM: Final = 300.0

#: What a read may report that isn't certain yet, besides the kinds of refusals.
GONE: Final = "gone"
#: The same for a list; a read or the next list confirms it.
UNLISTED: Final = "unlisted"
LEFT_OUT: Final = "left_out"
#: It is starting, or has failed, and the next read asks why: the state in which it was found, by that kind.
UNEXPLAINED: Final = {f"{state}, unexplained": state for state in (State.STARTING, State.FAILED)}
EXPLAINED: Final = "explained"
#: How many times in a row, and over how many seconds, it must be reported; every other kind is a refusal.
_CERTAIN: Final = {GONE: (2, 0.0), LEFT_OUT: (3, 0.0)}
_REFUSAL_CERTAIN: Final = (3, 60.0)


def unknown_since(call: Call, called_at: float | None, since: float | None) -> float:
    """Return when a call's outcome became unknown; for a call still in flight, the latest time it can end."""
    if call is Call.INTERRUPTED:
        return called_at or 0.0
    if since is not None and call is not Call.CALLING:
        return since
    return (called_at or 0.0) + CALL_ENDS


def find_settling_time(work_item: WorkItem) -> float:
    """Return when a start or stop of unknown outcome has had its time to show an effect."""
    call = work_item.stop_call if work_item.stop_call.is_unsure else work_item.start_call
    settles = INTERRUPTED_SETTLES if call is Call.INTERRUPTED else START_SETTLES
    return unknown_since(call, work_item.called_at, work_item.unknown_since) + settles


def busy_pause(busy_for: float, jitter: float, *, longest: float = MAX_BUSY_SECONDS) -> float:
    """Return the seconds until a refused call is sent again: doubling from 10 s to ``longest``, jittered.

    ``busy_for`` is how long it has been refused, in seconds. ``jitter`` is in 0–1 and takes off up to half,
    so that calls that were refused together aren't sent again together.
    """
    return min(busy_for + MIN_BUSY_SECONDS, longest) * (1.0 - jitter / 2.0)


def search_in(pace: Pacing, asked_at: float | None, now: float) -> float:
    """Return the seconds until the next look: the usual pace, and less often while the person is asked."""
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
    """Decisions after a check that found nothing certain."""

    SEARCH = "search"  #: it may still show up: look again at the usual pace
    REPEAT = "repeat"  #: nothing was made: send the call again
    NOTHING = "nothing"  #: nothing was made, and nobody wants it any more
    ASK = "ask"  #: it can't be determined: the person decides
    UNTOLD = "untold"  #: it can't be determined, and nobody wants it any more


def judge(
    ours: Created | None,
    unexplained: Sequence[Created],
    *,
    is_proof: bool,
    has_settled: bool,
    is_wanted: bool,
) -> Created | Verdict:
    """Decide about an unknown outcome after a check of the provider.

    A resource with Usher's mark, or the only one that the call can have made, is adopted. ``is_proof``:
    the provider would show Usher's mark, so finding nothing means nothing was made.
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
    """Return whether reads reported something often and long enough to act on it."""
    times, seconds = _CERTAIN.get(unconfirmed.kind, _REFUSAL_CERTAIN)
    return unconfirmed.times >= times and now - unconfirmed.since >= seconds


def count_unconfirmed(before: Unconfirmed | None, kind: str, now: float) -> Unconfirmed:
    """Return the count after one more read; a different kind restarts it."""
    if before is None or before.kind != kind:
        return Unconfirmed(kind, 1, now)
    return Unconfirmed(kind, before.times + 1, before.since)


#: A stop without effect for this many seconds counts as unanswered and can then be forced.
UNANSWERED_SECONDS: Final = 60.0


def is_slow(operation: Operation, now: float) -> bool:
    """Return whether a start is slower than usual."""
    slow_at = operation.slow_at
    return slow_at is not None and now >= slow_at


def is_on_time(operation: Operation, now: float) -> bool:
    """Return whether a start whose usual time is known isn't slow yet."""
    return operation.slow_at is not None and not is_slow(operation, now)


def list_card_changes(operation: Operation) -> list[float]:
    """Return the times of an operation at which its card says something else by itself."""
    waits = [] if operation.has_called else [operation.created_at + MAX_PROMPT_SECONDS]
    return waits if operation.slow_at is None else [*waits, operation.slow_at]


def is_going(operation: Operation, workspace: Workspace | None) -> bool:
    """Return whether it is in progress: a call was sent, or the workspace was seen starting or stopping."""
    if Call.NONE is not operation.start_call or Call.NONE is not operation.stop_call:
        return True
    if workspace is None:
        return False
    on_its_way = State.STOPPING if operation.verb.brings_down else State.STARTING
    is_coming = operation.verb is OperationVerb.START and workspace.lacks is not None
    return workspace.state is on_its_way or is_coming


def is_unanswered(operation: Operation, now: float) -> bool:
    """Return whether an open stop was requested long enough ago that it can be forced."""
    is_asked = (
        operation.verb in (OperationVerb.STOP, OperationVerb.SUSPEND) and operation.stop_call is not Call.NONE
    )
    return operation.is_open and is_asked and now - operation.created_at >= UNANSWERED_SECONDS


def is_run_unanswered(run: Run, now: float) -> bool:
    """Return whether a run's stop was sent long enough ago that it can be forced."""
    is_asked = run.requested_stop == "stop" and run.stop_call is not Call.NONE
    return run.is_going and is_asked and now - (run.called_at or now) >= UNANSWERED_SECONDS
