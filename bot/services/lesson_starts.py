"""Lead times: how long before a lesson Usher begins to start its workspaces. All functions are pure."""

import math
from dataclasses import dataclass
from typing import Final

#: Minimum lead time for starting a lesson's workspaces, in seconds. ``MAX_SECONDS_AHEAD`` is the maximum.
MIN_SECONDS_AHEAD: Final = 300.0
MAX_SECONDS_AHEAD: Final = 2_700.0
#: Assumed duration of a start, in seconds, until enough starts have been measured.
USUAL_START_SECONDS: Final = 180.0
#: Minimum difference, in seconds, between a lead time and the time after which the provider stops an idle
#: workspace.
IDLE_MARGIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class StartRate:
    """The rate at which a connection starts workspaces, if it is limited.

    ``slow`` is the time within which nine out of ten starts were completed. ``idle`` is how long a workspace
    may be unused before the provider stops it. Both are in seconds, or None if unknown.
    """

    per_second: float | None = None
    slow: float | None = None
    idle: float | None = None

    def get_seconds_ahead(self, people: int) -> float:
        """Return how many seconds before a lesson the starts for this number of people must begin.

        The result is rounded to whole minutes, so that small changes in the number of people rarely affect
        it.
        """
        took = (people / self.per_second if self.per_second else 0.0) + (self.slow or USUAL_START_SECONDS)
        return max(min(max(math.ceil(took / 60.0) * 60.0, MIN_SECONDS_AHEAD), self._max_seconds_ahead), 0.0)

    @property
    def max_people(self) -> int | None:
        """Return how many people's workspaces can start within the longest lead time; None if all can."""
        spare = max(self._max_seconds_ahead - (self.slow or USUAL_START_SECONDS), 0.0)
        return None if self.per_second is None else int(spare * self.per_second)

    @property
    def _max_seconds_ahead(self) -> float:
        return (
            MAX_SECONDS_AHEAD
            if self.idle is None
            else min(MAX_SECONDS_AHEAD, self.idle - IDLE_MARGIN_SECONDS)
        )
