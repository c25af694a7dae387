"""The life cycle on one screen: the next step of an operation, given what was observed; when to look again.

``plan`` and ``next_read`` are pure and total: no clock, no I/O, an answer for every input. The tables of
``tests/domain/test_plan.py`` are their specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.models import (
    Action,
    Call,
    Effects,
    Operation,
    OperationVerb,
    Outcome,
    RunOutcome,
    State,
    StopEffect,
    StopMode,
)
from bot.domain.models.stopping import gentlest_mode, is_final, restart_mode
from bot.domain.settling import (
    ANSWER_SECONDS,
    CALL_ENDS,
    NEVER_UP_AFTER,
    START_SETTLES,
    STILL_DOWN_AFTER,
    unknown_since,
)

if TYPE_CHECKING:
    from bot.domain.settling import Pacing

#: How many times in a row a call may fail for a while (time-outs, 5xx, 429) before the operation is given up;
#: the waits between them grow to a minute, so this is about a quarter of an hour of trying.
MAX_ATTEMPTS = 20

#: What was read so shortly before an operation is good for its first call; just longer than Saturn's
#: interval.
FRESH = 12.0

#: An accepted stop may take its time, and some servers say *running* until it is done; what is up for longer
#: was started again by somebody else.
STOP_SETTLES = 600.0

#: Without use for so long, a running workspace is looked at less often.
UNUSED_AFTER = 86_400.0

_DOWN = (State.STOPPED, State.SUSPENDED, State.FAILED)


class Step(StrEnum):
    """Name the one thing to do next for an operation or a run."""

    READ = "read"  #: ask the poll gate for a status read, then plan again
    START = "start"  #: send the start call
    CREATE = "create"  #: send the call that makes it
    LAUNCH = "launch"  #: send the call that begins a run
    FIND = "find"  #: look for what a creation or launch of unknown outcome made
    STOP = "stop"  #: send the stop call
    SUSPEND = "suspend"  #: send the stop call that keeps its state
    FORCE = "force"  #: send the stop call that does not ask the IDE
    REMOVE = "remove"  #: send the call that deletes it
    RENEW = "renew"  #: it has ended as agreed, or failed: put a new one in its place, which is made then
    WAIT = "wait"  #: nothing until the next read, or until ``at``
    END = "end"  #: it is over; ``outcome`` and ``cause`` say how
    WATCH = "watch"  #: it has ended before: show what is, do nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold the answer: a step, and for END how it ended. ``cause`` names a text of ``bot.messages``.

    For READ and WAIT ``cause`` says what holds it up, where that is worth a sentence. ``at`` says for a WAIT
    that nothing else wakes until when it waits, in epoch seconds.
    """

    step: Step
    outcome: Outcome | RunOutcome | None = None
    cause: str | None = None
    at: float | None = None


READ = Plan(Step.READ)
START = Plan(Step.START)
CREATE = Plan(Step.CREATE)
FIND = Plan(Step.FIND)
STOP = Plan(Step.STOP)
WAIT = Plan(Step.WAIT)
WATCH = Plan(Step.WATCH)
FULFILLED = Plan(Step.END, Outcome.FULFILLED)
NOT_MADE = Plan(Step.END, Outcome.FULFILLED, "not_made")
#: It has ended, and there is nothing to make another from.
NO_RESTART = Plan(Step.END, Outcome.FAILED, "no_restart")
#: Its person was asked for a day whether to make another one.
UNANSWERED = Plan(Step.END, Outcome.UNKNOWN, "unanswered")
#: The start was accepted, and is still shown as down.
STILL_DOWN = Plan(Step.READ, cause="still_down")
#: A stop was sent before the start was asked for, and is under way: the start follows.
STOPPING_FIRST = Plan(Step.WAIT, cause="stopping_first")
#: A start was sent before the stop was asked for: it may still come up.
START_SENT = Plan(Step.READ, cause="start_sent")

