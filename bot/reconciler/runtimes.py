"""What a process knows of a connection: how many requests may run at once, and whether it answers at all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from bot.domain.plan import backoff
from bot.messages.texts import holds, problems
from bot.reconciler.start_queue import StartQueue
from bot.support.errors import ProviderError, TemporaryError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.providers.base import Provider
    from bot.reconciler.context import News, Observer
    from bot.support.clock import Clock

log = structlog.get_logger(__name__)

#: So many failures in a row, with no success between, mean the connection and not one resource of it.
BREAKS_AFTER = 5
#: It is asked at least so often, in seconds, whether it answers again: by a single probe.
LONGEST_PAUSE = 30.0
#: Who asks for a pause is left alone for so long at a time at most; then it is asked again.
LONGEST_ASKED = 300.0
#: The credentials of so many people told to slow down within so many seconds mean everybody.
SEVERAL = 3
TOGETHER = 60.0
#: What one person's calls, and what all lists, may take of a connection's slots.
PERSONS_SHARE = 0.5
LISTS_SHARE = 0.25


class Slots:
    """Count the requests under way. Reads leave a fifth of the slots to the calls that people wait for.

    One person's calls take half of the slots at most, and lists a quarter: the rest is for the others.
    """

    def __init__(self, size: int) -> None:
        self._size = max(size, 1)
        self._taken = 0
        self._held: Counter[str] = Counter()

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
        """Take slots; False when there are none."""
        if self._taken + count > self._size:
            return False
        self._taken += count
        return True

    def give(self, count: int = 1) -> None:
        """Give slots back."""
        self._taken -= count

    def take_for(self, holder: str, share: float) -> bool:
        """Take a slot for one of several who share them; False when none is free or their share is used."""
        if self._held[holder] >= max(int(self._size * share), 1) or not self.take():
            return False
        self._held[holder] += 1
        return True

    def give_from(self, holder: str) -> None:
        """Give back what ``take_for`` took."""
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]
        self.give()


class Limits:
    """Keep the one rule for 429: it delays who was told, and everybody only when it is meant for everybody.

    That is where the connection's own secret was told, or several people within a short time. ``hold_off``
    holds everybody up for some seconds.
    """

    def __init__(self, name: str, monotonic: Callable[[], float], hold_off: Callable[[float], None]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._hold_off = hold_off
        #: When somebody was told, and until when they wait; monotonic, by account.
        self._limited: dict[str, tuple[float, float]] = {}
        self._all_until = 0.0

    def note(self, who: str, seconds: float, *, is_shared: bool) -> None:
        """Note that somebody was told to wait so long; the log says it once for each pause of everybody."""
        now = self._monotonic()
        seconds = max(min(seconds, LONGEST_ASKED), self.wait(who))
        self._limited = {
            key: (at, until) for key, (at, until) in self._limited.items() if max(until, at + TOGETHER) > now
        }
        self._limited[who] = (now, now + seconds)
        count = sum(at > now - TOGETHER for at, _ in self._limited.values())
        if not is_shared and count < SEVERAL:
            return
        if now >= self._all_until:
            log.warning("connection asked for a pause", connection=self._name, seconds=seconds, people=count)
        self._all_until = max(self._all_until, now + seconds)
        self._hold_off(seconds)

    def wait(self, who: str) -> float:
        """Return the seconds that somebody has yet to wait."""
        return max(self._limited.get(who, (0.0, 0.0))[1] - self._monotonic(), 0.0)


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
        self._answers = False
        #: Until when the connection itself asked for a pause, and until when it is taken to be away.
        self._asked_until = 0.0
        self._away_until = 0.0

    @property
    def pause(self) -> float:
        """Return the seconds for which nothing is to be sent; 0 when the way is free."""
        return max(max(self._asked_until, self._away_until) - self._clock.monotonic(), 0.0)

    @property
    def since(self) -> float | None:
        """Return since when it fails, in epoch seconds; None while it does not."""
        return self._since

    @property
    def answers(self) -> bool:
        """Say whether the last that was heard of it is an answer; False while nothing was."""
        return self._answers

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
        self._answers = True
        self._away_until = 0.0

    def resume(self, since: float) -> None:
        """Take an outage over that began before this process saw it."""
        self._answers = False
        self._since = since if self._since is None else min(self._since, since)

    def failed(self, error: TemporaryError) -> None:
        """Note a failure; logged once, when it turns out to be the connection."""
        self._observer.provider_failed(self._name, type(error).__name__)
        if self._since is None:
            self._since = self._clock.now()
        self._answers = False
        self._failures += 1
        if self._failures == BREAKS_AFTER:
            log.warning("connection unavailable", connection=self._name, error=type(error).__name__)
        if self.is_doubtful:
            wait = backoff(self._failures - BREAKS_AFTER + 1, self._jitter(), longest=LONGEST_PAUSE)
            self._away_until = self._clock.monotonic() + max(
                wait, min(error.retry_after or 0.0, LONGEST_ASKED)
            )

    def hold_off(self, seconds: float) -> None:
        """Send nothing for a while, because it was asked for; the longer wait wins."""
        self._asked_until = max(self._asked_until, self._clock.monotonic() + seconds)

    @property
    def hold(self) -> str | None:
        """Say to a person what holds everybody up; None while nothing does."""
        if not self.is_doubtful and (asked := self._asked_until - self._clock.monotonic()) > 0:
            return self.asked(asked)
        return self.sentence() if self.is_doubtful else None

    def asked(self, seconds: float) -> str:
        """Say that a pause was asked for, and until when."""
        return holds.paused(self._title, self._clock.now() + seconds)

    def sentence(self, error: TemporaryError | None = None) -> str:
        """Say to a person that it does not answer, as far as that is known."""
        if self._since is None:
            return problems.sentence(error or Unreachable(), self._title)
        return holds.silent_since(self._title, self._since)


class Runtime:
    """Bundle a connection's provider with its slots, its turns for starts, and its health."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        clock: Clock,
        jitter: Callable[[], float],
        observer: Observer,
        news: News,
    ) -> None:
        self.name = name
        self.observer = observer
        self.provider = provider
        self.title = provider.settings.title
        self.pace = provider.pace
        self.slots = Slots(provider.pace.concurrency)
        self.start_queue = StartQueue(provider.settings.starts_per_second, clock.monotonic, news)
        self.health = Health(name, self.title, clock, jitter, observer)
        self.limits = Limits(name, clock.monotonic, self.health.hold_off)
        #: A limit on starts says nothing about reads: it holds up the queue of starts.
        self.start_limits = Limits(name, clock.monotonic, self.start_queue.hold_off)

    @property
    def is_probed(self) -> bool:
        """Say whether a connection in doubt has its one request under way already."""
        return self.health.is_doubtful and not self.slots.is_idle
