"""Limits: how many requests, and searches, a person may make."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

#: The size of a burst, and how much of it is restored in a second.
BURST: Final = 30.0
PER_SECOND: Final = 1.0
#: People over the limit are told so, but not for each of a thousand clicks: once per this many seconds.
NOTICE_EVERY: Final = 5.0
#: How many people are remembered; the one unseen for longest is forgotten first, by then with a full bucket.
REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    noticed_at: float = float("-inf")


class RateLimiter:
    """Grant requests by key. Cheap: a dict lookup per request.

    In memory. Restart: everybody's burst is free again. Several processes: each counts its own, so people may
    make that many times as many; each request is authorised and counts once all the same.
    """

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
        #: The one seen last comes last.
        self._buckets: dict[str, _Bucket] = {}

    def __len__(self) -> int:
        """Return how many people are remembered."""
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Count a request and return 0; or count nothing and return the seconds until one is allowed."""
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
        """Return whether to tell the person that a request was one too many; each True counts."""
        bucket, now = self._buckets.get(key), self._monotonic()
        if bucket is None or now - bucket.noticed_at < NOTICE_EVERY:
            return False
        bucket.noticed_at = now
        return True


#: How many searches a person may make at once, and how many in a second: more than anybody types letters.
SEARCH_BURST: Final = 20.0
SEARCHES_PER_SECOND: Final = 5.0


class Searches:
    """Let each person search once at a time, and not without end: of what waits only the newest is made.

    In memory, and counted by each process like requests.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._limiter = RateLimiter(monotonic, burst=SEARCH_BURST, per_second=SEARCHES_PER_SECOND)
        self._newest: dict[str, int] = {}
        self._one: dict[str, asyncio.Lock] = {}

    async def let(self, key: str, search: Callable[[], Awaitable[object]]) -> None:
        """Search, unless a newer search of the same person came in the meantime, or there were too many."""
        if self._limiter.take(key) > 0.0:
            return
        number = self._newest[key] = self._newest.get(key, 0) + 1
        async with self._one.setdefault(key, asyncio.Lock()):
            if self._newest[key] != number:
                return
            try:
                await search()
            finally:
                if self._newest[key] == number:
                    del self._newest[key], self._one[key]