REMOVE = Plan(Step.REMOVE)
RENEW = Plan(Step.RENEW)

#: The call of each way of stopping, and what is said when it was taken, yet nothing came of it.
_DOWNWARDS: dict[StopMode, tuple[Plan, str]] = {
    "stop": (STOP, "started_elsewhere"),
    "suspend": (Plan(Step.SUSPEND), "not_suspended"),
    "force": (Plan(Step.FORCE), "started_elsewhere"),
}
#: What must be permitted for a call.
_ACTIONS: dict[Step, Action] = {
    Step.STOP: "stop",
    Step.SUSPEND: "suspend",
    Step.FORCE: "force",
    Step.REMOVE: "remove",
}
_CALLS = frozenset({Step.START, *_ACTIONS})
#: What stopping does where nothing else is declared.
_USUAL: Effects = {"stop": StopEffect.RETURNS, "suspend": StopEffect.KEEPS, "force": StopEffect.RETURNS}


def _failed(cause: str) -> Plan:
    return Plan(Step.END, Outcome.FAILED, cause)


def plan(
    operation: Operation,
    state: State,
    observed_at: float | None,
    actions: frozenset[Action] | None = None,
    effects: Effects = _USUAL,
    *,
    up_at: float | None = None,
) -> Plan:
    """Decide the next step for an operation whose workspace was last seen in ``state`` at ``observed_at``.

    ``actions`` is what its provider lets be done with it now, None for whatever it can do: what is starting
    and can't be brought down yet is left to come up. ``effects`` is what stopping it means: nothing ends for
    good unless its person agreed to that. ``up_at`` is when it was last seen starting or running.

    A read counts only when it is younger than the operation and its last call: nothing ends on stale news. A
    first call may go by news that was fresh when the operation was made: it does no harm where that has
    changed, and the gate would only make the person wait. An operation that failed too often in a row makes
    no further call, but what has come true by itself still counts.
    """
    if not operation.is_open:
        return WATCH
    if observed_at is None:
        return READ
    decided = _decide(operation, state, observed_at, actions, effects, up_at)
    is_call = decided.step in _CALLS
    if _is_stale(operation, observed_at) and not (is_call and _is_fresh_enough(operation, observed_at)):
        return READ
    if is_call and operation.attempts >= MAX_ATTEMPTS:
        return _failed("gave_up")
    return decided


def plan_unmade(operation: Operation, creation: Operation | None, now: float) -> Plan:
    """Decide for a workspace that its provider has yet to make, as far as is known; there is nothing to read.

    ``creation`` is the operation to make it: ``operation`` itself, or one that it has replaced. Nothing is
    made twice: after an unknown outcome comes FIND, and only where that finds out that nothing was made,
    CREATE. What calls a creation off finds out first whether something was made; that is stopped or removed
    as any other.
    """
    if not operation.is_open:
        return WATCH
    if operation.verb is not OperationVerb.CREATE and not operation.verb.brings_down:
        return _failed("unmade")
    known = Call.NONE if creation is None else creation.start_call
    if creation is None or known is Call.NONE:
        if operation.verb is not OperationVerb.CREATE:
            return NOT_MADE
        return _failed("gave_up") if operation.attempts >= MAX_ATTEMPTS else CREATE
    if operation.asked_at is not None and now >= operation.asked_at + ANSWER_SECONDS:
        return UNANSWERED
    ends_at = (creation.called_at or 0.0) + CALL_ENDS
    return Plan(Step.WAIT, at=ends_at) if known is Call.CALLING and now < ends_at else FIND


