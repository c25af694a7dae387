"""How much one person may ask for: a token bucket each, so that nobody takes what others need.

In memory, as its whole content is worth some seconds; times are the injected monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: What may come at once, and how much of it comes back in a second.
BURST: Final = 30.0
PER_SECOND: Final = 1.0
#: Who is over the limit is told so, but not for each of a thousand clicks: once in so many seconds.
NOTICE_EVERY: Final = 5.0
#: People remembered; who was not seen for longest is forgotten first, and has a full bucket by then.
REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    noticed_at: float = float("-inf")


class RateLimiter:
    """Grant requests by key. Cheap: a look into a dict for each request."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        burst: float = BURST,
        per_second: float = PER_SECOND,
        remembered: int = REMEMBERED,
    ) -> None:
        self._monotonic = monotonic
        self._burst = burst
        self._per_second = per_second
        self._remembered = remembered
        #: The one seen last stands last.
        self._buckets: dict[str, _Bucket] = {}

    def __len__(self) -> int:
        """Return how many people are remembered."""
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Count a request and return 0; or count nothing and return the seconds until one may come."""
        now = self._monotonic()
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
        self._buckets[key] = bucket
        if len(self._buckets) > self._remembered:
            del self._buckets[next(iter(self._buckets))]
        bucket.left = min(bucket.left + (now - bucket.at) * self._per_second, self._burst)
        bucket.at = now
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return 0.0
        return (1.0 - bucket.left) / self._per_second

    def tells(self, key: str) -> bool:
        """Return whether it is time to tell that a request was one too many; each yes counts."""
        bucket, now = self._buckets.get(key), self._monotonic()
        if bucket is None or now - bucket.noticed_at < NOTICE_EVERY:
            return False
        bucket.noticed_at = now
        return True
