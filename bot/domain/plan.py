"""The life cycle in one place: the next step of an operation or a run, given what was observed.

All of it, the time of the next read included, is pure and total: no clock, no I/O, an answer for every
input. The tables of ``tests/domain/test_plan.py`` and ``tests/domain/test_plan_runs.py`` are its
specification.
"""

from dataclasses import dataclass
from enum import StrEnum

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
    Pacing,
    find_settling_time,
)
from bot.domain.usability import Lack, is_awaited, is_late
from bot.domain.work_items import Call, Outcome, WorkItem
from bot.domain.workspaces import Action, State, is_down

#: How many times in a row a call may fail temporarily (time-outs, 5xx, 429) before the operation gives up;
#: the backoff grows to a minute, so this is about a quarter of an hour of retries.
MAX_ATTEMPTS = 20

#: A read this many seconds before the operation is fresh enough for its first call; just longer than Saturn
#: Cloud's interval.
FRESH = 12.0

#: How long an accepted stop may take; some servers report *running* until it is done.
STOP_SETTLES = 600.0

#: A running workspace unused for this long is read less often.
UNUSED_AFTER = 86_400.0
#: One that is down is read as if it ran for so long after its use: what was told may turn out otherwise.
RECENTLY_USED = 3_600.0


class Step(StrEnum):
    """Name the one thing to do next for an operation or a run."""

    READ = "read"  #: ask the poll gate for a status read, then plan again
    START = "start"  #: send the start call
    CREATE = "create"  #: send the call that creates the workspace
    LAUNCH = "launch"  #: send the call that launches a run
    FIND = "find"  #: look for what a creation or launch of unknown outcome made
    STOP = "stop"  #: send the stop call
    SUSPEND = "suspend"  #: send the stop call that keeps its state
    FORCE = "force"  #: send the stop call that doesn't ask the IDE
    REMOVE = "remove"  #: send the call that deletes it
    RENEW = "renew"  #: it ended as agreed, or failed: replace it with a new workspace, to be created next
    WAIT = "wait"  #: do nothing until the next read, or until ``at``
    END = "end"  #: it is over; ``outcome`` and ``cause`` say how
    WATCH = "watch"  #: it has already ended: do nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold the decision: a step, and for END how it ended. ``cause`` names a text of ``bot.messages``.

    For READ and WAIT, ``cause`` says what is holding it up, if that is worth a sentence. ``at``, in epoch
    seconds, ends a WAIT that nothing else would wake.
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
#: It has ended, and there is no spec to create another from.
NO_RESTART = Plan(Step.END, Outcome.FAILED, "no_restart")
#: The person was asked whether to create another one, and didn't answer for a day.
UNANSWERED = Plan(Step.END, Outcome.UNKNOWN, "unanswered")
#: The start was accepted, but the workspace still shows as down.
STILL_DOWN = Plan(Step.READ, cause="still_down")
#: A read since the call shows a failure: it may be the one before, and another read confirms it.
STILL_FAILED = Plan(Step.READ, cause="still_failed")
#: A stop sent before the start was requested is still in progress; the start follows.
STOPPING_FIRST = Plan(Step.WAIT, cause="stopping_first")
#: The stop was accepted, and shows no effect.
NO_EFFECT = Plan(Step.WAIT, cause="no_effect")
#: The provider accepts no stop in this state; the stop is sent as soon as it does.
NO_STOP_YET = Plan(Step.WAIT, cause="no_stop_yet")
#: A start was sent before the stop was requested: the workspace may still come up.
START_SENT = Plan(Step.READ, cause="start_sent")
#: It runs, and still lacks what people need to use it.
NOT_USABLE = Plan(Step.WAIT)

REMOVE = Plan(Step.REMOVE)
RENEW = Plan(Step.RENEW)

