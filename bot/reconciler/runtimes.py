"""A process's view of a connection: how many requests may run at once, and whether it answers at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import structlog

from bot.domain.plan import backoff
from bot.messages.texts import holds, problems
from bot.providers.base import Provider
from bot.reconciler.ports import News, Observer
from bot.reconciler.start_queue import StartQueue
from bot.store.records import Calls, Pause
from bot.support.clock import Clock
from bot.support.errors import ProviderError, TemporaryError, Unreachable

log = structlog.get_logger(__name__)

#: This many failures in a row, without a success, mean the connection is down and not just one resource.
BREAKS_AFTER = 5
#: The longest pause, in seconds, before a single probe checks whether it answers again.
LONGEST_PAUSE = 30.0
#: The longest pause, in seconds, that a provider can ask for at a time.
LONGEST_ASKED = 300.0
#: When this many people's credentials are rate-limited within this many seconds, the limit is everybody's.
SEVERAL = 3
TOGETHER = 60.0
#: The pauses' key of everybody; no account has it.
_EVERYBODY = ""
_NEVER = (-math.inf, -math.inf)
#: What this process noted itself is a little later in the rows, as that was written later.
SLACK = 1.0
#: The share of a connection's slots for one person's calls, and for all lists.
PERSONS_SHARE = 0.5
LISTS_SHARE = 0.25


class Slots:
    """Count the requests in flight. Reads leave a fifth of the slots to calls that people wait for.

    One person's calls take at most half of the slots, and lists a quarter, so that the others get a share.
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
        """Return whether nothing is in flight."""
        return self._taken == 0

    def take(self, count: int = 1) -> bool:
        """Take slots; return False if there aren't enough."""
        if self._taken + count > self._size:
            return False
        self._taken += count
        return True

    def give(self, count: int = 1) -> None:
        """Release slots."""
        self._taken -= count

    def take_for(self, holder: str, share: float) -> bool:
        """Take a slot for one of several holders; return False if none is free or their share is used up."""
        if self._held[holder] >= max(int(self._size * share), 1) or not self.take():
            return False
        self._held[holder] += 1
        return True

    def give_from(self, holder: str) -> None:
        """Release a slot taken by ``take_for``."""
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]
        self.give()


