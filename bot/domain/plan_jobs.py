"""The life of a run on one screen: what to do next, given what was observed; pure and total.

The table of ``tests/unit/test_plan_jobs.py`` is its specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import Call, JobState
from bot.domain.plan import FIND, MAX_ATTEMPTS, READ, STOP, WATCH, Plan, Step
from bot.domain.settling import ANSWER_SECONDS, CALL_ENDS, START_SETTLES, unknown_since

if TYPE_CHECKING:
    from bot.domain.models import Job


LAUNCH = Plan(Step.LAUNCH)
ENDED = Plan(Step.END, "ended")
CALLED_OFF = Plan(Step.END, "cancelled", "cancelled")
UNTOLD = Plan(Step.END, "failed", "untold")
UNANSWERED = Plan(Step.END, "failed", "unanswered")


def plan_job(job: Job, now: float) -> Plan:
    """Decide the next step for a run, as it was last seen.

    A launch of unknown outcome is looked for before another one; what was accepted is never launched again. A
    run that was called off before it was launched is not launched.
    """
    if not job.is_open:
        return WATCH
    if job.remote_id is None:
        return _before_launch(job, now)
    if job.state.is_over:
        return ENDED
    # As often as a stop may have failed: it goes on there whatever is asked for, and is read to its end.
    if not job.stop_wanted or job.stop_call is Call.ACCEPTED or job.attempts >= MAX_ATTEMPTS:
        return READ
    since = unknown_since(job.stop_call, job.called_at, job.unknown_since)
    return READ if job.stop_call.is_unsure and now < since + START_SETTLES else STOP


def _before_launch(job: Job, now: float) -> Plan:
    if job.launch_call is Call.NONE:
        if job.stop_wanted:
            return CALLED_OFF
        return LAUNCH if job.attempts < MAX_ATTEMPTS else Plan(Step.END, "failed", "gave_up")
    if job.asked_at is not None and job.stop_wanted:
        return UNTOLD
    if job.asked_at is not None and now >= job.asked_at + ANSWER_SECONDS:
        return UNANSWERED
    ends_at = (job.called_at or 0.0) + CALL_ENDS
    is_under_way = job.launch_call is Call.CALLING and now < ends_at
    return Plan(Step.WAIT, at=ends_at) if is_under_way else FIND


def next_job_read(state: JobState, age: float, fastest: float) -> float:
    """Return the seconds until a run is read again: from 2 s (``fastest`` where that is more) to 15 s.

    ``age`` is how long it has been in its state: what has just begun may end at once.
    """
    slowest = 15.0
    grown = 2.0 + age / 10.0
    return max(min(grown, slowest), fastest, 5.0 if state is JobState.UNKNOWN else 0.0)
