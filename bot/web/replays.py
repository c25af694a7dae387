"""Remembers the signatures of past requests in order to recognise replays.

Signatures are kept in memory and, for other processes, in the database. Once a second, the new ones are saved
together, after their requests have been served. Saving each before its request is served would cost more than
answering the request. If a process is killed, its last second of signatures may be lost, and other processes
learn of a signature only after it is saved. Even then, nothing is done twice, because the inbox shows which
requests have been carried out.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

import structlog

from bot.store import signatures as signature_rows
from bot.store.signatures import RETENTION_SECONDS
from bot.store.store import Store
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)


#: Maximum number of signatures remembered. The oldest are dropped first.
MAX_REMEMBERED = 200_000
#: Interval at which new signatures are saved, in seconds.
SAVED_EVERY = 1.0
#: How far back to look for other processes' signatures, in seconds.
SHARED_SECONDS = 10.0
#: Number of hexadecimal digits kept of each signature: 64 bits, enough to tell signatures apart.
LENGTH = 16


class Replays:
    """Remembers a limited number of signatures, each for ten minutes by the monotonic clock."""

    def __init__(self, monotonic: Callable[[], float], limit: int = MAX_REMEMBERED) -> None:
        self._monotonic = monotonic
        self._limit = limit
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._unsaved: list[str] = []

    def __len__(self) -> int:
        return len(self._seen)

    def is_first(self, signature: str) -> bool:
        """Return whether a signature (in hexadecimal) is new, and from now on remember it."""
        now, start = self._monotonic(), signature[:LENGTH]
        while self._seen and next(iter(self._seen.values())) <= now - RETENTION_SECONDS:
            self._seen.popitem(last=False)
        if start in self._seen:
            return False
        self._remember(start, now)
        self._unsaved.append(start)
        return True

    def measure_age(self, signature: str) -> float:
        """Return how many seconds ago a known signature was first seen."""
        return self._monotonic() - self._seen[signature[:LENGTH]]

    async def load(self, store: Store, within: float = RETENTION_SECONDS) -> None:
        """Load the signatures seen by other processes. Called before the first request is served."""
        now = self._monotonic()
        for age, signatures in await store.read(signature_rows.list_signatures, within):
            for at in range(0, len(signatures), LENGTH):
                self._remember(signatures[at : at + LENGTH], now - age)

    async def share(self, store: Store) -> None:
        """Save this process's new signatures, and load those that other processes have saved."""
        await self.save(store)
        with suppress(StoreError):
            # If this load fails, the next one covers the same time.
            await self.load(store, SHARED_SECONDS)

    async def save(self, store: Store) -> None:
        """Save new signatures. If that fails, they are saved together with later ones."""
        unsaved, self._unsaved = self._unsaved, []
        if not unsaved:
            return
        try:
            await store.write(signature_rows.save_signatures, "".join(unsaved))
        except StoreError as error:
            log.warning("signatures not written", problem=error)
            self._unsaved = [*unsaved, *self._unsaved][-self._limit :]

    def _remember(self, start: str, at: float) -> None:
        self._seen[start] = at
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)
