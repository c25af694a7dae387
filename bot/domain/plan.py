"""Chooses the next step of an operation or a run, based on the last observed state.

All functions are pure and total. They use neither a clock nor I/O, and return a result for every input. The
tables in ``tests/domain/test_plan.py`` and ``tests/domain/test_plan_runs.py`` are the specification.
"""

from enum import StrEnum
from typing import NamedTuple

from bot.domain.operations import Operation, OperationVerb
from bot.domain.runs import Run, RunState
from bot.domain.stops import (
    StopEffect,
    StopEffects,
    StopMode,
    StopRisk,
    choose_gentlest_mode,
    choose_restart_mode,
    costs_more,
    is_final,
)
from bot.domain.timeouts import (
    ANSWER_SECONDS,
    CALL_ENDS,
    FAILED_AGAIN_AFTER,
    INTERRUPTED_SETTLES,
    NEVER_UP_AFTER,
    NO_EFFECT_AFTER,
    SAID_AGAIN_AFTER,
    START_SETTLES,
    STILL_DOWN_AFTER,
    Pace,
    find_settling_time,
)
from bot.domain.usability import Lack, is_awaited, is_late
from bot.domain.work_items import Call, Outcome, WorkItem
from bot.domain.workspaces import Action, State, is_down

#: Number of temporary failures in a row (time-outs, 5xx, 429) after which an operation gives up. As the delay
#: between attempts grows to a minute, this allows about fifteen minutes of retries.
MAX_ATTEMPTS = 20
MAX_BACKOFF_SECONDS = 60.0

#: Maximum age, in seconds, of a read that a new operation's first call may rely on. It is slightly longer
#: than the interval that Saturn Cloud requires between reads.
FRESH = 12.0

#: How long an accepted stop may take, in seconds. Some servers report *running* until the stop is finished.
STOP_SETTLES = 600.0

#: After this many seconds without use, a running workspace is read less often, and one that isn't running is
#: read only on request.
UNUSED_AFTER = 86_400.0
#: For this many seconds after its last use, a workspace that is down is read as often as a running one. If it
#: was wrongly reported as down, these reads soon correct that.
RECENTLY_USED = 3_600.0


class Step(StrEnum):
    """The next thing to do for an operation or a run."""

    READ = "read"  #: request a status read, which the poll gate may delay, then plan again
    START = "start"  #: call the provider to start the workspace
    CREATE = "create"  #: call the provider to create the workspace
    LAUNCH = "launch"  #: call the provider to launch a run
    FIND = "find"  #: search for the result of a creation or launch whose outcome is unknown
    STOP = "stop"  #: call the provider to stop the workspace or run
    SUSPEND = "suspend"  #: call the provider to stop the workspace but keep its memory
    FORCE = "force"  #: call the provider to stop the workspace without asking the IDE
    REMOVE = "remove"  #: call the provider to delete the workspace
    RENEW = "renew"  #: replace a workspace that ended as agreed, or that failed, with a new one
    WAIT = "wait"  #: do nothing until the next read, or until ``at``
    END = "end"  #: end the operation or run with ``outcome`` and ``cause``
    WATCH = "watch"  #: do nothing, because the operation or run has already ended


class Plan(NamedTuple):
    """A decision: what to do next and, for END, with what outcome.

    ``cause`` is the key of a sentence in ``bot.messages``. For READ and WAIT, it says what is holding up the
    work, if users should know. ``at`` is when a WAIT ends if nothing else ends it (epoch seconds).
    """

    step: Step
    outcome: Outcome | None = None
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
#: The provider can't restart the workspace, and Usher has no spec from which to create a new one.
NO_RESTART = Plan(Step.END, Outcome.FAILED, "no_restart")
#: The user was asked whether to create the workspace again, but didn't answer within a day.
UNANSWERED = Plan(Step.END, Outcome.UNKNOWN, "unanswered")
#: A start was accepted, but the provider still reports the workspace as down.
STILL_DOWN = Plan(Step.READ, cause="still_down")
#: A read after the call shows the workspace as failed. The failure may be older than the call, so another
#: read has to confirm it.
STILL_FAILED = Plan(Step.READ, cause="still_failed")
#: An earlier stop is still in progress. The start is sent when the stop has finished.
STOPPING_FIRST = Plan(Step.WAIT, cause="stopping_first")
#: A stop was accepted, but the workspace is still running.
NO_EFFECT = Plan(Step.WAIT, cause="no_effect")
#: A stop has to wait, because the provider doesn't accept one in the workspace's current state.
NO_STOP_YET = Plan(Step.WAIT, cause="no_stop_yet")
#: The workspace is down, as requested, but an earlier start may still bring it up.
START_SENT = Plan(Step.READ, cause="start_sent")
#: The workspace is running, but people can't use it yet.
NOT_USABLE = Plan(Step.WAIT)

