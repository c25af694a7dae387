"""The next step of an operation or a run, decided from what was last observed.

All functions here are pure and total: no clock, no I/O, and an answer for every input. That includes the
time of the next read. The tables in ``tests/domain/test_plan.py`` and ``tests/domain/test_plan_runs.py`` are
the specification.
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

#: Temporary failures in a row (time-outs, 5xx, 429) after which an operation gives up. The backoff grows to a
#: minute, so this is about a quarter of an hour of retries.
MAX_ATTEMPTS = 20

#: Seconds by which a read may be older than the operation and still be fresh enough for its first call. Just
#: longer than the interval that Saturn Cloud requires between reads.
FRESH = 12.0

#: Seconds that an accepted stop may take. Some servers report *running* until it is done.
STOP_SETTLES = 600.0

#: Seconds without use after which a running workspace is read less often.
UNUSED_AFTER = 86_400.0
#: Seconds after its last use for which a workspace that is down is read as often as a running one. What its
#: person was told about it may still turn out to be wrong.
RECENTLY_USED = 3_600.0


class Step(StrEnum):
    """Name the one thing to do next for an operation or a run."""

    READ = "read"  #: ask the poll gate for a status read, then plan again
    START = "start"  #: send the start call
    CREATE = "create"  #: send the call that creates the workspace
    LAUNCH = "launch"  #: send the call that launches a run
    FIND = "find"  #: look for the result of a creation or launch of unknown outcome
    STOP = "stop"  #: send the stop call
    SUSPEND = "suspend"  #: send the stop call that keeps its memory
    FORCE = "force"  #: send the stop call that doesn't ask the IDE
    REMOVE = "remove"  #: send the call that deletes the workspace
    RENEW = "renew"  #: the workspace ended as agreed, or failed: create a new one in its place
    WAIT = "wait"  #: do nothing until the next read, or until ``at``
    END = "end"  #: end the operation or run with ``outcome`` and ``cause``
    WATCH = "watch"  #: do nothing, as the operation or run has already ended


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold the decision: a step and, for END, an outcome. ``cause`` names a text of ``bot.messages``.

    For READ and WAIT, ``cause`` names what holds up the work, if people should be told. ``at``, in epoch
    seconds, ends a WAIT that nothing else would end.
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
#: The provider can't restart the workspace, and Usher has no spec to create another one from.
NO_RESTART = Plan(Step.END, Outcome.FAILED, "no_restart")
#: The person was asked whether to create the workspace again, and didn't answer for a day.
UNANSWERED = Plan(Step.END, Outcome.UNKNOWN, "unanswered")
#: The start was accepted, but the workspace still shows as down.
STILL_DOWN = Plan(Step.READ, cause="still_down")
#: A read since the call shows a failure. It may be an earlier one, so another read has to confirm it.
STILL_FAILED = Plan(Step.READ, cause="still_failed")
#: A stop that was sent before the start was requested is still in progress. The start follows.
STOPPING_FIRST = Plan(Step.WAIT, cause="stopping_first")
#: The stop was accepted, but the workspace still runs.
NO_EFFECT = Plan(Step.WAIT, cause="no_effect")
#: The provider accepts no stop in this state. The stop is sent as soon as it does.
NO_STOP_YET = Plan(Step.WAIT, cause="no_stop_yet")
#: A start was sent before the stop was requested, so the workspace may still come up.
START_SENT = Plan(Step.READ, cause="start_sent")
#: The workspace runs, but people can't use it yet.
NOT_USABLE = Plan(Step.WAIT)

REMOVE = Plan(Step.REMOVE)
RENEW = Plan(Step.RENEW)

#: For each way of stopping, its call and the cause of failure if that was accepted but had no effect.
_DOWNWARDS: dict[StopMode, tuple[Plan, str]] = {
    "stop": (STOP, "started_elsewhere"),
    "suspend": (Plan(Step.SUSPEND), "not_suspended"),
    "force": (Plan(Step.FORCE), "started_elsewhere"),
}
_MODES: dict[Step, StopMode] = {call.step: mode for mode, (call, _) in _DOWNWARDS.items()}
#: For each call, the action that has to be possible.
_ACTIONS: dict[Step, Action] = {
    Step.STOP: "stop",
    Step.SUSPEND: "suspend",
    Step.FORCE: "force",
    Step.REMOVE: "remove",
}
_CALLS = frozenset({Step.START, *_ACTIONS})
#: Verbs that never give up while their workspace may run, as a running workspace costs money.
_STOPS = frozenset({OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE})
_REPEATABLE = frozenset({Step.START, Step.STOP, Step.SUSPEND, Step.FORCE})
#: Effects of the ways of stopping, if a provider doesn't declare others.
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

    ``actions`` is what the provider allows now, None for everything it is capable of. A stop that the
    provider doesn't accept in this state waits until it does. ``effects`` is what each way of stopping does:
    a workspace is ended irreversibly only if its person agreed to that, knowing the ``stop_risks``. ``up_at``
    is when it was last seen starting or running. ``lacks`` is what it lacked while it ran, since
    ``lacks_since``. A start is fulfilled once the workspace is usable, or has lacked it for long enough.

    No operation ends on stale data: a read counts only if it is newer than the operation and its last call.
    The first call may rely on a read that was fresh when the operation was created. If the state has changed
    since, that call does no harm, and waiting for the poll gate would only delay the person. A call that
    can't be undone needs a newer read.
    A refused call isn't sent again, unless the provider was busy or the refusal was a first 401. Then a new
    read shows whether the call is still needed. An operation that failed too often in a row makes no more
    calls, unless it is a stop or a planned start, but a read can still fulfil it.
    """
    if not operation.is_open:
        return WATCH
    if observed_at is None:
        return READ
    if state is State.FAILED and "stop" not in effects:
        actions = frozenset()  # A provider without a stop says that nothing of a failed one still runs.
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
    if (
        ends
        and decided is not REMOVE
        and not operation.has_called
        and costs_more(stop_risks, operation.agreed, is_planned=is_planned)
    ):
        return AT_STAKE
    return decided


