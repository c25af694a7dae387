"""Map the server's states of sessions and jobs to ours; pure (``docs/providers/posit.md``, "States")."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.models import Action, AtStake, Observed, ObservedRun, RunState, State
from bot.providers.base import URL_NOT_ALLOWED, unknown_word
from bot.providers.posit.computing import SUSPENDS
from bot.providers.posit.types import WorkbenchJob, WorkbenchSession
from bot.providers.reading import MAX_NAME, clean, moment

_STATES = {
    "launching": State.STARTING,
    "resuming": State.STARTING,
    "pending": State.STARTING,
    "starting": State.STARTING,
    "running": State.RUNNING,
    "suspending": State.STOPPING,
    "suspended": State.SUSPENDED,
    "failed": State.FAILED,
    # A session that has ended can't be started again; it is gone once the server forgets it.
    "finished": State.GONE,
    "killed": State.GONE,
}
_JOBS = {
    "pending": RunState.QUEUED,
    "running": RunState.RUNNING,
    "suspended": RunState.RUNNING,
    "finished": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.CANCELLED,
    "cancelled": RunState.CANCELLED,
    "killed": RunState.CANCELLED,
}
_UP: frozenset[Action] = frozenset({"stop", "force"})
NO_URL = "The server gives no link for it."
HELD = "Suspended by the cluster."


def observed(session: WorkbenchSession, address: Callable[[str], str | None]) -> Observed:
    """Return what is known of a session; ``address`` checks the URL that the server gives."""
    state = _STATES.get(session.activity_state.casefold())
    label = clean(session.title, MAX_NAME) or None
    if state is None:
        strange = unknown_word(clean(session.activity_state))
        return Observed(State.UNKNOWN, detail=strange, name=label, actions=_UP)
    detail = clean(session.status_detail) or None
    match state:
        case State.RUNNING:
            url = address(session.url)
            missing = (URL_NOT_ALLOWED if session.url else NO_URL) if url is None else None
            return Observed(
                state,
                url=url,
                detail=missing,
                name=label,
                actions=_running(session, url),
                at_stake=_at_stake(session),
                last_used_at=moment(session.last_used),
            )
        case State.STARTING:
            return Observed(state, detail=detail, name=label, actions=_UP)
        case State.STOPPING:
            return Observed(state, detail=detail, name=label, actions=frozenset({"force"}))
        case State.SUSPENDED:
            actions: frozenset[Action] = frozenset({"start", "stop", "force"})
            return Observed(state, name=label, actions=actions, last_used_at=moment(session.last_used))
        case State.FAILED:
            return Observed(state, detail=detail, name=label, actions=frozenset())
        case _:
            return Observed(State.GONE, name=label, actions=frozenset())


def suspends(state: State, actions: frozenset[Action] | None, ide: str) -> bool | None:
    """Return whether a session can be suspended: only RStudio can; None while its IDE is unknown.

    ``ide`` is what it was launched as, if known; while it runs, its allowed actions reveal it.
    """
    if ide:
        return ide == SUSPENDS
    if state in {State.SUSPENDED, State.STOPPING}:
        return True
    return "suspend" in actions if state is State.RUNNING and actions is not None else None


def is_over(session: WorkbenchSession) -> bool:
    """Return whether a session has ended and merely remains in the server's list."""
    return _STATES.get(session.activity_state.casefold()) in {State.GONE, State.FAILED}


def is_up(session: WorkbenchSession) -> bool:
    """Return whether a session is running or about to."""
    return _STATES.get(session.activity_state.casefold()) in {State.RUNNING, State.STARTING}


def observed_job(job: WorkbenchJob) -> ObservedRun:
    """Return what is known of a job; a finished one has failed if its exit code says so."""
    word = job.status.casefold()
    state = _JOBS.get(word, RunState.UNKNOWN)
    if state is RunState.SUCCEEDED and job.exit_code not in {0, None}:
        state = RunState.FAILED
    detail = clean(job.status_message) or None
    if state is RunState.UNKNOWN:
        detail = unknown_word(clean(job.status))
    elif word == "suspended":
        detail = detail or HELD
    return ObservedRun(
        state,
        exit_code=job.exit_code if state.is_over else None,
        detail=detail,
        name=clean(job.name, MAX_NAME) or None,
        started_at=job.submitted_at,
        ended_at=job.updated_at if state.is_over else None,
    )


def _at_stake(session: WorkbenchSession) -> frozenset[AtStake]:
    busy: set[AtStake] = {"busy"} if session.executing else set()
    unsaved: set[AtStake] = {"unsaved"} if session.save_prompt_required else set()
    return frozenset(busy | unsaved)


def _running(session: WorkbenchSession, url: str | None) -> frozenset[Action]:
    more: set[Action] = {"suspend"} if session.workbench == SUSPENDS else set()
    if url is not None:
        more.add("open")
    return _UP | more