REMOVE = Plan(Step.REMOVE)
RENEW = Plan(Step.RENEW)

#: Maps each stop mode to the plan that sends the call, and to the cause with which the operation fails if an
#: accepted call has no effect.
_DOWNWARDS: dict[StopMode, tuple[Plan, str]] = {
    "stop": (STOP, "started_elsewhere"),
    "suspend": (Plan(Step.SUSPEND), "not_suspended"),
    "force": (Plan(Step.FORCE), "started_elsewhere"),
}
_MODES: dict[Step, StopMode] = {call.step: mode for mode, (call, _) in _DOWNWARDS.items()}
#: Maps each step that stops or removes a workspace to the action that the provider must currently allow.
_ACTIONS: dict[Step, Action] = {**_MODES, Step.REMOVE: "remove"}
_CALLS = frozenset({Step.START, *_ACTIONS})
#: Verbs of operations that never give up, because a workspace that keeps running costs money.
_STOPS = frozenset({OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE})
_REPEATABLE = frozenset({Step.START, *_MODES})
#: The effects of the stop modes, for providers that don't declare any.
_USUAL: StopEffects = {"stop": StopEffect.RETURNS, "suspend": StopEffect.KEEPS, "force": StopEffect.RETURNS}


def _fail(cause: str) -> Plan:
    return Plan(Step.END, Outcome.FAILED, cause)


def plan(
    operation: Operation,
    state: State,
    observed_at: float | None,
    actions: frozenset[Action] | None = None,
    effects: StopEffects = _USUAL,
    *,
    stop_risks: frozenset[StopRisk] = frozenset(),
    up_at: float | None = None,
    lacks: Lack | None = None,
    lacks_since: float | None = None,
) -> Plan:
    """Decide the next step for an operation whose workspace was last seen in ``state``.

    ``observed_at`` is the time of that observation. ``actions`` are the actions that the provider currently
    allows, or None for every action that it supports. If the provider doesn't accept a stop in this state,
    the stop waits until it does. ``effects`` says what each stop mode does. A workspace is ended irreversibly
    only if its owner agreed to that, knowing the ``stop_risks``. ``up_at`` is when the workspace was last
    seen starting or running. ``lacks`` is what the running workspace still needs before people can use it,
    and ``lacks_since`` is when a read first found that something was missing. A start is fulfilled once the
    workspace is usable, or once Usher has waited long enough for what it lacks.

    Old data never ends an operation. A read counts only if it is newer than the operation and its last call.
    The first call is an exception. It may rely on a read from just before the operation was created
    (``FRESH``), so that the user needn't wait for another read, which the poll gate (the limit on how often a
    workspace may be read) may delay. If the state has changed since, the call does no harm. A call that can't
    be undone always needs a newer read.

    A refused call isn't sent again, unless the provider was busy or the refusal was a first 401. In those
    cases, a new read shows whether the call is still needed. An operation that has failed too often in a row
    makes no more calls, unless it is a stop or a planned start. A later read can still show that its goal has
    been reached.
    """
    if not operation.is_open:
        return WATCH
    if observed_at is None:
        return READ
    if state is State.FAILED and "stop" not in effects:
        actions = frozenset()  # If the provider can't stop workspaces, a failed one leaves nothing running.
    is_made = operation.creates_stopped and is_down(state, actions) and state is not State.GONE
    decided = FULFILLED if is_made else _decide(operation, state, observed_at, actions, effects, up_at)
    brings_up = not operation.verb.brings_down and state is State.RUNNING
    if decided is FULFILLED and brings_up and is_awaited(lacks, lacks_since, observed_at):
        decided = NOT_USABLE
    is_call, mode = decided.step in _CALLS, _MODES.get(decided.step)
    ends = decided.step is Step.REMOVE or (mode is not None and is_final(effects, mode))
    since = max(operation.called_at or 0.0, operation.read_since or 0.0)
    may_be_older = is_call and not ends and not since
    if observed_at < operation.created_at - (FRESH if may_be_older else 0.0) or observed_at <= since:
        return READ
    if is_call and operation.refusal is not None:
        return _fail(operation.refusal)
    gives_up = operation.good_until is None and operation.verb not in _STOPS
    if is_call and operation.attempts >= MAX_ATTEMPTS and gives_up:
        return _fail("gave_up")
    is_planned = operation.planned_for is not None
    is_first_stop = ends and decided is not REMOVE and not operation.has_called
    if is_first_stop and costs_more(stop_risks, operation.agreed, is_planned=is_planned):
        return AT_STAKE
    return decided


