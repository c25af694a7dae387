"""Timers: the time at which a person wants a workspace of theirs stopped. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.models.workspaces import StopMode

#: How long before a timer ends a workspace its person is warned.
WARNING_SECONDS: Final = 600.0
#: Nobody's workspace is stopped sooner than this after the warning, however late that came.
LEAST_WARNING_SECONDS: Final = 300.0
#: The shortest time that a timer can be set for.
SOONEST_SECONDS: Final = 60.0
#: What *1 hour more* adds.
MORE_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Timer:
    """Hold when and how a workspace is stopped; ``agreed``: its person knows that this ends it for good."""

    at: float
    mode: StopMode
    agreed: bool = False

    def needs_warning(self, now: float) -> bool:
        """Return whether its person is warned; somebody who has just named a near end isn't."""
        return self.at - now > WARNING_SECONDS + SOONEST_SECONDS
