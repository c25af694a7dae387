"""The store's time: epoch seconds that never go back within the process, whatever the wall clock does.

It follows the wall clock as long as that moves with the monotonic one. If the wall clock is set back, the
store's time runs at half speed until the two meet again: waits become longer, never shorter. If it jumps
ahead (or the machine slept), the jump is held back until the engine has moved the closed poll gates along
with it; otherwise two reads of one resource could be closer together than they appear.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from bot.support.clock import Clock

#: Differences below this are rounding; the wall clock's own value is returned.
_SAME = 1e-5
#: Differences below this are ignored as ordinary slewing of the clock.
_SMALL = 0.1


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Hold how far the store's time is ahead of the machine's monotonic clock, and in which boot.

    ``slept`` is how many seconds the machine has slept during that boot.
    """

    boot: str
    ahead: float
    slept: float


class StoreTime:
    """Derive the store's time from an injected clock; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self.begin()

    def begin(self) -> None:
        """Begin at the clock's current time, whatever it was before: nobody has read it yet."""
        with self._lock:
            self._monotonic = self._clock.monotonic()
            self._ahead = self._clock.now() - self._monotonic
            self._last = 0.0

    def now(self) -> float:
        """Return epoch seconds."""
        with self._lock:
            wall, monotonic = self._clock.now(), self._clock.monotonic()
            since = max(0.0, monotonic - self._monotonic)
            self._monotonic = monotonic
            difference = wall - (monotonic + self._ahead)
            if difference < -_SMALL:
                self._ahead -= min(since / 2, -difference)
            now = wall if abs(difference) < _SAME else monotonic + self._ahead
            self._last = max(self._last, now)
            return self._last

    def ahead(self) -> float:
        """Return how many seconds the store's time is ahead of the monotonic clock."""
        return self.now() - self._clock.monotonic()

    def jump(self) -> float:
        """Return how many seconds the wall clock has jumped ahead; 0 if it hasn't."""
        with self._lock:
            difference = self._clock.now() - (self._clock.monotonic() + self._ahead)
            return difference if difference > _SMALL else 0.0

    def catch_up(self) -> None:
        """Apply a jump at once, where nobody moves gates."""
        with self._lock:
            difference = self._clock.now() - (self._clock.monotonic() + self._ahead)
            if difference > _SMALL:
                self._ahead += difference

    def follow(self, jump: float) -> None:
        """Apply a jump after the gates were moved by it."""
        with self._lock:
            self._ahead += jump
