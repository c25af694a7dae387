"""Workspaces that run without anybody wanting it, perhaps: when their person is asked; pure."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.moments import instant
from bot.domain.workspaces import State, Workspace

#: People are asked between these minutes of their day, and what they leave unanswered is stopped at its end.
DAYTIME: Final = (9 * 60, 17 * 60)
EVENING: Final = 18 * 60


def left_since(workspace: Workspace) -> tuple[float, bool] | None:
    """Return since when a workspace has been left alone, and whether its provider says when it was used.

    None if nobody knows, or it doesn't run on without an end.
    """
    used, began = workspace.last_used_at, workspace.started_at
    if workspace.state is not State.RUNNING or workspace.stop_at or workspace.ends_at:
        return None
    if used is not None and used >= (began or 0.0):
        return used, True
    return None if began is None else (began, False)


def evening_of_asking(
    workspace: Workspace, seconds: float | None, now: float, zone: ZoneInfo
) -> float | None:
    """Return when the day ends on which a workspace's person is asked now whether they need it.

    ``seconds`` is for how long it is left alone before, None for ever. What they do with it here counts as
    its use. None if they aren't asked now.
    """
    left, local = left_since(workspace), datetime.fromtimestamp(now, zone)
    if left is None or seconds is None or now - max(left[0], workspace.used_at or 0.0) < seconds:
        return None
    is_daytime = DAYTIME[0] <= local.hour * 60 + local.minute < DAYTIME[1]
    return instant(local.date(), EVENING, zone) if is_daytime else None