def plan_unmade(operation: Operation, creation: Operation | None, now: float) -> Plan:
    """Decide the next step for a workspace that isn't yet known to exist at its provider.

    ``creation`` is the operation that creates the workspace: either ``operation`` itself, or one that it
    replaced. If its outcome is unknown, FIND comes next, and CREATE only if nothing was found. Otherwise, a
    second workspace might be created. An operation that cancels a creation also searches first. A workspace
    that is found is then stopped or removed like any other.
    """
    if not operation.is_open:
        return WATCH
    if operation.verb is not OperationVerb.CREATE and not operation.verb.brings_down:
        return _fail("unmade")
    is_wanted = operation.verb is OperationVerb.CREATE
    return _make(operation, creation, now, CREATE if is_wanted else NOT_MADE, UNANSWERED)


def _make(work_item: WorkItem, maker: WorkItem | None, now: float, first: Plan, unanswered: Plan) -> Plan:
    """Return the next step for a workspace or run that may not exist at its provider yet.

    ``maker`` is the operation or run whose call creates or launches it. If this call hasn't been sent, return
    ``first``, or give up after too many failures. If the call may still be in progress, wait for it to end.
    Otherwise, search for its result. If the user was asked about the result but didn't answer in time, return
    ``unanswered``.
    """
    if maker is None or maker.start_call is Call.NONE:
        gives_up = first.step is not Step.END and work_item.attempts >= MAX_ATTEMPTS
        return _fail("gave_up") if gives_up else first
    if work_item.question_since is not None and now >= work_item.question_since + ANSWER_SECONDS:
        return unanswered
    ends_at = (maker.called_at or 0.0) + CALL_ENDS
    is_under_way = maker.start_call is Call.CALLING and now < ends_at
    return Plan(Step.WAIT, at=ends_at) if is_under_way else FIND


def _decide(
    operation: Operation,
    state: State,
    observed_at: float,
    actions: frozenset[Action] | None,
    effects: StopEffects,
    up_at: float | None,
) -> Plan:
    if state is State.GONE:
        settles_at = (operation.called_at or 0.0) + START_SETTLES
        if operation.verb is OperationVerb.CREATE and observed_at < settles_at:
            return READ  # A workspace that was just created may not be listed everywhere yet.
        if operation.agreed and operation.verb is OperationVerb.RESTART:
            return RENEW
        may_be_lost = operation.verb is not OperationVerb.SUSPEND or operation.agreed
        return FULFILLED if operation.verb.brings_down and may_be_lost else _fail("gone")
    restarts = operation.verb is OperationVerb.RESTART and operation.start_call is Call.NONE
    if not (operation.verb.brings_down or restarts):
        if operation.start_call is Call.NONE and operation.verb is not OperationVerb.CREATE:
            return _before_start(operation, state, observed_at)
        return _after_start(operation, state, observed_at, up_at)
    if operation.verb is OperationVerb.REMOVE:
        return _bring_down(operation, state, observed_at, actions, (REMOVE, "not_removed"))
    mode = _mode(operation, effects)
    if mode is None and state is State.FAILED and "stop" not in effects:
        return RENEW  # The workspace has already ended, so creating a new one loses nothing.
    if mode is None:
        return _fail("not_agreed") if is_final(effects, "stop") else NO_RESTART
    ends = is_final(effects, mode)
    # A failed workspace can be restarted without stopping it first.
    is_startable = restarts and state is State.FAILED and operation.stop_call is Call.NONE
    # A suspended workspace counts as down, but stopping it can still end it irreversibly.
    if (is_down(state, actions) or is_startable) and not ends:
        if not restarts:
            return START_SENT if _may_come_up(operation, state, observed_at, up_at) else FULFILLED
        return RENEW if operation.agreed and mode not in effects else START
    if ends and not operation.agreed:
        return _fail("not_agreed")
    call, failed = _DOWNWARDS[mode]
    return _bring_down(operation, state, observed_at, actions, (call, "not_removed" if ends else failed))