def _decide(
    operation: Operation,
    state: State,
    observed_at: float,
    actions: frozenset[Action] | None,
    effects: Effects,
    up_at: float | None,
) -> Plan:
    if state is State.GONE:
        if (
            operation.verb is OperationVerb.CREATE
            and observed_at < (operation.called_at or 0.0) + START_SETTLES
        ):
            return READ  # What was made a moment ago may not be in every list yet.
        if operation.agreed and operation.verb is OperationVerb.RESTART:
            return RENEW
        is_done = operation.verb.brings_down and (
            operation.verb is not OperationVerb.SUSPEND or operation.agreed
        )
        return FULFILLED if is_done else _failed("gone")
    restarts = operation.verb is OperationVerb.RESTART and operation.start_call is Call.NONE
    if not (operation.verb.brings_down or restarts):
        if operation.start_call is Call.NONE and operation.verb is not OperationVerb.CREATE:
            return _before_start(operation, state, observed_at)
        return _after_start(operation, state, observed_at, up_at)
    if operation.verb is OperationVerb.REMOVE:
        return _bring_down(operation, state, observed_at, actions, (REMOVE, "not_removed"))
    mode = _mode(operation, effects)
    if mode is None and state is State.FAILED and "stop" not in effects:
        return RENEW  # It is over already: nothing is ended for that.
    if mode is None:
        return _failed("not_agreed") if is_final(effects, "stop") else NO_RESTART
    ends = is_final(effects, mode)
    if state in _DOWN and not ends:  # What is suspended can still be ended for good.
        if not restarts:
            return START_SENT if _may_come_up(operation, state, observed_at, up_at) else FULFILLED
        return RENEW if operation.agreed and mode not in effects else START
    if ends and not operation.agreed:
        return _failed("not_agreed")
    call, failed = _DOWNWARDS[mode]
    return _bring_down(operation, state, observed_at, actions, (call, "not_removed" if ends else failed))


def _mode(operation: Operation, effects: Effects) -> StopMode | None:
    """Return how an operation stops its workspace; None where a restart could not bring it back."""
    match operation.verb:
        case OperationVerb.RESTART:
            return "stop" if operation.agreed else restart_mode(effects)
        case OperationVerb.SUSPEND:
            return gentlest_mode(effects) if operation.agreed else "suspend"
        case OperationVerb.FORCE:
            return "force"
        case _:
            return "stop"


def _is_stale(operation: Operation, observed_at: float) -> bool:
    """Say whether a read is older than the operation, or not younger than what it has to be news of."""
    return observed_at < operation.created_at or observed_at <= max(
        operation.called_at or 0.0, operation.read_since or 0.0
    )


def _is_fresh_enough(operation: Operation, observed_at: float) -> bool:
    """Say whether a read from before the operation is young enough for its first call."""
    untouched = operation.called_at is None and operation.read_since is None
    return untouched and observed_at >= operation.created_at - FRESH


def _bring_down(
    operation: Operation,
    state: State,
    observed_at: float,
    actions: frozenset[Action] | None,
    downward: tuple[Plan, str],
) -> Plan:
    """Decide for what is not yet as far down as was asked. An unknown stop is called again: it does no harm.

    One that was accepted is not: whoever started it since would lose what they have. What is stopping already
    is left to that, except by who can't wait for it.
    """
    call, failed = downward
    waits = state is State.STOPPING and operation.verb not in (OperationVerb.FORCE, OperationVerb.REMOVE)
    waits |= state is State.STARTING and actions is not None and _ACTIONS[call.step] not in actions
    if waits:
        return WAIT
    if operation.stop_call.is_unsure and observed_at < _since(operation) + START_SETTLES:
        return READ
    if operation.stop_call is not Call.ACCEPTED:
        return call
    is_there = state in (State.RUNNING, State.STARTING, *_DOWN)
    settled = observed_at >= (operation.called_at or 0.0) + STOP_SETTLES
    return _failed(failed) if is_there and settled else WAIT


def _since(operation: Operation) -> float:
    """Return since when the outcome of the operation's call is unknown."""
    known = operation.stop_call if operation.stop_call.is_unsure else operation.start_call
    return unknown_since(known, operation.called_at, operation.unknown_since)