#: The call for each way of stopping, and the cause given when it was accepted but had no effect.
_DOWNWARDS: dict[StopMode, tuple[Plan, str]] = {
    "stop": (STOP, "started_elsewhere"),
    "suspend": (Plan(Step.SUSPEND), "not_suspended"),
    "force": (Plan(Step.FORCE), "started_elsewhere"),
}
#: The action that a call needs to be allowed.
_ACTIONS: dict[Step, Action] = {
    Step.STOP: "stop",
    Step.SUSPEND: "suspend",
    Step.FORCE: "force",
    Step.REMOVE: "remove",
}
_CALLS = frozenset({Step.START, *_ACTIONS})
#: They are sent for as long as their workspace may run: what runs unseen costs.
_STOPS = frozenset({OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE})
_REPEATABLE = frozenset({Step.START, Step.STOP, Step.SUSPEND, Step.FORCE})
#: What stopping does unless declared otherwise.
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
    """Decide the next step for an operation whose workspace was last seen in ``state`` at ``observed_at``.

    ``actions`` is what the provider allows now, None for everything it is capable of; a stop that it doesn't
    accept in this state waits until it does. ``effects`` is what stopping does: nothing is ended for
    good unless the person agreed to that, knowing its ``stop_risks``. ``up_at`` is when it was last seen
    starting or running. ``lacks`` is what it lacked while it ran, first at ``lacks_since``: a start is
    fulfilled once it is usable, or the patience for that is over.

    A read counts only if it is newer than the operation and its last call: no operation ends on stale data.
    A refused call isn't sent again, unless its provider was busy, with it or altogether, or it was a first
    401: then the read since shows whether it is still needed.
    The first call may rely on a read that was fresh when the operation was created: if the state has changed
    since, the call does no harm, and the gate would only make the person wait. What can't be taken back reads
    first. An operation that failed too often in a row makes no further calls, unless it is a stop, but can
    still be fulfilled by what is observed.
    """
    if not operation.is_open:
        return WATCH
    if observed_at is None:
        return READ
    if state is State.FAILED and "stop" not in effects:
        actions = frozenset()  # By its provider's word there is no way to stop it, so nothing is left of it.
    is_made = operation.creates_stopped and is_down(state, actions) and state is not State.GONE
    decided = FULFILLED if is_made else _decide(operation, state, observed_at, actions, effects, up_at)
    brings_up = not operation.verb.brings_down and state is State.RUNNING
    if decided is FULFILLED and brings_up and is_awaited(lacks, lacks_since, observed_at):
        decided = NOT_USABLE
    is_call, ends = decided.step in _CALLS, _ends(decided.step, effects)
    is_enough = is_call and not ends and _is_fresh_enough(operation, observed_at)
    if _is_stale(operation, observed_at) and not is_enough:
        return READ
    if is_call and operation.refusal is not None:
        return _fail(operation.refusal)
    gives_up = operation.good_until is None and operation.verb not in _STOPS
    if is_call and operation.attempts >= MAX_ATTEMPTS and gives_up:
        return _fail("gave_up")
    is_planned = operation.planned_for is not None
    if (
        ends
        and decided is not REMOVE
        and not operation.has_called
        and costs_more(stop_risks, operation.agreed, is_planned=is_planned)
    ):
        return AT_STAKE
    return decided


def _ends(step: Step, effects: StopEffects) -> bool:
    """Return whether a step's call can't be taken back."""
    mode = next((mode for mode, (call, _) in _DOWNWARDS.items() if call.step is step), None)
    return step is Step.REMOVE or (mode is not None and is_final(effects, mode))


def plan_unmade(operation: Operation, creation: Operation | None, now: float) -> Plan:
    """Decide the next step for a workspace that isn't known to exist on its provider yet.

    ``creation`` is the operation that creates it: ``operation`` itself, or one that it replaced. Nothing is
    created twice: an unknown outcome leads to FIND, and to CREATE only if that shows that nothing was made.
    An operation that cancels a creation first finds out whether something was made; if so, that is stopped or
    removed like any other workspace.
    """
    if not operation.is_open:
        return WATCH
    if operation.verb is not OperationVerb.CREATE and not operation.verb.brings_down:
        return _fail("unmade")
    is_wanted = operation.verb is OperationVerb.CREATE
    return _make(operation, creation, now, CREATE if is_wanted else NOT_MADE, UNANSWERED)


