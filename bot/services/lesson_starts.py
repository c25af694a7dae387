"""The lead time of a lesson's starts; pure."""

import math
from dataclasses import dataclass
from typing import Final

#: A lesson's starts begin between so many seconds before it.
MIN_SECONDS_AHEAD: Final = 300.0
MAX_SECONDS_AHEAD: Final = 2_700.0
#: What a start takes where too few were measured.
USUAL_START_SECONDS: Final = 180.0
#: What idles for longer is stopped by its provider, so the lead time is shorter by as much.
IDLE_MARGIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class StartRate:
    """The rate at which a connection starts workspaces, if it has a limit.

    ``slow`` is what nine of ten starts took, ``idle`` after how long what nobody uses is stopped there, in
    seconds; None: not known.
    """

    per_second: float | None = None
    slow: float | None = None
    idle: float | None = None

    def get_seconds_ahead(self, people: int) -> float:
        """Return the number of seconds before a lesson at which the starts of so many people begin.

        In whole minutes, as each change of it is one for all of them.
        """
        took = (people / self.per_second if self.per_second else 0.0) + (self.slow or USUAL_START_SECONDS)
        return max(min(max(math.ceil(took / 60.0) * 60.0, MIN_SECONDS_AHEAD), self._max_seconds_ahead), 0.0)

    @property
    def max_people(self) -> int | None:
        """Return the number of people that the longest lead time serves, None for any number."""
        spare = max(self._max_seconds_ahead - (self.slow or USUAL_START_SECONDS), 0.0)
        return None if self.per_second is None else int(spare * self.per_second)

    @property
    def _max_seconds_ahead(self) -> float:
        return (
            MAX_SECONDS_AHEAD
            if self.idle is None
            else min(MAX_SECONDS_AHEAD, self.idle - IDLE_MARGIN_SECONDS)
        )
