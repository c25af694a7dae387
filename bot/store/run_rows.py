"""Rows of ``runs`` and observations: what a read found is merged into what was known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import RunState

if TYPE_CHECKING:
    from bot.domain.models import ObservedRun
    from bot.store.transaction import Row

#: The columns that ``seen`` returns.
OBSERVED = ("state", "exit_code", "detail", "name", "started_at", "finished_at", "observed_at")


def seen(row: Row, observed: ObservedRun | None, at: float) -> Row:
    """Return a run's observed columns after a read; without one, unchanged.

    An unknown state keeps the last one, and a run that is over never runs again: an observation to the
    contrary is outdated.
    """
    if observed is None:
        return {column: row[column] for column in OBSERVED}
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


def differ(before: Row, after: Row) -> bool:
    """Return whether anything visible of a run has changed."""
    return any(before[column] != after[column] for column in OBSERVED if column != "observed_at")