def plan_unmade(operation: Operation, creation: Operation | None, now: float) -> Plan:
    """Decide the next step for a workspace that isn't known to exist on its provider yet.

    ``creation`` is the operation that creates it: ``operation`` itself, or one that it replaced. Nothing is
    created twice: after an unknown outcome comes FIND, and CREATE only if nothing was found. An operation
    that cancels a creation also searches first. A workspace that is found is then stopped or removed like
    any other.
    """
    if not operation.is_open:
        return WATCH
    if operation.verb is not OperationVerb.CREATE and not operation.verb.brings_down:
        return _fail("unmade")
    is_wanted = operation.verb is OperationVerb.CREATE
    return _make(operation, creation, now, CREATE if is_wanted else NOT_MADE, UNANSWERED)


def _make(work_item: WorkItem, maker: WorkItem | None, now: float, first: Plan, unanswered: Plan) -> Plan:
    """Return ``first`` until the call was sent, then look for the call's result.

    ``maker`` is the work item whose call creates or launches. ``unanswered`` is the end if the person is
    asked and doesn't answer.
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
            return READ  # A workspace that was just created may not be listed everywhere yet.
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
        return RENEW  # The workspace has already ended, so a new one ends nothing.
    if mode is None:
        return _fail("not_agreed") if is_final(effects, "stop") else NO_RESTART
    ends = is_final(effects, mode)
    # A failed workspace may be started again without a stop.
    is_startable = restarts and state is State.FAILED and operation.stop_call is Call.NONE
    # A suspended workspace is down, but a stop can still end it irreversibly.
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


def _bring_down(
    operation: Operation,
    state: State,
    observed_at: float,
    actions: frozenset[Action] | None,
    downward: tuple[Plan, str],
) -> Plan:
    """Decide the next step for a workspace that has to be stopped or removed.

    A stop of unknown outcome is repeated, which does no harm. An accepted stop isn't: somebody may have
    started the workspace since, and would lose their work. A workspace that is already stopping is left alone
    unless this is a force or a removal.
    """
    call, failed = downward
    if state is State.STOPPING and operation.verb not in (OperationVerb.FORCE, OperationVerb.REMOVE):
        return WAIT
    called_at, has_called = operation.called_at or 0.0, operation.stop_call is not Call.NONE
    is_left = not is_down(state, actions)
    # Reads show a failure from before the call for a while, or permanently if the call had no effect.
    has_settled = operation.stop_call is Call.ACCEPTED and observed_at >= called_at + START_SETTLES
    is_new = has_called and (operation.called_from is not State.FAILED or has_settled)
    if state is State.FAILED and is_left and is_new:
        return _fail_at_second_read(operation, observed_at)
    if operation.stop_call.is_unsure and observed_at < find_settling_time(operation):
        return READ
    if operation.stop_call is not Call.ACCEPTED:
        # A workspace known to run gets the call even if ``actions`` lacks it: the provider decides.
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
    """Return a failure if two reads in a row found the workspace failed; after the first, read again."""
    is_second = operation.failed_at is not None and observed_at > operation.failed_at
    return _fail("provider_failed") if is_second else STILL_FAILED


def _prior_lasts(operation: Operation, observed_at: float, accepted: float) -> bool:
    """Return whether the previous operation's call may take effect later than the last read.

    ``accepted`` is the longest time, in seconds, until an accepted call takes effect.
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
    # The start has had its effect if the workspace was up when the stop was sent, or in a read since then.
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
    """Return whether a start led to a failure although the provider refused it as too busy."""
    is_refused = operation.busy_since is not None and operation.conflict is None
    return is_refused and operation.called_from is not State.FAILED