def _mode(operation: Operation, effects: StopEffects) -> StopMode | None:
    """Return an operation's stop mode, or None if the operation is a restart and no mode is suitable.

    A mode is suitable for a restart if the workspace can be started again afterwards, or if its owner agreed
    to lose it.
    """
    match operation.verb:
        case OperationVerb.RESTART:
            return "stop" if operation.agreed else choose_restart_mode(effects)
        case OperationVerb.SUSPEND:
            return choose_gentlest_mode(effects) if operation.agreed else "suspend"
        case OperationVerb.FORCE:
            return "force"
        case _:
            return "stop"


def _bring_down(
    operation: Operation,
    state: State,
    observed_at: float,
    actions: frozenset[Action] | None,
    downward: tuple[Plan, str],
) -> Plan:
    """Decide the next step for a workspace that has to be stopped or removed.

    If the outcome of a stop is unknown, the stop is sent again, which is harmless. An accepted stop isn't
    sent again, because someone may have started the workspace since, and would lose their work. A workspace
    that is already stopping is left alone unless this is a forced stop or a removal.
    """
    call, failed = downward
    if state is State.STOPPING and operation.verb not in (OperationVerb.FORCE, OperationVerb.REMOVE):
        return WAIT
    called_at, has_called = operation.called_at or 0.0, operation.stop_call is not Call.NONE
    is_left = not is_down(state, actions)
    # For a while after the call, reads may still show an earlier failure. If later reads show it as well, the
    # call had no effect.
    has_settled = operation.stop_call is Call.ACCEPTED and observed_at >= called_at + START_SETTLES
    is_new = has_called and (operation.called_from is not State.FAILED or has_settled)
    if state is State.FAILED and is_left and is_new:
        return _fail_at_second_read(operation, observed_at)
    if operation.stop_call.is_unsure and observed_at < find_settling_time(operation):
        return READ
    if operation.stop_call is not Call.ACCEPTED:
        # If the workspace may not be running, a stop that ``actions`` doesn't include has to wait. If it is
        # running, the stop is sent anyway, and the provider decides whether to accept it.
        is_odd = state is State.STARTING or (state in (State.UNKNOWN, State.FAILED) and is_left)
        is_refused = actions is not None and _ACTIONS[call.step] not in actions
        return NO_STOP_YET if is_odd and is_refused else call
    ends_as, settles = failed, STOP_SETTLES
    if state is State.UNKNOWN:
        ends_as = "not_confirmed"
    elif operation.contradiction is not None:
        ends_as, settles = operation.contradiction, START_SETTLES
    if observed_at >= called_at + settles and state is not State.STOPPING:
        return _fail(ends_as)
    has_no_effect = state is State.RUNNING and observed_at >= called_at + NO_EFFECT_AFTER
    return NO_EFFECT if has_no_effect else WAIT


def _fail_at_second_read(operation: Operation, observed_at: float) -> Plan:
    is_second = operation.failed_at is not None and observed_at > operation.failed_at
    return _fail("provider_failed") if is_second else STILL_FAILED


