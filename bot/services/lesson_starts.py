"""How long before a lesson its starts begin. Pure functions."""

import math
from dataclasses import dataclass
from typing import Final

#: The shortest and the longest lead time of a lesson's starts, in seconds.
MIN_SECONDS_AHEAD: Final = 300.0
MAX_SECONDS_AHEAD: Final = 2_700.0
#: The assumed duration of a start if too few were measured, in seconds.
USUAL_START_SECONDS: Final = 180.0
#: Seconds by which the lead time stays below the time after which the provider stops idle workspaces.
IDLE_MARGIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class StartRate:
    """The rate at which a connection starts workspaces, if it has a limit.

    ``slow`` is the time within which nine of ten starts ended, ``idle`` the time after which the provider
    stops an unused workspace, both in seconds; None if not known.
    """

    per_second: float | None = None
    slow: float | None = None
    idle: float | None = None

    def get_seconds_ahead(self, people: int) -> float:
        """Return the lead time of the starts for a number of people, in seconds.

        It is rounded to whole minutes, so that it rarely changes for all of them.
        """
        took = (people / self.per_second if self.per_second else 0.0) + (self.slow or USUAL_START_SECONDS)
        return max(min(max(math.ceil(took / 60.0) * 60.0, MIN_SECONDS_AHEAD), self._max_seconds_ahead), 0.0)

    @property
    def max_people(self) -> int | None:
        """Return the number of people that the longest lead time is enough for; None for any number."""
        spare = max(self._max_seconds_ahead - (self.slow or USUAL_START_SECONDS), 0.0)
        return None if self.per_second is None else int(spare * self.per_second)

    @property
    def _max_seconds_ahead(self) -> float:
        return (
            MAX_SECONDS_AHEAD
            if self.idle is None
            else min(MAX_SECONDS_AHEAD, self.idle - IDLE_MARGIN_SECONDS)
        )
