"""A clock that stands still until a test moves it, and a generator of sequential ids."""

from itertools import count
from typing import Final

#: The initial time of a fake clock: Friday, 15 January 2027, 8:00 UTC.
NOW: Final = 1_800_000_000.0


class FakeClock:
    """A clock that stands still at ``now`` until a test moves it.

    ``advance`` moves the wall clock and the monotonic clock together. ``jump`` moves only the wall clock, as
    if somebody had set it or the machine had slept. With ``ticks``, both move on by that many seconds at each
    reading.
    """

    def __init__(self, now: float = NOW) -> None:
        self._now = now
        self._monotonic = 1_000.0
        self.ticks = 0.0

    def now(self) -> float:
        self.advance(self.ticks)
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def boot(self) -> str:
        return "this run"

    def jump(self, seconds: float) -> None:
        self._now += seconds

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._monotonic += seconds


class CountingIds:
    """Generates ids that are the same in every run."""

    def __init__(self, first: int = 1) -> None:
        self._numbers = count(first)

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):04d}"

    def reference(self) -> str:
        return f"TEST-{next(self._numbers):04d}"
