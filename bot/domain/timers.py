"""Timers: when a workspace is to be stopped, when its person is warned, and what else may stop it first."""

import math
from typing import Final

from bot.domain.stops import ExpiryMode, PlannedStop, StopEffects, StopMode, is_final
from bot.domain.workspaces import Workspace

#: Seconds before a timer's stop at which the workspace's person is warned.
TIMER_WARNING_SECONDS: Final = 600.0
#: Seconds before the end of a class at which people are warned.
CLASS_WARNING_SECONDS: Final = 300.0
#: Least seconds between the warning and the stop, however late the warning came.
LEAST_TIMER_WARNING_SECONDS: Final = 300.0
#: Seconds after its time at which a timer that nobody handled needs a new warning, because its person may
#: have started the workspace again.
ABSENT_SECONDS: Final = 120.0
#: Least seconds ahead for which a timer can be set.
SOONEST_SECONDS: Final = 60.0
#: Seconds until an irreversible stop is tried again whose person couldn't be warned.
AGAIN_SECONDS: Final = 86_400.0
#: Least seconds until a stop that needs a warning, with half a minute to deliver that.
WARNED_SOONEST_SECONDS: Final = LEAST_TIMER_WARNING_SECONDS + 30.0
#: Seconds that *1 hour more* adds.
MORE_SECONDS: Final = 3600.0
#: Least seconds between two rounds of work on a class card, so that presses are counted together.
REST: Final = 3.0


def list_coming_ends(
    workspace: Workspace, effects: StopEffects, now: float
) -> list[tuple[StopMode | ExpiryMode, float]]:
    """Return the way and time of the workspace's own end, if that comes before its timer, and of the timer.

    An own end by a stop counts as a removal if a stop is irreversible.
    """
    timer = [] if workspace.stop_at is None else [(workspace.stop_mode or "stop", workspace.stop_at)]
    at, how = workspace.expires_at, workspace.expiry_mode
    if at is None or how is None or not now < at < (workspace.stop_at or math.inf):
        return [*timer]
    return [("removed" if is_final(effects, "stop") else how, at), *timer]


def find_next_stop(workspace: Workspace, planned: float | None, now: float) -> float | None:
    """Return the time of a workspace's next stop, None if nothing stops it.

    That is its timer or, without one, the stop that hours have ``planned``, unless the provider stops it by
    itself before.
    """
    planned = planned if workspace.stop_at is None else workspace.stop_at
    own = workspace.expires_at if workspace.expires_at is not None and workspace.expires_at > now else None
    return min((at for at in (planned, own) if at is not None), default=None)


def needs_warning(end: PlannedStop, now: float) -> bool:
    """Return whether a planned stop's person is warned; not if they themself just named a near time."""
    is_near = end.at - now <= TIMER_WARNING_SECONDS + SOONEST_SECONDS
    # With ``via``, an assistant named the time.
    return end.warns or bool(end.via) or not is_near


def find_warning_seconds(card: str | None) -> float:
    """Return the seconds between a timer's warning and its stop; ``card`` is the class that set it."""
    return CLASS_WARNING_SECONDS if card else TIMER_WARNING_SECONDS


def find_due_time(workspace: Workspace) -> float:
    """Return when a workspace's timer is due: for its warning or, after that, for its stop."""
    stop_at = workspace.stop_at or 0.0
    return stop_at if workspace.stop_warned else stop_at - find_warning_seconds(workspace.stop_card)
