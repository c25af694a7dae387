"""A run's life cycle in one place: its next step, given what was observed. Pure and total.

The table of ``tests/domain/test_plan_runs.py`` is its specification.
"""

from __future__ import annotations

from bot.domain.models import Call, Run, RunState
from bot.domain.plan import FIND, MAX_ATTEMPTS, READ, STOP, WATCH, Plan, Step
from bot.domain.settling import ANSWER_SECONDS, CALL_ENDS, START_SETTLES, unknown_since

LAUNCH = Plan(Step.LAUNCH)
ENDED = Plan(Step.END, "ended")
CALLED_OFF = Plan(Step.END, "cancelled", "cancelled")
UNTOLD = Plan(Step.END, "failed", "untold")
UNANSWERED = Plan(Step.END, "failed", "unanswered")


def plan_run(run: Run, now: float) -> Plan:
    """Decide the next step for a run, as it was last seen.

    After a launch of unknown outcome the run is looked for before it is launched again; an accepted run is
    never launched again. A run cancelled before its launch isn't launched.
    """
    if not run.is_open:
        return WATCH
    if run.remote_id is None:
        return _before_launch(run, now)
    if run.state.is_over:
        return ENDED
    # A stop that failed too often is given up: the run continues and is read until it ends.
    if not run.stop_wanted or run.stop_call is Call.ACCEPTED or run.attempts >= MAX_ATTEMPTS:
        return READ
    since = unknown_since(run.stop_call, run.called_at, run.unknown_since)
    return READ if run.stop_call.is_unsure and now < since + START_SETTLES else STOP


def _before_launch(run: Run, now: float) -> Plan:
    if run.launch_call is Call.NONE:
        if run.stop_wanted:
            return CALLED_OFF
        return LAUNCH if run.attempts < MAX_ATTEMPTS else Plan(Step.END, "failed", "gave_up")
    if run.asked_at is not None and run.stop_wanted:
        return UNTOLD
    if run.asked_at is not None and now >= run.asked_at + ANSWER_SECONDS:
        return UNANSWERED
    ends_at = (run.called_at or 0.0) + CALL_ENDS
    is_under_way = run.launch_call is Call.CALLING and now < ends_at
    return Plan(Step.WAIT, at=ends_at) if is_under_way else FIND


def next_run_read(state: RunState, age: float, fastest: float) -> float:
    """Return the seconds until a run is read again: from 2 s (or ``fastest`` if that is more) to 15 s.

    ``age`` is how long it has been in its state, in seconds: a run that has just begun may end soon.
    """
    slowest = 15.0
    grown = 2.0 + age / 10.0
    return max(min(grown, slowest), fastest, 5.0 if state is RunState.UNKNOWN else 0.0)
