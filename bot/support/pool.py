"""How much may be done at once: a bounded pool of running work, and limits on one person's requests.

A limit is a token bucket, so that nobody takes what others need. It is in memory, because a bucket holds
only a few seconds' worth; times are the injected monotonic seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bot.support.clock import Ids
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)


class Pool:
    """Run coroutines concurrently, at most ``size``; ``on_done`` is called whenever one has ended.

    The coroutines handle their own errors.
    """

    def __init__(self, size: int, on_done: Callable[[], None]) -> None:
        self._size = size
        self._on_done = on_done
        self._running: set[asyncio.Task[None]] = set()

    @property
    def room(self) -> int:
        """Return how many more may start."""
        return max(self._size - len(self._running), 0)

    def add(self, work: Coroutine[Any, Any, None]) -> None:
        """Start one."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._on_done()

    async def drain(self, seconds: float) -> int:
        """Let running work end within the time, cancel the rest; return how many were cancelled."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        late: set[asyncio.Task[None]] = set()
        # Work that ends may add more, so continue until nothing runs.
        while self._running and not late:
            _, late = await asyncio.wait(set(self._running), timeout=max(until - loop.time(), 0.0))
        late = set(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)


def pool_room(pool: Pool | None, most: int) -> int:
    """Return how many may start in a pool, at most ``most``; without a pool, ``most``."""
    return most if pool is None else min(pool.room, most)


async def run_all(works: Sequence[Coroutine[Any, Any, None]], pool: Pool | None) -> None:
    """Start all in the pool and return; without a pool, run all and return when they have ended."""
    if pool is None:
        await asyncio.gather(*works)
        return
    for work in works:
        pool.add(work)


@asynccontextmanager
async def contained(
    what: str,
    ids: Ids,
    *,
    back: Callable[[], Awaitable[object]] | None = None,
    failed: Callable[[], Awaitable[object]] | None = None,
    **about: object,
) -> AsyncIterator[None]:
    """Contain the errors of one piece of work (``docs/rules.md``, "Where errors end"), so that others go on.

    ``back`` hands it back when the process ends. What can't be written is done again after its lease.
    Any other error gets a reference, and ``failed`` follows. ``about`` is for the log.
    """
    not_written, broken = f"{what} not written", f"{what} failed"
    try:
        yield
    except asyncio.CancelledError:
        if back is not None:
            with suppress(StoreError):
                await back()
        raise
    except StoreError as error:
        log.warning(not_written, problem=error, **about)
    except Exception:
        reference = ids.reference()
        log.exception(broken, reference=reference, **about)
        if failed is not None:
            try:
                await failed()
            except StoreError as error:
                log.warning(not_written, problem=error, reference=reference, **about)


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
    """Grant requests by key. Cheap: a dict lookup per request."""

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
