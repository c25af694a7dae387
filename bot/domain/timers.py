"""Timers: when a person wants a workspace stopped, when they are warned of it, and what ends it first."""

import math
from typing import Final

from bot.domain.message_kinds import AnyKind, Mark, Traits
from bot.domain.stops import ExpiryMode, PlannedStop, StopEffects, StopMode, is_final
from bot.domain.workspaces import Workspace

#: How long before a timer ends a workspace its person is warned.
TIMER_WARNING_SECONDS: Final = 600.0
#: The same, before the end of a class.
CLASS_WARNING_SECONDS: Final = 300.0
#: Nobody's workspace is stopped sooner than this after the warning, however late that came.
LEAST_TIMER_WARNING_SECONDS: Final = 300.0
#: After nobody has looked at a timer for this long, its person may have started the workspace again.
ABSENT_SECONDS: Final = 120.0
#: The shortest time that a timer can be set for.
SOONEST_SECONDS: Final = 60.0
#: When an end for good is tried again whose person couldn't be warned of it.
AGAIN_SECONDS: Final = 86_400.0
#: The soonest stop of which its person is warned first, with half a minute to deliver that.
WARNED_SOONEST_SECONDS: Final = LEAST_TIMER_WARNING_SECONDS + 30.0
#: What *1 hour more* adds.
MORE_SECONDS: Final = 3600.0
#: The least seconds between two redraws of a card: how long a press may wait to be counted.
REST: Final = 3.0


def list_coming_ends(
    workspace: Workspace, effects: StopEffects, now: float
) -> list[tuple[StopMode | ExpiryMode, float]]:
    """Return the ways and times of a workspace's ends: by itself, unless its timer comes first, and by that.

    What is stopped for good is lost like something that is removed.
    """
    timer = [] if workspace.stop_at is None else [(workspace.stop_mode or "stop", workspace.stop_at)]
    at, how = workspace.expires_at, workspace.expiry_mode
    if at is None or how is None or not now < at < (workspace.stop_at or math.inf):
        return [*timer]
    return [("removed" if is_final(effects, "stop") else how, at), *timer]


def find_next_stop(workspace: Workspace, planned: float | None, now: float) -> float | None:
    """Return the next stop ahead of a workspace, None if nothing stops it.

    Its timer is the end that counts; without one, hours may have ``planned`` a stop. The provider's own
    end may come before.
    """
    planned = planned if workspace.stop_at is None else workspace.stop_at
    own = workspace.expires_at if workspace.expires_at is not None and workspace.expires_at > now else None
    return min((at for at in (planned, own) if at is not None), default=None)


def needs_warning(end: PlannedStop, now: float) -> bool:
    """Return whether an end's person is warned; somebody who has just named a near one isn't."""
    is_near = end.at - now <= TIMER_WARNING_SECONDS + SOONEST_SECONDS
    # Unless it was something else that named it.
    return end.warns or bool(end.via) or not is_near


def find_warning_seconds(card: str | None) -> float:
    """Return the seconds between a timer's warning and its stop; a class has its own."""
    return CLASS_WARNING_SECONDS if card else TIMER_WARNING_SECONDS


def find_due_time(workspace: Workspace) -> float:
    """Return when something is due of a workspace's timer: its warning, or its stop if that was given."""
    stop_at = workspace.stop_at or 0.0
    return stop_at if workspace.stop_warned else stop_at - find_warning_seconds(workspace.stop_card)


class TimerKind(AnyKind):
    """The kinds of messages about timers."""

    #: A timer will stop the workspace soon; a timer couldn't.
    STOP_WARNING = Traits("stop_warning", urgency=3, offers="workspace", marks=Mark.PASSES | Mark.STANDS)
    PLANNED_STOP_FAILED = Traits("planned_stop_failed", offers="workspace", marks=Mark.PASSES | Mark.STANDS)
    #: To administrators: somebody couldn't be warned of the end of their workspace.
    WARNING_UNDELIVERED = Traits("warning_undelivered", marks=Mark.PEOPLE)
