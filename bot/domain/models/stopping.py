"""What stopping does to a workspace, as its provider declares, and when a person wants it stopped. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.domain.models.workspaces import Ending, StopMode, Workspace

#: How long before a timer ends a workspace its person is warned.
TIMER_WARNING_SECONDS: Final = 600.0
#: Nobody's workspace is stopped sooner than this after the warning, however late that came.
LEAST_TIMER_WARNING_SECONDS: Final = 300.0
#: After nobody has looked at a timer for this long, its person may have started the workspace anew.
ABSENT_SECONDS: Final = 120.0
#: The shortest time that a timer can be set for.
SOONEST_SECONDS: Final = 60.0
#: What *1 hour more* adds.
MORE_SECONDS: Final = 3600.0


class StopEffect(StrEnum):
    """Name what happens to a workspace when it is stopped."""

    #: It can be started again; what was in its memory is lost.
    RETURNS = "returns"
    #: It can be started again and resumes where it was, memory included.
    KEEPS = "keeps"
    #: It can't be started again; saved files survive it.
    ENDS = "ends"
    #: It can't be started again, and everything stored only in it is lost.
    ERASES = "erases"

    @property
    def is_final(self) -> bool:
        """Return whether the workspace is gone for good."""
        return self in (StopEffect.ENDS, StopEffect.ERASES)


#: What each way of stopping does to a workspace; ways that aren't listed aren't available.
Effects = Mapping[StopMode, StopEffect]
NO_EFFECTS: Effects = MappingProxyType({})


def restart_mode(effects: Effects) -> StopMode | None:
    """Return how to stop a workspace so that it can be started again; None if there is no way."""
    if effects.get("stop") is StopEffect.RETURNS:
        return "stop"
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else None


def gentlest_mode(effects: Effects) -> StopMode:
    """Return how anyone but its owner stops a workspace: suspended if that keeps its memory, else stopped."""
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else "stop"


def planned_mode(effects: Effects) -> StopMode:
    """Return how a workspace is stopped at a time that its owner named: suspended if a stop would end it."""
    return gentlest_mode(effects) if is_final(effects, "stop") else "stop"


def ends_by_consent(effects: Effects, *, is_any: bool) -> bool:
    """Return whether a class card warns that its end may end workspaces for good; pressing agrees to that.

    ``effects`` is what the card goes by. ``is_any``: it isn't known for every workspace whether it can be
    suspended.
    """
    return is_final(effects, "stop") and (is_any or gentlest_mode(effects) == "stop")


def is_final(effects: Effects, mode: StopMode) -> bool:
    """Return whether stopping a workspace this way ends it for good."""
    effect = effects.get(mode)
    return effect is not None and effect.is_final


def coming_ends(workspace: Workspace, effects: Effects, now: float) -> list[tuple[StopMode | Ending, float]]:
    """Return how and when a workspace ends: by itself, unless its person's timer comes first, and by that.

    What is stopped for good is lost like something that is removed.
    """
    timer = [] if workspace.stop_at is None else [(workspace.stop_mode or "stop", workspace.stop_at)]
    at, how = workspace.ends_at, workspace.ends_how
    if at is None or how is None or not now < at < (workspace.stop_at or math.inf):
        return [*timer]
    return [("removed" if is_final(effects, "stop") else how, at), *timer]


@dataclass(frozen=True, slots=True)
class Timer:
    """Hold when and how a workspace is stopped; ``agreed``: its person knows that this ends it for good."""

    at: float
    mode: StopMode
    agreed: bool = False

    def needs_warning(self, now: float) -> bool:
        """Return whether its person is warned; somebody who has just named a near end isn't."""
        return self.at - now > TIMER_WARNING_SECONDS + SOONEST_SECONDS
