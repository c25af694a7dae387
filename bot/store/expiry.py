"""When a workspace ends by itself: derived from what the provider reports and what is recorded; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import State

if TYPE_CHECKING:
    from bot.domain.models import Ending, Observed
    from bot.store.transaction import Row


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
