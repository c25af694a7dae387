"""Hints: let other processes on the same database look for work soon."""

import asyncio
from typing import Final

import structlog

from bot.store.store import Store
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)
#: After a hint the next one waits this long, in seconds: each makes every loop of every worker look.
TOGETHER: Final = 0.2


class Hints:
    """Pass wake-ups on through the database; losing one costs a tick."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sending: asyncio.Task[None] | None = None
        self._is_wanted = False

    def wake(self) -> None:
        """Let other processes look for work soon."""
        self._is_wanted = True
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._store.engine.hint()
                await asyncio.sleep(TOGETHER)
        except StoreError as error:
            log.info("no hint given", problem=error)
        finally:
            self._sending = None

    async def close(self) -> None:
        """Give no more hints."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