class Limits:
    """Keep the one rule for 429s: one delays whoever got it, and everybody only if it's meant for everybody.

    That is so if the connection's own secret got it, or several people within a short time. ``hold_off``
    delays everybody for some seconds. What other processes were told is learned from the pauses' rows.
    """

    def __init__(self, name: str, monotonic: Callable[[], float], hold_off: Callable[[float], None]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._hold_off = hold_off
        #: When an account got a 429, and until when it waits; monotonic.
        self._limited: dict[str, tuple[float, float]] = {}
        self._all_until = 0.0

    def note(self, who: str, seconds: float, *, is_shared: bool) -> dict[str, float]:
        """Note a 429 and its wait in seconds; logged once for each pause of everybody.

        Return for how many seconds each has to pause now, for the rows; "" is everybody.
        """
        now = self._monotonic()
        seconds = max(min(seconds, LONGEST_ASKED), self.wait(who))
        self._limited = {
            key: (at, until) for key, (at, until) in self._limited.items() if max(until, at + TOGETHER) > now
        }
        self._limited[who] = (now, now + seconds)
        count = sum(at > now - TOGETHER for at, _ in self._limited.values())
        if not is_shared and count < SEVERAL:
            return {who: seconds}
        if now >= self._all_until:
            log.warning("connection asked for a pause", connection=self._name, seconds=seconds, people=count)
        self._all_until = max(self._all_until, now + seconds)
        self._hold_off(seconds)
        return {who: seconds, _EVERYBODY: seconds}

    def learn(self, pause: Pause) -> None:
        """Learn from a row of a pause that another process noted, or this one did before it was restarted."""
        now = self._monotonic()
        at, until = now - pause.ago, now + pause.left
        if pause.who == _EVERYBODY:
            if until > self._all_until + SLACK:
                self._all_until = until
                self._hold_off(pause.left)
        elif until > self._limited.get(pause.who, _NEVER)[1] + SLACK:
            self._limited[pause.who] = (at, until)

    def wait(self, who: str) -> float:
        """Return the seconds that an account still has to wait."""
        return max(self._limited.get(who, (0.0, 0.0))[1] - self._monotonic(), 0.0)


class Health:
    """Track since when a connection has been failing and for how long to pause it (a circuit breaker).

    Failures of a single request (a refused credential, a wrong id) prove that the connection answers.
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
        #: Until when the connection asked for a pause, and until when it is considered down.
        self._asked_until = 0.0
        self._away_until = 0.0

    @property
    def pause(self) -> float:
        """Return the seconds for which nothing may be sent; 0 if requests may go."""
        return max(max(self._asked_until, self._away_until) - self._clock.monotonic(), 0.0)

    @property
    def since(self) -> float | None:
        """Return since when it has been failing, in epoch seconds; None if it isn't."""
        return self._since

    @property
    def answers(self) -> bool:
        """Return whether the last request got an answer; False before the first one."""
        return self._answers

    @property
    def is_doubtful(self) -> bool:
        """Return whether the next request should be a single probe."""
        return self._failures >= BREAKS_AFTER

    def worked(self, error: ProviderError | None = None) -> None:
        """Note an answer of any kind; ``error`` is set if it was a refusal."""
        if error is not None:
            self._observer.provider_failed(self._name, type(error).__name__)
        if self.is_doubtful:
            log.info("connection answers again", connection=self._name)
        self._failures = 0
        self._since = None
        self._answers = True
        self._away_until = 0.0

    def resume(self, since: float) -> None:
        """Resume an outage that began before this process, or that another one found: probe it, no more."""
        self._answers = False
        self._since = since if self._since is None else min(self._since, since)
        self._failures = max(self._failures, BREAKS_AFTER)

    def retry(self) -> None:
        """Probe it now, as another process had an answer."""
        self._away_until = 0.0

    def failed(self, error: TemporaryError) -> None:
        """Note a failure; logged once, when the connection counts as down."""
        self._observer.provider_failed(self._name, type(error).__name__)
        if self._since is None:
            self._since = self._clock.now()
        self._answers = False
        self._failures += 1
        if self._failures == BREAKS_AFTER:
            log.warning("connection unavailable", connection=self._name, error=error)
        if self.is_doubtful:
            wait = backoff(self._failures - BREAKS_AFTER + 1, self._jitter(), longest=LONGEST_PAUSE)
            self._away_until = self._clock.monotonic() + max(
                wait, min(error.retry_after or 0.0, LONGEST_ASKED)
            )

    def hold_off(self, seconds: float) -> None:
        """Pause because the provider asked for it; the longer wait wins."""
        self._asked_until = max(self._asked_until, self._clock.monotonic() + seconds)

    @property
    def hold(self) -> str | None:
        """Return a sentence on what is holding everybody up, or None."""
        if not self.is_doubtful and (asked := self._asked_until - self._clock.monotonic()) > 0:
            return self.asked(asked)
        return self.sentence() if self.is_doubtful else None

    def asked(self, seconds: float) -> str:
        """Return a sentence saying until when the provider asked for a pause."""
        return holds.paused(self._title, self._clock.now() + seconds)

    def sentence(self, error: TemporaryError | None = None) -> str:
        """Return a sentence saying that it isn't answering, as far as is known."""
        if self._since is None:
            return problems.sentence(error or Unreachable(), self._title)
        return holds.silent_since(self._title, self._since)


class Runtime:
    """Bundle a connection's provider with its slots, start queue and health."""

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
        #: A limit on starts doesn't affect reads: it holds up only the start queue.
        self.start_limits = Limits(name, clock.monotonic, self.start_queue.hold_off)

    def limits_of(self, calls: Calls) -> Limits:
        """Return the limits of calls that start something, or of any."""
        return self.start_limits if calls == "start" else self.limits

    @property
    def is_probed(self) -> bool:
        """Return whether a connection in doubt already has its single probe in flight."""
        return self.health.is_doubtful and not self.slots.is_idle
