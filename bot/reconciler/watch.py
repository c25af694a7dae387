"""What ends a call: its time, or the end of its account, as it may be many requests with its credential."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.domain.people import Account
from bot.support.errors import StoreError


class Watch:
    """End a call by its ``limit``: after ``seconds``, or once its account is unlinked.

    ``current`` returns an account as it is now, None if it was unlinked. It is asked ``every`` few seconds;
    most calls are over before the first time. All that costs one timer, as there are many calls.
    """

    def __init__(
        self,
        limit: asyncio.Timeout,
        seconds: float,
        account: Account | None,
        current: Callable[[Account], Awaitable[Account | None]],
        every: float,
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        # An account that is being revoked is unlinked, and this is the call to revoke its credential.
        self._account = account if account is not None and account.state != "revoking" else None
        self._current = current
        self._every = seconds if self._account is None else every
        self._looking: asyncio.Task[None] | None = None
        self.is_unlinked = False

    def __enter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._ends_at = now + self._seconds
        self._timer = self._loop.call_at(min(now + self._every, self._ends_at), self._tick)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        if now >= self._ends_at:
            self._end()
            return
        self._timer = self._loop.call_at(min(now + self._every, self._ends_at), self._tick)
        if self._account is not None and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look(self._account))

    async def _look(self, account: Account) -> None:
        # Without an answer of the store, the next look may tell.
        with suppress(StoreError):
            self.is_unlinked = await self._current(account) is None
        if self.is_unlinked:
            self._timer.cancel()
            self._end()

    def _end(self) -> None:
        if not self._limit.expired():
            self._limit.reschedule(self._loop.time())
