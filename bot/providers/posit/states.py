"""Workbench's states in Usher's terms (``docs/internals/providers/posit.md``, "States"). Pure functions."""

from collections.abc import Callable, Mapping

from bot.domain import failure_causes
from bot.domain.observations import Observed
from bot.domain.runs import ObservedRun, RunState
from bot.domain.stops import StopRisk
from bot.domain.workspaces import DOWN_STATES, Action, State
from bot.providers.answers import MAX_NAME_LENGTH
from bot.providers.base import URL_NOT_ALLOWED, describe_unknown_state
from bot.providers.posit.types import SUSPENDS, WorkbenchJob, WorkbenchSession
from bot.providers.words import clean, clean_words

_SESSION_STATES = {
    "launching": State.STARTING,
    "resuming": State.STARTING,
    "pending": State.STARTING,
    "starting": State.STARTING,
    "running": State.RUNNING,
    "suspending": State.STOPPING,
    "suspended": State.SUSPENDED,
    "failed": State.FAILED,
    # A session that has ended can't be started again, so treat it as gone.
    "finished": State.GONE,
    "killed": State.GONE,
}
_RUN_STATES = {
    "pending": RunState.QUEUED,
    "running": RunState.RUNNING,
    "suspended": RunState.RUNNING,
    "finished": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.CANCELLED,
    "cancelled": RunState.CANCELLED,
    # The job received SIGKILL, from somebody who stopped it or, for example, because memory ran out.
    "killed": RunState.FAILED,
}
#: Exit codes of jobs that were ended by SIGKILL or SIGTERM. A shell adds 128 to the signal's number. A job
#: that was stopped with ``kill`` counts as finished, with such an exit code.
_KILLED_EXIT_CODES = frozenset({9, 15, 137, 143})
_UP: frozenset[Action] = frozenset({"stop", "force"})
_ACTIONS: Mapping[State, frozenset[Action]] = {
    State.STARTING: _UP,
    State.STOPPING: frozenset({"force"}),
    State.SUSPENDED: frozenset({"start", "stop", "force"}),
    State.FAILED: frozenset(),
    State.GONE: frozenset(),
}


def to_observed(session: WorkbenchSession, address: Callable[[str], str | None]) -> Observed:
    """Convert a session to Usher's terms; ``address`` checks the URL that the server gives."""
    state = _SESSION_STATES.get(session.activity_state.casefold())
    label = clean(session.title, MAX_NAME_LENGTH) or None
    if state is None:
        strange = describe_unknown_state(clean(session.activity_state))
        return Observed(State.UNKNOWN, detail=strange, name=label, actions=_UP)
    used = session.last_used if state in {State.RUNNING, State.SUSPENDED} else None
    if state is not State.RUNNING:
        said = session.status_detail if state in {State.STARTING, State.FAILED} else ""
        detail, reason = failure_causes.split_message(
            state, clean_words(said, failure_causes.MAX_REASON_LENGTH)
        )
        kept: frozenset[StopRisk] = frozenset({"memory"} if session.suspend_size else ())
        return Observed(
            state,
            detail=detail,
            reason=reason,
            name=label,
            actions=_ACTIONS[state],
            stop_risks=kept if state is State.SUSPENDED else None,
            last_used_at=used,
            down_at=session.last_state_updated if state in DOWN_STATES else None,
        )
    url = address(session.url)
    may: set[Action] = {"suspend"} if session.workbench == SUSPENDS else set()
    at_stake: set[StopRisk] = {"busy"} if session.executing else set()
    if session.save_prompt_required:
        at_stake.add("unsaved")
    if url is not None:
        may.add("open")
    return Observed(
        state,
        url=url,
        detail=URL_NOT_ALLOWED if session.url and url is None else None,
        name=label,
        actions=_UP | may,
        stop_risks=frozenset(at_stake),
        last_used_at=used,
        started_at=session.since,
        lacks=None if session.url else "address",
    )


def is_over(session: WorkbenchSession) -> bool:
    """Return whether a session has ended. The server may still list a session that has ended."""
    return _SESSION_STATES.get(session.activity_state.casefold()) in {State.GONE, State.FAILED}


def is_up(session: WorkbenchSession) -> bool:
    """Return whether a session is running or starting up."""
    return _SESSION_STATES.get(session.activity_state.casefold()) in {State.RUNNING, State.STARTING}


def to_observed_run(job: WorkbenchJob) -> ObservedRun:
    """Convert a job to Usher's terms. A finished job counts as failed if its exit code isn't 0."""
    word = job.status.casefold()
    state = _RUN_STATES.get(word, RunState.UNKNOWN)
    if state is RunState.SUCCEEDED and job.exit_code not in {0, None}:
        state = RunState.FAILED
    detail = clean_words(job.status_message) or clean(job.status_code) or None
    if state is RunState.UNKNOWN:
        detail = describe_unknown_state(clean(job.status))
    elif word == "suspended":
        detail = detail or "Suspended by the cluster."
    elif word == "killed":
        detail = detail or "It was killed."
    elif state is RunState.RUNNING and not detail and job.cluster:
        host = f", host {clean(job.host, MAX_NAME_LENGTH)}" if job.host else ""
        detail = f"On {clean(job.cluster, MAX_NAME_LENGTH)}{host}."
    return ObservedRun(
        state,
        exit_code=job.exit_code if state.is_over else None,
        detail=detail,
        name=clean(job.name, MAX_NAME_LENGTH) or None,
        # The server doesn't report when a job began, but when its state last changed. While the job is
        # running, that is the same.
        started_at=job.updated_at if word == "running" else None,
        ended_at=job.updated_at if state.is_over else None,
        submitted_at=job.submitted_at,
        was_killed=word == "killed" or (state is RunState.FAILED and job.exit_code in _KILLED_EXIT_CODES),
    )