def _make(work_item: WorkItem, maker: WorkItem | None, now: float, first: Plan, unanswered: Plan) -> Plan:
    """Decide about a creation: ``first`` before its call was sent, then look for the call's result.

    ``maker`` is whose call makes it. ``unanswered`` ends it if the person, when asked, doesn't answer.
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
        if (
            operation.verb is OperationVerb.CREATE
            and observed_at < (operation.called_at or 0.0) + START_SETTLES
        ):
            return READ  # A workspace created moments ago may not be listed everywhere yet.
        if operation.agreed and operation.verb is OperationVerb.RESTART:
            return RENEW
        is_done = operation.verb.brings_down and (
            operation.verb is not OperationVerb.SUSPEND or operation.agreed
        )
        return FULFILLED if is_done else _fail("gone")
    restarts = operation.verb is OperationVerb.RESTART and operation.start_call is Call.NONE
    if not (operation.verb.brings_down or restarts):
        if operation.start_call is Call.NONE and operation.verb is not OperationVerb.CREATE:
            return _before_start(operation, state, observed_at)
        return _after_start(operation, state, observed_at, up_at)
    if operation.verb is OperationVerb.REMOVE:
        return _bring_down(operation, state, observed_at, actions, (REMOVE, "not_removed"))
    mode = _mode(operation, effects)
    if mode is None and state is State.FAILED and "stop" not in effects:
        return RENEW  # It has already ended, so this doesn't end anything.
    if mode is None:
        return _fail("not_agreed") if is_final(effects, "stop") else NO_RESTART
    ends = is_final(effects, mode)
    # What has failed may be started again without being stopped first.
    is_startable = restarts and state is State.FAILED and operation.stop_call is Call.NONE
    # A suspended workspace can still be ended for good.
    if (is_down(state, actions) or is_startable) and not ends:
        if not restarts:
            return START_SENT if _may_come_up(operation, state, observed_at, up_at) else FULFILLED
        return RENEW if operation.agreed and mode not in effects else START
    if ends and not operation.agreed:
        return _fail("not_agreed")
    call, failed = _DOWNWARDS[mode]
    return _bring_down(operation, state, observed_at, actions, (call, "not_removed" if ends else failed))


def _mode(operation: Operation, effects: StopEffects) -> StopMode | None:
    """Return an operation's stop mode; None if a restart couldn't bring the workspace back."""
    match operation.verb:
        case OperationVerb.RESTART:
            return "stop" if operation.agreed else choose_restart_mode(effects)
        case OperationVerb.SUSPEND:
            return choose_gentlest_mode(effects) if operation.agreed else "suspend"
        case OperationVerb.FORCE:
            return "force"
        case _:
            return "stop"


def _is_stale(operation: Operation, observed_at: float) -> bool:
    """Return whether a read is older than the operation, or no newer than its last call or ``read_since``."""
    return observed_at < operation.created_at or observed_at <= max(
        operation.called_at or 0.0, operation.read_since or 0.0
    )


def _is_fresh_enough(operation: Operation, observed_at: float) -> bool:
    """Return whether a read from before the operation is recent enough for its first call."""
    untouched = operation.called_at is None and operation.read_since is None
    return untouched and observed_at >= operation.created_at - FRESH


def _bring_down(
    operation: Operation,
    state: State,
    observed_at: float,
    actions: frozenset[Action] | None,
    downward: tuple[Plan, str],
) -> Plan:
    """Decide for a workspace that isn't as far down as requested.

    A stop of unknown outcome is repeated, which does no harm. An accepted one isn't: if somebody has started
    the workspace since, they would lose their work. A workspace that is already stopping is left alone unless
    this is a force or a removal.
    """
    call, failed = downward
    if state is State.STOPPING and operation.verb not in (OperationVerb.FORCE, OperationVerb.REMOVE):
        return WAIT
    called_at, has_called = operation.called_at or 0.0, operation.stop_call is not Call.NONE
    is_left = not is_down(state, actions)
    # A failure from before the call is seen for a while, and for good if the call had no effect.
    has_settled = operation.stop_call is Call.ACCEPTED and observed_at >= called_at + START_SETTLES
    is_new = has_called and (operation.called_from is not State.FAILED or has_settled)
    if state is State.FAILED and is_left and is_new:
        return _fail_at_second_read(operation, observed_at)
    if operation.stop_call.is_unsure and observed_at < find_settling_time(operation):
        return READ
    if operation.stop_call is not Call.ACCEPTED:
        # What is known to run is called all the same: the provider itself has the last word.
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
    """Return the end of an operation whose workspace two reads in a row found failed; after one, another."""
    is_second = operation.failed_at is not None and observed_at > operation.failed_at
    return _fail("provider_failed") if is_second else STILL_FAILED


def _prior_lasts(operation: Operation, observed_at: float, accepted: float) -> bool:
    """Return whether the previous operation's call may still take effect after a read.

    ``accepted`` is the longest that takes, in seconds, if the call was accepted.
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
    # It has come up if it was up when the stop was sent, or if a read since the start saw it up.
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
    """Return whether a start that was refused as too busy has led to a failure all the same."""
    is_refused = operation.busy_since is not None and operation.conflict is None
    return is_refused and operation.called_from is not State.FAILED