def _prior_lasts(operation: Operation, observed_at: float, accepted: float) -> bool:
    """Return whether the previous operation's call may still take effect after the last read.

    ``accepted`` is how many seconds an accepted call may take to have an effect.
    """
    match operation.prior_call:
        case Call.NONE:
            return False
        case Call.ACCEPTED:
            lasts = accepted
        case Call.INTERRUPTED:
            lasts = INTERRUPTED_SETTLES
        case _:
            lasts = CALL_ENDS + START_SETTLES
    return observed_at < (operation.prior_at or 0.0) + lasts


def _may_come_up(operation: Operation, state: State, observed_at: float, up_at: float | None) -> bool:
    """Return whether a start sent before the stop was requested may still bring the workspace up."""
    # The start has already taken effect if the workspace was up when the stop was sent, or if any read since
    # the start showed it as up.
    was_up = operation.called_from in (State.STARTING, State.RUNNING)
    has_come = was_up or (up_at is not None and up_at > (operation.prior_at or 0.0))
    return state is not State.FAILED and not has_come and _prior_lasts(operation, observed_at, NEVER_UP_AFTER)


def _before_start(operation: Operation, state: State, observed_at: float) -> Plan:
    is_stopping = _prior_lasts(operation, observed_at, STOP_SETTLES)
    match state:
        case State.RUNNING | State.STARTING | State.STOPPING if is_stopping:
            return STOPPING_FIRST
        case State.FAILED if _had_effect(operation):
            return _fail("provider_failed")
        case State.RUNNING:
            return FULFILLED
        case State.STARTING | State.STOPPING | State.UNKNOWN:
            return WAIT
        case _:  # Stopped, suspended, or left over from an earlier failure.
            return START


def _had_effect(operation: Operation) -> bool:
    """Return whether a start took effect even though a busy provider refused it.

    The workspace has failed by now. If it hadn't failed before the start, the start must have been carried
    out.
    """
    is_refused = operation.busy_since is not None and operation.conflict is None
    return is_refused and operation.called_from is not State.FAILED


def _after_start(operation: Operation, state: State, observed_at: float, up_at: float | None) -> Plan:
    """Decide the next step after a start or creation has been sent. An accepted start is never sent again.

    The call's outcome may be unknown, and an early read may still show the state from before the call. So
    Usher believes that the workspace has stopped, or has failed again, only if a read since the call has
    shown it running or starting, or if it hasn't come up for several minutes.
    """
    called_at = operation.called_at or 0.0
    # Compare with ``sent_at``, because a clock correction changes ``called_at`` but not ``sent_at``.
    was_up = up_at is not None and up_at > (operation.sent_at or called_at)
    accepted = operation.start_call is Call.ACCEPTED or operation.verb is OperationVerb.CREATE
    settled_at = called_at + NEVER_UP_AFTER if accepted else find_settling_time(operation)
    if operation.contradiction is not None:
        settled_at = called_at + START_SETTLES
    has_settled = was_up or observed_at >= settled_at
    match state:
        case State.RUNNING:
            return FULFILLED
        case State.STARTING | State.UNKNOWN:
            return WAIT
        case State.STOPPING:
            return _fail("stopped_elsewhere") if was_up else WAIT
        case State.FAILED if has_settled or operation.called_from is not State.FAILED:
            return _fail("provider_failed")
        case State.FAILED if accepted:
            is_late = observed_at >= called_at + FAILED_AGAIN_AFTER
            return _fail_at_second_read(operation, observed_at) if is_late else STILL_FAILED
        case _ if not has_settled:
            return STILL_DOWN if accepted and observed_at >= called_at + STILL_DOWN_AFTER else READ
        case _:
            ended = operation.contradiction or "stopped_elsewhere"
            return _fail(ended) if accepted or was_up else START


def only_waits(verb: OperationVerb, start_call: Call, state: State) -> bool:
    """Return whether an operation has nothing to do after a read that found this state.

    Once a start has been accepted and the workspace is reported as starting, the next step is always to wait
    or to read again.
    """
    return not verb.brings_down and start_call is Call.ACCEPTED and state is State.STARTING


