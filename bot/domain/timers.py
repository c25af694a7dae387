"""Timers: when to stop a workspace, when to warn its owner, and what else may stop it earlier."""

import math
from typing import Final

from bot.domain.stops import ExpiryMode, PlannedStop, StopEffects, StopMode, is_final
from bot.domain.workspaces import Workspace

#: How many seconds in advance owners are warned of a planned stop.
TIMER_WARNING_SECONDS: Final = 600.0
#: How many seconds in advance members are warned of the end of a class.
CLASS_WARNING_SECONDS: Final = 300.0
#: Minimum number of seconds between the warning and the stop, however late the warning was sent.
LEAST_TIMER_WARNING_SECONDS: Final = 300.0
#: How many seconds late a timer may be handled without a new warning. After that, the owner is warned again,
#: because they may have started the workspace in the meantime.
ABSENT_SECONDS: Final = 120.0
#: Minimum number of seconds between setting a timer and the stop.
SOONEST_SECONDS: Final = 60.0
#: How long, in seconds, an irreversible stop is postponed if the owner couldn't be warned of it.
AGAIN_SECONDS: Final = 86_400.0
#: Like ``SOONEST_SECONDS``, for timers set by an assistant: the minimum time between the warning and the
#: stop, plus half a minute to deliver the warning to the owner.
WARNED_SOONEST_SECONDS: Final = LEAST_TIMER_WARNING_SECONDS + 30.0
#: How long, in seconds, the *1 hour more* button postpones a planned stop.
MORE_SECONDS: Final = 3600.0
#: Minimum time between updates of a class card, in seconds, so that several clicks in quick succession cause
#: only one update.
REST: Final = 3.0


def list_coming_ends(
    workspace: Workspace, effects: StopEffects, now: float
) -> list[tuple[StopMode | ExpiryMode, float]]:
    """Return how and when the workspace will be ended by its provider and its timer, soonest first.

    The provider's end is left out unless it comes before the timer's. If stops are irreversible, an end by
    the provider counts as a removal.
    """
    timer = [] if workspace.stop_at is None else [(workspace.stop_mode or "stop", workspace.stop_at)]
    at, how = workspace.expires_at, workspace.expiry_mode
    if at is None or how is None or not now < at < (workspace.stop_at or math.inf):
        return [*timer]
    return [("removed" if is_final(effects, "stop") else how, at), *timer]


def find_next_stop(workspace: Workspace, planned: float | None, now: float) -> float | None:
    """Return when a workspace will next be stopped, or None if nothing stops it.

    This is the time of its timer or, if it has no timer, of the stop ``planned`` by working hours. If the
    provider ends the workspace before then, that time is returned instead.
    """
    planned = planned if workspace.stop_at is None else workspace.stop_at
    own = workspace.expires_at if workspace.expires_at is not None and workspace.expires_at > now else None
    return min((at for at in (planned, own) if at is not None), default=None)


def needs_warning(end: PlannedStop, now: float) -> bool:
    """Return whether to warn the owner of a planned stop.

    If they set the stop themselves and it is only minutes away, they get no warning.
    """
    is_near = end.at - now <= TIMER_WARNING_SECONDS + SOONEST_SECONDS
    # If ``via`` is set, an assistant rather than the owner chose the time.
    return end.warns or bool(end.via) or not is_near


def find_warning_seconds(card: str | None) -> float:
    """Return how many seconds before a stop the warning is sent. ``card`` is the class that planned it."""
    return CLASS_WARNING_SECONDS if card else TIMER_WARNING_SECONDS


def find_due_time(workspace: Workspace) -> float:
    """Return when a workspace's timer is due. It is due for the warning first, and then for the stop."""
    stop_at = workspace.stop_at or 0.0
    return stop_at if workspace.stop_warned else stop_at - find_warning_seconds(workspace.stop_card)
