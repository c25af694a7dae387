"""Rate limits on each person's requests and searches."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

#: Number of requests that a person may make in quick succession. After that, ``REQUESTS_PER_SECOND`` applies.
MAX_BURST: Final = 30.0
REQUESTS_PER_SECOND: Final = 1.0
#: Minimum time, in seconds, between two messages telling a person that they are over the limit.
NOTICE_INTERVAL_SECONDS: Final = 5.0
#: Maximum number of people whose requests are counted at the same time. The person seen least recently is
#: forgotten first, and would be allowed a full burst again anyway.
MAX_REMEMBERED_PEOPLE: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    updated_at: float
    noticed_at: float = float("-inf")


class RateLimiter:
    """A token bucket for each person, so that nobody uses up the capacity that others need.

    The buckets are kept in memory, so after a restart all of them are full. Each process has its own buckets,
    so several processes together allow more requests.
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
        #: Maps each person to a token bucket, ordered by when the person was last seen.
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str) -> float:
        """Count a request and return 0.

        If the person is over the limit, return the seconds to wait instead.
        """
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
        """Return whether to tell a person that they are over the limit.

        If so, record that they have been told.
        """
        bucket, now = self._buckets.get(key), self._monotonic()
        if bucket is None or now - bucket.noticed_at < NOTICE_INTERVAL_SECONDS:
            return False
        bucket.noticed_at = now
        return True


#: Number of searches that a person may make in quick succession. After that, ``SEARCHES_PER_SECOND`` applies.
#: Nobody types fast enough to reach these limits.
MAX_SEARCH_BURST: Final = 20.0
SEARCHES_PER_SECOND: Final = 5.0


class SearchLimiter:
    """Limits each person to one search at a time.

    If several searches are waiting, only the newest is run.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._limiter = RateLimiter(monotonic, burst=MAX_SEARCH_BURST, per_second=SEARCHES_PER_SECOND)
        self._newest: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def run(self, key: str, search: Callable[[], Awaitable[object]]) -> None:
        """Run a search, unless the person has started a newer one in the meantime or is over the limit."""
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
