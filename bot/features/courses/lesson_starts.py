"""The lead of a lesson's starts; pure."""

import math
from dataclasses import dataclass
from typing import Final

from bot.features.hours.begun_hours import ROOM_CAUSES

#: A lesson's starts begin between so many seconds before it.
LEAST: Final = 300.0
MOST: Final = 2_700.0
#: What a start takes where too few were measured.
USUAL: Final = 180.0
#: What idles for longer is stopped by its provider, so the lead is shorter by as much.
SPARE: Final = 60.0


@dataclass(frozen=True, slots=True)
class StartRate:
    """Hold how a connection starts workspaces: so many a second, if it has such a limit.

    ``slow`` is what nine of ten starts took, ``idle`` after how long what nobody uses is stopped there, in
    seconds; None: not known.
    """

    per_second: float | None = None
    slow: float | None = None
    idle: float | None = None

    def lead(self, people: int) -> float:
        """Return for how many seconds before a lesson the starts of so many people begin.

        In whole minutes, as each change of it is one for all of them.
        """
        took = (people / self.per_second if self.per_second else 0.0) + (self.slow or USUAL)
        return max(min(max(math.ceil(took / 60.0) * 60.0, LEAST), self._longest), 0.0)

    @property
    def in_time(self) -> int | None:
        """Return for how many people the longest lead is enough, None for any number."""
        spare = max(self._longest - (self.slow or USUAL), 0.0)
        return None if self.per_second is None else int(spare * self.per_second)

    @property
    def _longest(self) -> float:
        return MOST if self.idle is None else min(MOST, self.idle - SPARE)


def is_no_room(cause: str | None) -> bool:
    """Return whether a start failed because its provider was full, or its person's own places are."""
    return (cause or "").partition(":")[0] in ROOM_CAUSES