def _prior_lasts(operation: Operation, observed_at: float, accepted: float) -> bool:
    """Say whether what the operation before this one had sent may still take effect after a read.

    ``accepted`` is how long that takes at most when it was accepted.
    """
    if operation.prior_call is Call.NONE:
        return False
    lasts = accepted if operation.prior_call is Call.ACCEPTED else CALL_ENDS + START_SETTLES
    return observed_at < (operation.prior_at or 0.0) + lasts


def _may_come_up(operation: Operation, state: State, observed_at: float, up_at: float | None) -> bool:
    """Say whether what is down may still come up by a start that was sent before the stop was asked for."""
    # What the stop was called for was seen up; else a read since the start shows it.
    was_up = operation.called_from in (State.STARTING, State.RUNNING)
    has_come = was_up or (up_at is not None and up_at > (operation.prior_at or 0.0))
    return state is not State.FAILED and not has_come and _prior_lasts(operation, observed_at, NEVER_UP_AFTER)


def _before_start(operation: Operation, state: State, observed_at: float) -> Plan:
    is_stopping = _prior_lasts(operation, observed_at, STOP_SETTLES)
    match state:
        case State.RUNNING | State.STARTING | State.STOPPING if is_stopping:
            return STOPPING_FIRST
        case State.RUNNING:
            return FULFILLED
        case State.STARTING | State.STOPPING | State.UNKNOWN:
            return WAIT
        case _:  # Stopped, suspended, or the rest of an earlier failure.
            return START


def _after_start(operation: Operation, state: State, observed_at: float, up_at: float | None) -> Plan:
    """Decide after the start call, whose outcome may be unknown: nothing here starts what was accepted.

    What was made was started with that. It is stopped, or has failed, again only when it was seen up since
    the call, or is no better for minutes: what one early read says may be of before the call.
    """
    called_at = operation.called_at or 0.0
    # A jump of the clock moves when it was called, and neither when it was sent nor what was seen.
    was_up = up_at is not None and up_at > (operation.sent_at or called_at)
    accepted = operation.start_call is Call.ACCEPTED or operation.verb is OperationVerb.CREATE
    settles_at = called_at + NEVER_UP_AFTER if accepted else _since(operation) + START_SETTLES
    has_settled = was_up or observed_at >= settles_at
    match state:
        case State.RUNNING:
            return FULFILLED
        case State.STARTING | State.UNKNOWN:
            return WAIT
        case State.STOPPING:
            return _failed("stopped_elsewhere") if was_up else WAIT
        case State.FAILED if has_settled or operation.called_from is not State.FAILED:
            return _failed("provider_failed")
        case _ if not has_settled:
            return STILL_DOWN if accepted and observed_at >= called_at + STILL_DOWN_AFTER else READ
        case _:
            return _failed("stopped_elsewhere") if accepted or was_up else START


def next_read(
    state: State, *, has_open_operation: bool, used_at: float | None, now: float, pace: Pacing
) -> float | None:
    """Return the seconds until a workspace is read again, None for *when somebody asks*.

    Never below ``min_poll_interval``. The intervals are the provider's own (``Provider.pace``).
    """
    used = used_at is not None and now - used_at < UNUSED_AFTER
    if has_open_operation or state in (State.STARTING, State.STOPPING):
        seconds = pace.pending
    elif state is State.RUNNING:
        seconds = pace.running if used else pace.unused
    elif state is State.GONE or not used:
        return None
    else:
        seconds = pace.unused
    return max(seconds, pace.min_poll_interval)


def backoff(attempts: int, jitter: float, *, longest: float = 60.0) -> float:
    """Return the seconds to wait after the ``attempts``-th failure in a row: doubling from 1 s, jittered.

    ``jitter`` is in 0–1 and takes away up to half: many that failed together do not come back together.
    """
    whole = min(2.0 ** min(max(attempts - 1, 0), 16), longest)
    return whole * (1.0 - jitter / 2.0)
