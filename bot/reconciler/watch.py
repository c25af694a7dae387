"""An eye on the account of a call that takes long: it may consist of many requests with its credential."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.support.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.domain.models import Account


class Watch:
    """End a call once its account is unlinked; most calls are over before the first look.

    ``current`` returns an account as it is now, None if it was unlinked. It ends the call by its ``limit``.
    """

    def __init__(
        self,
        current: Callable[[Account], Awaitable[Account | None]],
        account: Account | None,
        every: float,
        limit: asyncio.Timeout,
    ) -> None:
        self._current = current
        self._account = account
        self._every = every
        self._limit = limit
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self.is_unlinked = False

    def __enter__(self) -> None:
        if self._account is not None and self._account.state != "revoking":
            self._again(self._account)

    def __exit__(self, *_: object) -> None:
        for each in (self._timer, self._looking):
            if each is not None:
                each.cancel()

    def _again(self, account: Account) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every, self._begin, account)

    def _begin(self, account: Account) -> None:
        self._looking = asyncio.create_task(self._look(account))

    async def _look(self, account: Account) -> None:
        # Without an answer of the store, the next look may tell.
        with suppress(StoreError):
            self.is_unlinked = await self._current(account) is None
        if not self.is_unlinked:
            self._again(account)
        elif not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())