def _after_start(operation: Operation, state: State, observed_at: float, up_at: float | None) -> Plan:
    """Decide after the start call, whose outcome may be unknown; an accepted start is never sent again.

    A creation counts as a start. An early read may show the state from before the call. So the workspace
    counts as stopped or failed again only if it was seen up since the call, or hasn't come up for minutes.
    """
    called_at = operation.called_at or 0.0
    # A clock correction moves ``called_at`` but not ``sent_at``, so compare with ``sent_at``.
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
    """Return whether a read that found this state leaves the operation nothing to do.

    That is so while an accepted start shows as starting: its plan is then to wait or to read again, whatever
    else is known.
    """
    return not verb.brings_down and start_call is Call.ACCEPTED and state is State.STARTING


def may_repeat(work_item: WorkItem, step: Step) -> bool:
    """Return whether sending a step's call twice does no harm, as for a start or any kind of stop.

    In a restart a repeated call may undo the next one, and a repeated creation makes another workspace.
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
    """Return the seconds until a workspace is read again; None if it is read only when somebody asks.

    The intervals are the provider's (``Provider.pace``), and the result is never below ``min_poll_interval``.
    A workspace that runs but has lacked something since ``lacks_since`` is read as often as one that is
    starting, for some minutes.
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
    """Return the seconds to wait after the ``attempts``-th failure in a row, doubling from 1 s, with jitter.

    ``jitter``, from 0 to 1, takes off up to half, so that calls that failed together aren't retried together.
    """
    whole = min(2.0 ** min(max(attempts - 1, 0), 16), longest)
    return whole * (1.0 - jitter / 2.0)


#: The workspace is busy or has unsaved work, and its person didn't know that when they agreed to its end.
AT_STAKE = _fail("at_stake")
LAUNCH = Plan(Step.LAUNCH)
ENDED = Plan(Step.END, Outcome.ENDED)
CALLED_OFF = Plan(Step.END, Outcome.CANCELLED, "cancelled")
UNTOLD = _fail("untold")
RUN_UNANSWERED = _fail("unanswered")


def plan_run(run: Run, now: float) -> Plan:
    """Decide the next step for a run, as it was last seen.

    After a launch of unknown outcome, search for the run before launching again. An accepted run is never
    launched again, and a run that is cancelled before its launch isn't launched.
    """
    if not run.is_open:
        return WATCH
    if run.remote_id is None:
        if run.requested_stop and run.start_call is not Call.NONE and run.question_since is not None:
            return UNTOLD
        return _make(run, run, now, CALLED_OFF if run.requested_stop else LAUNCH, RUN_UNANSWERED)
    if run.state.is_over:
        return ENDED
    # A stop that failed too often is given up. The run is then read until it ends by itself.
    if not run.requested_stop or run.stop_call is Call.ACCEPTED or run.attempts >= MAX_ATTEMPTS:
        return READ
    if run.stop_call is Call.NONE and run.retry_at is not None:  # Refused, so read first.
        is_read = (run.observed_at or 0.0) > (run.called_at or 0.0)
        return STOP if is_read and now >= run.retry_at else READ
    return READ if run.stop_call.is_unsure and now < find_settling_time(run) else STOP


def next_run_read(state: RunState, age: float, fastest: float) -> float:
    """Return the seconds until a run is read again, from 2 to 15 but at least ``fastest``.

    The interval grows with ``age``, the seconds since the run's state last changed, as a run that has just
    begun may end soon.
    """
    slowest = 15.0
    grown = 2.0 + age / 10.0
    return max(min(grown, slowest), fastest, 5.0 if state is RunState.UNKNOWN else 0.0)
