"""What a read found, merged into what was known of a workspace or a run; pure."""

from __future__ import annotations

from bot.domain.runs import ObservedRun, RunState
from bot.domain.workspaces import NOT_UP, Ending, Observed, State
from bot.store.transaction import Row

#: The columns that ``run_after`` returns.
OF_RUNS = ("state", "exit_code", "detail", "name", "started_at", "finished_at", "observed_at")
#: A read that is no older than this when the next one comes shows when a workspace came up, in seconds.
JUST_BEFORE = 60.0


def end_of(row: Row, seen: Observed, granted_at: float) -> tuple[float | None, Ending | None]:
    """Return when and how a workspace ends, given its row before the observation.

    If the provider reports how long a state lasts but not since when, count from the read that first found
    it; a workspace stopped for lack of use was stopped at the predicted end.
    """
    if seen.lasts is None:
        return seen.ends_at, seen.ends_how
    counted: float | None = None
    if row["state"] != seen.state:
        began = granted_at
        if seen.state is State.STOPPED and row["ends_how"] == "stops" and row["ends_at"] is not None:
            began = min(began, row["ends_at"])
        counted = began + seen.lasts
    elif row["ends_how"] == seen.ends_how:
        counted = row["ends_at"]
    known = [at for at in (seen.ends_at, counted) if at is not None]
    return max(known, default=granted_at + seen.lasts), seen.ends_how


def up_since(row: Row, seen: Observed, granted_at: float) -> float | None:
    """Return since when a workspace has been up, given its row before the observation.

    If the provider doesn't say, it is the read that found it running where the one just before didn't.
    """
    if seen.state in NOT_UP:
        return None
    if seen.started_at is not None:
        return seen.started_at
    if seen.state is not State.RUNNING or row["state"] == State.RUNNING:
        known: float | None = row["started_at"]
        return known
    return granted_at if granted_at - (row["observed_at"] or 0.0) <= JUST_BEFORE else None


def run_after(row: Row, observed: ObservedRun | None, at: float) -> Row:
    """Return a run's observed columns after a read; without one, unchanged.

    An unknown state keeps the last one, and a run that is over never runs again: an observation to the
    contrary is outdated.
    """
    if observed is None:
        return {column: row[column] for column in OF_RUNS}
    was_over = RunState(row["state"]).is_over
    keeps = observed.state is RunState.UNKNOWN or (was_over and not observed.state.is_over)
    return {
        "state": row["state"] if keeps else observed.state.value,
        "exit_code": row["exit_code"] if observed.exit_code is None else observed.exit_code,
        "detail": row["detail"] if keeps else observed.detail,
        "name": observed.name or row["name"],
        "started_at": row["started_at"] if observed.started_at is None else observed.started_at,
        "finished_at": row["finished_at"] if observed.ended_at is None else observed.ended_at,
        "observed_at": at,
    }


def runs_differ(before: Row, after: Row) -> bool:
    """Return whether anything visible of a run has changed."""
    return any(before[column] != after[column] for column in OF_RUNS if column != "observed_at")
