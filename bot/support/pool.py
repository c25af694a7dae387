"""Runs work concurrently, in a bounded pool or in threads, and contains its errors.

A pure function that searches many rows runs in a separate thread, so that it doesn't block the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence, Sized
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, ParamSpec, TypeVar

import structlog

from bot.support.clock import Ids
from bot.support.errors import StoreBusy, StoreError, StoreUnavailable

log = structlog.get_logger(__name__)

#: Minimum number of rows for which a search runs in a thread. With fewer, starting the thread would take
#: longer than the search.
MIN_THREAD_ROWS: Final = 500
#: Maximum number of attempts to release claimed work if its result couldn't be written. While the database is
#: down, each attempt lasts until its write times out. All attempts together last about as long as a lease.
HAND_BACK_ATTEMPTS: Final = 4
_P = ParamSpec("_P")
_T = TypeVar("_T")


async def run_beside_loop(rows: Sized, pure: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
    """Call a pure function and return its result. With many ``rows``, call it in a separate thread."""
    if len(rows) < MIN_THREAD_ROWS:
        return pure(*args, **named)
    return await asyncio.to_thread(pure, *args, **named)


class Pool:
    """Runs up to ``size`` coroutines at once, and calls ``on_done`` after each of them.

    The coroutines must handle their own errors.
    """

    def __init__(self, size: int, on_done: Callable[[], None]) -> None:
        self._size = size
        self._on_done = on_done
        self._running: set[asyncio.Task[None]] = set()
        #: Whether the current or last step claimed as many rows as it had room for, which means that more may
        #: be due.
        self.was_filled = False

    @property
    def room(self) -> int:
        """Return how many more coroutines may be started."""
        return max(self._size - len(self._running), 0)

    def add(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._on_done()

    async def drain(self, seconds: float) -> int:
        """Wait up to ``seconds`` for running work, cancel the rest, and return how many were cancelled."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        late: set[asyncio.Task[None]] = set()
        # A coroutine that ends may have added others, so repeat this until nothing is running.
        while self._running and not late:
            _, late = await asyncio.wait(set(self._running), timeout=max(until - loop.time(), 0.0))
        late = set(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)


def count_free_slots(pool: Pool | None, most: int) -> int:
    """Return how many coroutines the pool has room for, up to ``most``.

    If there is no pool, return ``most``.
    """
    if pool is None:
        return most
    free = min(pool.room, most)
    if free <= 0:
        pool.was_filled = True
    return free


async def run_all(
    works: Sequence[Coroutine[Any, Any, None]], pool: Pool | None, *, is_full: bool = False
) -> None:
    """Add all coroutines to the pool without waiting for them. Without a pool, run them and wait.

    ``is_full`` says whether the claim that led to them reached its limit, so more work may be due.
    """
    if pool is None:
        await asyncio.gather(*works)
        return
    pool.was_filled |= is_full
    for work in works:
        pool.add(work)


async def _release_work(back: Callable[[], Awaitable[object]]) -> None:
    """Try to release work until the database accepts it, or until the work's lease must have expired."""
    for _ in range(HAND_BACK_ATTEMPTS):
        with suppress(StoreError):
            await back()
            return


@asynccontextmanager
async def contain_errors(
    what: str,
    ids: Ids,
    *,
    back: Callable[[], Awaitable[object]] | None = None,
    failed: Callable[[], Awaitable[object]] | None = None,
    unwritten: Callable[[], Awaitable[object]] | None = None,
    **about: object,
) -> AsyncIterator[None]:
    """Contain the errors of one piece of work, so that other work continues.

    See ``docs/internals/rules.md``, "Where errors end". ``back`` releases the work. It is called if the task
    is cancelled or the result couldn't be written, so that the work can be done again as soon as the database
    is available, and not only when its lease expires. If ``unwritten`` is given, it is called instead of
    ``back`` when the result couldn't be written. Any other error is logged with a reference, and ``failed``
    is called. ``about`` is added to the log lines.
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
        if unwritten is not None:
            await unwritten()
        elif back is not None and isinstance(error, (StoreBusy, StoreUnavailable)):
            await _release_work(back)
    except Exception:
        reference = ids.reference()
        log.exception(broken, reference=reference, **about)
        if failed is not None:
            try:
                await failed()
            except StoreError as error:
                log.warning(not_written, problem=error, reference=reference, **about)
