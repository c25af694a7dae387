"""When a workspace ends by itself: worked out from what is told and what is recorded; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import State

if TYPE_CHECKING:
    from bot.domain.models import Ending, Observed
    from bot.store.transaction import Row


def end_of(row: Row, seen: Observed, granted_at: float) -> tuple[float | None, Ending | None]:
    """Return when and how a workspace ends, for its row before the observation.

    Where a provider tells how long a state lasts but not since when, it is counted from the read that found
    it first; what was stopped for want of use was so at the end that was foreseen.
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