def _after_start(operation: Operation, state: State, observed_at: float, up_at: float | None) -> Plan:
    """Decide after the start call, whose outcome may be unknown; an accepted start is never sent again.

    A creation counts as a start. The workspace counts as stopped or failed again only if it was seen up since
    the call, or hasn't come up within minutes: an early read may show the state from before the call.
    """
    called_at = operation.called_at or 0.0
    # Where the clock was moved, only the time of the call begins again.
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
    """Return whether an operation whose start was accepted has nothing to do when its workspace is seen so.

    Whatever else is known of it: by its plan it waits, or reads on, which it does anyway.
    """
    return not verb.brings_down and start_call is Call.ACCEPTED and state is State.STARTING


def may_repeat(work_item: WorkItem, step: Step) -> bool:
    """Return whether sending a step's call twice does no harm: a start's, or a stop's of any kind.

    The calls of a restart or a creation undo each other, or make something.
    """
    is_other = isinstance(work_item, Operation) and work_item.verb in (
        OperationVerb.RESTART,
        OperationVerb.CREATE,
    )
    return step in _REPEATABLE and not is_other


def next_read(
    state: State,
    *,
    has_open_operation: bool,
    used_at: float | None,
    now: float,
    pace: Pacing,
    lacks_since: float | None = None,
) -> float | None:
    """Return the seconds until a workspace is read again, None for only when somebody asks.

    Never below ``min_poll_interval``. The intervals are the provider's (``Provider.pace``). One that has run
    since ``lacks_since`` without something that it lacks is read like one that is starting, for some minutes.
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


def backoff(attempts: int, jitter: float, *, longest: float = 60.0) -> float:
    """Return the seconds to wait after the ``attempts``-th failure in a row: doubling from 1 s, jittered.

    ``jitter`` is in 0–1 and takes off up to half, so that calls that failed together aren't retried together.
    """
    whole = min(2.0 ** min(max(attempts - 1, 0), 16), longest)
    return whole * (1.0 - jitter / 2.0)


#: It is busy, or has something unsaved, that nobody had been told when they agreed to its end.
AT_STAKE = _fail("at_stake")
LAUNCH = Plan(Step.LAUNCH)
ENDED = Plan(Step.END, Outcome.ENDED)
CALLED_OFF = Plan(Step.END, Outcome.CANCELLED, "cancelled")
UNTOLD = _fail("untold")
RUN_UNANSWERED = _fail("unanswered")


def plan_run(run: Run, now: float) -> Plan:
    """Decide the next step for a run, as it was last seen.

    After a launch of unknown outcome the run is looked for before it is launched again; an accepted run is
    never launched again. A run cancelled before its launch isn't launched.
    """
    if not run.is_open:
        return WATCH
    if run.remote_id is None:
        if run.requested_stop and run.start_call is not Call.NONE and run.question_since is not None:
            return UNTOLD
        return _make(run, run, now, CALLED_OFF if run.requested_stop else LAUNCH, RUN_UNANSWERED)
    if run.state.is_over:
        return ENDED
    # A stop that failed too often is given up: the run continues and is read until it ends.
    if not run.requested_stop or run.stop_call is Call.ACCEPTED or run.attempts >= MAX_ATTEMPTS:
        return READ
    if run.stop_call is Call.NONE and run.retry_at is not None:  # Refused, so read first.
        is_read = (run.observed_at or 0.0) > (run.called_at or 0.0)
        return STOP if is_read and now >= run.retry_at else READ
    return READ if run.stop_call.is_unsure and now < find_settling_time(run) else STOP


def next_run_read(state: RunState, age: float, fastest: float) -> float:
    """Return the seconds until a run is read again: from 2 s (or ``fastest`` if that is more) to 15 s.

    ``age`` is how long it has been in its state, in seconds: a run that has just begun may end soon.
    """
    slowest = 15.0
    grown = 2.0 + age / 10.0
    return max(min(grown, slowest), fastest, 5.0 if state is RunState.UNKNOWN else 0.0)