def may_repeat(work_item: WorkItem, step: Step) -> bool:
    """Return whether a step's call can be sent twice without harm.

    Starts and all kinds of stops can, unless they are part of a restart or a creation. In a restart,
    repeating the stop might undo the start that followed it. Repeating a creation would create a second
    workspace.
    """
    once = (OperationVerb.RESTART, OperationVerb.CREATE)
    is_other = isinstance(work_item, Operation) and work_item.verb in once
    return step in _REPEATABLE and not is_other


def next_read(
    state: State,
    *,
    has_open_operation: bool,
    used_at: float | None,
    now: float,
    pace: Pace,
    lacks_since: float | None = None,
) -> float | None:
    """Return how many seconds to wait before reading a workspace again, or None to read it only on request.

    The provider sets the intervals (``Provider.pace``), but the result is never below ``min_poll_interval``.
    If a running workspace lacks something, it is read as often as a starting one for the first few minutes
    after ``lacks_since``.
    """
    used = used_at is not None and now - used_at < UNUSED_AFTER
    is_coming = state is State.RUNNING and is_late(lacks_since, now)
    if has_open_operation or is_coming or state in (State.STARTING, State.STOPPING):
        seconds = pace.pending_interval
    elif state is State.RUNNING:
        seconds = pace.running_interval if used else pace.unused_interval
    elif state is State.GONE:
        seconds = SAID_AGAIN_AFTER
    elif not used:
        return None
    else:
        is_recent = used_at is not None and now - used_at < RECENTLY_USED
        seconds = pace.running_interval if is_recent else pace.unused_interval
    return max(seconds, pace.min_poll_interval)


def backoff(attempts: int, jitter: float, *, longest: float = MAX_BACKOFF_SECONDS) -> float:
    """Return how many seconds to wait after ``attempts`` failures in a row.

    The delay begins at one second and doubles each time. ``jitter``, from 0 to 1, shortens it by up to half,
    so that calls that failed together aren't all retried at the same moment.
    """
    whole = min(2.0 ** min(max(attempts - 1, 0), 16), longest)
    return whole * (1.0 - jitter / 2.0)


#: The workspace is busy or has unsaved work, and its owner didn't know that when they agreed to end it.
AT_STAKE = _fail("at_stake")
LAUNCH = Plan(Step.LAUNCH)
ENDED = Plan(Step.END, Outcome.ENDED)
CALLED_OFF = Plan(Step.END, Outcome.CANCELLED, "cancelled")
UNTOLD = _fail("untold")
RUN_UNANSWERED = _fail("unanswered")


def plan_run(run: Run, now: float) -> Plan:
    """Decide the next step for a run, based on its last observed state.

    If the outcome of a launch is unknown, Usher searches for the run before launching it again. An accepted
    run is never launched again, and a run that was cancelled before its launch is never launched.
    """
    if not run.is_open:
        return WATCH
    if run.remote_id is None:
        if run.requested_stop and run.start_call is not Call.NONE and run.question_since is not None:
            return UNTOLD
        return _make(run, run, now, CALLED_OFF if run.requested_stop else LAUNCH, RUN_UNANSWERED)
    if run.state.is_over:
        return ENDED
    # After too many failures, Usher gives up on stopping a run, and only reads it until it ends.
    if not run.requested_stop or run.stop_call is Call.ACCEPTED or run.attempts >= MAX_ATTEMPTS:
        return READ
    if run.stop_call is Call.NONE and run.retry_at is not None:  # Refused, so read first.
        is_read = (run.observed_at or 0.0) > (run.called_at or 0.0)
        return STOP if is_read and now >= run.retry_at else READ
    return READ if run.stop_call.is_unsure and now < find_settling_time(run) else STOP


def next_run_read(state: RunState, age: float, fastest: float) -> float:
    """Return how many seconds to wait before a run is read again: 2 to 15, but at least ``fastest``.

    The interval grows with ``age``, the number of seconds since the run's state last changed. A run that has
    only just started may end soon.
    """
    slowest = 15.0
    grown = 2.0 + age / 10.0
    return max(min(grown, slowest), fastest, 5.0 if state is RunState.UNKNOWN else 0.0)
