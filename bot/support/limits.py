"""Limits of a person's requests and searches."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

#: The size of a burst, and how much of it is restored in a second.
MAX_BURST: Final = 30.0
REQUESTS_PER_SECOND: Final = 1.0
#: People over the limit are told so, but not for each of a thousand clicks: once per this many seconds.
NOTICE_INTERVAL_SECONDS: Final = 5.0
#: How many people are remembered; the one unseen for longest is forgotten first, by then with a full bucket.
MAX_REMEMBERED_PEOPLE: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    updated_at: float
    noticed_at: float = float("-inf")


class RateLimiter:
    """A token bucket per person. Cheap: a dict lookup per request.

    In memory. Restart: everybody's burst is free again. Several processes: each counts its own, so people may
    make that many times as many; each request is authorised and counts once all the same.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        burst: float = MAX_BURST,
        per_second: float = REQUESTS_PER_SECOND,
        max_remembered: int = MAX_REMEMBERED_PEOPLE,
    ) -> None:
        self._monotonic = monotonic
        self._burst = burst
        self._per_second = per_second
        self._max_remembered = max_remembered
        #: The one seen last comes last.
        self._buckets: dict[str, _Bucket] = {}

    def __len__(self) -> int:
        """Return the number of remembered people."""
        return len(self._buckets)

    def take(self, key: str) -> float:
        """Count a request and return 0; or count nothing and return the seconds until one is allowed."""
        now = self._monotonic()
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
        self._buckets[key] = bucket
        if len(self._buckets) > self._max_remembered:
            del self._buckets[next(iter(self._buckets))]
        bucket.tokens = min(bucket.tokens + (now - bucket.updated_at) * self._per_second, self._burst)
        bucket.updated_at = now
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            return 0.0
        return (1.0 - bucket.tokens) / self._per_second

    def should_notify(self, key: str) -> bool:
        """Return whether to notify the person that a request was one too many; each True counts."""
        bucket, now = self._buckets.get(key), self._monotonic()
        if bucket is None or now - bucket.noticed_at < NOTICE_INTERVAL_SECONDS:
            return False
        bucket.noticed_at = now
        return True


#: How many searches a person may make at once, and how many in a second: more than anybody types letters.
MAX_SEARCH_BURST: Final = 20.0
SEARCHES_PER_SECOND: Final = 5.0


class SearchLimiter:
    """A limiter of searches: one at a time per person, and of those that wait only the newest is made.

    In memory, and counted by each process like requests.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._limiter = RateLimiter(monotonic, burst=MAX_SEARCH_BURST, per_second=SEARCHES_PER_SECOND)
        self._newest: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def run(self, key: str, search: Callable[[], Awaitable[object]]) -> None:
        """Search, unless a newer search of the same person came in the meantime, or there were too many."""
        if self._limiter.take(key) > 0.0:
            return
        number = self._newest[key] = self._newest.get(key, 0) + 1
        async with self._locks.setdefault(key, asyncio.Lock()):
            if self._newest[key] != number:
                return
            try:
                await search()
            finally:
                if self._newest[key] == number:
                    del self._newest[key], self._locks[key]
