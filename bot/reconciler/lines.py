"""What a process knows of a connection: how many requests may run at once, and whether it answers at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import ProviderError, RateLimited, TemporaryError, Unreachable
from bot.plan import backoff
from bot.words import holds, problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.clock import Clock
    from bot.providers.base import Provider
    from bot.reconciler.ports import Observer

log = structlog.get_logger(__name__)

#: So many failures in a row, with no success between, mean the connection and not one resource of it.
BREAKS_AFTER = 5


class Slots:
    """Count the requests under way. Reads leave a fifth of the slots to the calls that people wait for."""

    def __init__(self, size: int) -> None:
        self._size = max(size, 1)
        self._taken = 0

    @property
    def free_for_reads(self) -> int:
        """Return how many reads may begin now."""
        reserve = max(self._size // 5, 1) if self._size > 1 else 0
        return max(self._size - reserve - self._taken, 0)

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is under way."""
        return self._taken == 0

    def take(self, count: int = 1) -> bool:
        """Take slots for a call; False when there are none."""
        if self._taken + count > self._size:
            return False
        self._taken += count
        return True

    def give(self, count: int = 1) -> None:
        """Give slots back."""
        self._taken -= count


class Health:
    """Remember since when a connection fails, and for how long it is left alone (a circuit breaker).

    Failures that belong to one request (a refused credential, a wrong id) prove that the connection answers.
    """

    def __init__(
        self, name: str, title: str, clock: Clock, jitter: Callable[[], float], observer: Observer
    ) -> None:
        self._name = name
        self._title = title
        self._clock = clock
        self._jitter = jitter
        self._observer = observer
        self._failures = 0
        self._since: float | None = None
        #: Until when the connection itself asked for a pause, and until when it is taken to be away.
        self._asked_until = 0.0
        self._away_until = 0.0

    @property
    def pause(self) -> float:
        """Return the seconds for which nothing is to be sent; 0 when the way is free."""
        return max(max(self._asked_until, self._away_until) - self._clock.monotonic(), 0.0)

    @property
    def is_doubtful(self) -> bool:
        """Say whether the next request should be a single probe."""
        return self._failures >= BREAKS_AFTER

    def worked(self, error: ProviderError | None = None) -> None:
        """Note an answer, whatever it said; ``error`` is what it said when that was no."""
        if error is not None:
            self._observer.provider_failed(self._name, type(error).__name__)
        if self.is_doubtful:
            log.info("connection answers again", connection=self._name)
        self._failures = 0
        self._since = None
        self._away_until = 0.0

    def failed(self, error: TemporaryError) -> None:
        """Note a failure; logged once, when it turns out to be the connection."""
        self._observer.provider_failed(self._name, type(error).__name__)
        if self._since is None:
            self._since = self._clock.now()
        self._failures += 1
        if self._failures == BREAKS_AFTER:
            log.warning("connection unavailable", connection=self._name, error=type(error).__name__)
        if self.is_doubtful:
            wait = backoff(self._failures - BREAKS_AFTER + 1, self._jitter())
            self._away_until = self._clock.monotonic() + max(wait, error.retry_after or 0.0)

    def hold_off(self, seconds: float) -> None:
        """Send nothing for a while, because it was asked for; the longer wait wins."""
        self._asked_until = max(self._asked_until, self._clock.monotonic() + seconds)

    def sentence(self, error: TemporaryError | None = None) -> str:
        """Say to a person what holds things up."""
        if isinstance(error, RateLimited) or self._since is None:
            return problems.sentence(error or Unreachable(), self._title)
        return holds.silent_since(self._title, self._since)


class Line:
    """Bundle a connection's provider with its slots and its health."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        clock: Clock,
        jitter: Callable[[], float],
        observer: Observer,
    ) -> None:
        self.name = name
        self.observer = observer
        self.provider = provider
        self.title = provider.settings.title
        self.pace = provider.pace
        self.slots = Slots(provider.pace.concurrency)
        self.health = Health(name, self.title, clock, jitter, observer)
