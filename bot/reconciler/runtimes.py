"""A process's view of a connection, kept in memory: request slots, rate limits, health and start queue."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import structlog

from bot.domain import causes
from bot.domain.holds import Hold, HoldCode, hold_by_cause, hold_until, make_hold
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.plan import backoff
from bot.domain.runs import Run
from bot.providers.base import Provider
from bot.services.reachability import Reachability
from bot.store.pauses import Calls, Pause
from bot.support.clock import Clock
from bot.support.errors import ProviderError, TemporaryError, Unreachable, UntrustedCertificate

log = structlog.get_logger(__name__)


#: Number of failures in a row after which Usher treats the whole connection as down, not just one resource.
MAX_FAILURES = 5
#: Maximum pause, in seconds, before a single request tests whether the connection answers again.
MAX_PROBE_PAUSE_SECONDS = 30.0
#: Longest pause that a provider can request, in seconds. Requests for a longer pause are reduced to this.
MAX_REQUESTED_PAUSE_SECONDS = 300.0
#: If this many people are rate-limited within ``SHARED_LIMIT_SECONDS``, the limit is assumed to apply to
#: everyone.
MIN_PEOPLE_OF_SHARED_LIMIT = 3
SHARED_LIMIT_SECONDS = 60.0
#: Key of a pause that applies to everyone. No account has this id.
_EVERYBODY = ""
_NO_LIMIT = (-math.inf, -math.inf)
#: A pause stored in the database replaces the one in this process's memory only if it ends more than this
#: many seconds later. Smaller differences arise because the row is written a little after the pause begins.
ROW_DELAY_SECONDS = 1.0
#: Maximum share of a connection's request slots that one person's calls may use. ``LISTS_SHARE`` is the
#: maximum for everyone's list reads combined.
PERSONS_SHARE = 0.5
LISTS_SHARE = 0.25


class Slots:
    """Slots for a connection's in-flight requests. A fifth is reserved for calls that a user is waiting for.

    So that some are left for others, one person's calls may use at most half of the slots, and all lists
    together a quarter. Reads can't use the reserved fifth. Each process has its own slots.
    """

    def __init__(self, size: int) -> None:
        self._size = max(size, 1)
        self._in_use = 0
        self._in_use_by: Counter[str] = Counter()

    @property
    def free_for_reads(self) -> int:
        """Return how many reads may begin now."""
        reserve = max(self._size // 5, 1) if self._size > 1 else 0
        return max(self._size - reserve - self._in_use, 0)

    @property
    def is_idle(self) -> bool:
        """Return whether no request is in flight."""
        return self._in_use == 0

    def take(self, count: int = 1) -> bool:
        """Take slots, or return False if too few are free."""
        if self._in_use + count > self._size:
            return False
        self._in_use += count
        return True

    def give(self, count: int = 1) -> None:
        """Release slots."""
        self._in_use -= count

    def take_share(self, holder: str, share: float) -> bool:
        """Take a slot for a holder. Return False if no slot is free or the holder has used up its share."""
        if self._in_use_by[holder] >= max(int(self._size * share), 1) or not self.take():
            return False
        self._in_use_by[holder] += 1
        return True

    def give_share(self, holder: str) -> None:
        """Release a slot taken by ``take_share``."""
        self._in_use_by[holder] -= 1
        if not self._in_use_by[holder]:
            del self._in_use_by[holder]
        self.give()


class Limits:
    """The pauses after 429s. Each delays the account that was rate-limited or, in some cases, everyone.

    A pause delays everyone if the 429 concerned the connection's own secret, or if several people received a
    429 within a short time. ``delay`` is then called with the number of seconds.

    The pauses are kept in memory and in the ``pauses`` table, which every process reads once a second. A
    process that hasn't read a new pause yet may still make calls, which the provider refuses.
    """

    def __init__(self, name: str, monotonic: Callable[[], float], delay: Callable[[float], None]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._delay = delay
        #: Maps each account to when it was last rate-limited (429) and when it may make calls again (both
        #: monotonic times).
        self._limited: dict[str, tuple[float, float]] = {}
        self._all_until = 0.0

    def note(self, holder: str, seconds: float, *, is_shared: bool) -> dict[str, float]:
        """Record a 429 and the wait that it requests. Log a pause that affects everyone only once.

        Return the pauses to write, in seconds, keyed by account. The key "" means everyone.
        """
        now = self._monotonic()
        seconds = max(min(seconds, MAX_REQUESTED_PAUSE_SECONDS), self.find_wait(holder))
        self._limited = {
            key: (at, until)
            for key, (at, until) in self._limited.items()
            if max(until, at + SHARED_LIMIT_SECONDS) > now
        }
        self._limited[holder] = (now, now + seconds)
        count = sum(at > now - SHARED_LIMIT_SECONDS for at, _ in self._limited.values())
        if not is_shared and count < MIN_PEOPLE_OF_SHARED_LIMIT:
            return {holder: seconds}
        if now >= self._all_until:
            log.warning("connection asked for a pause", connection=self._name, seconds=seconds, people=count)
        self._all_until = max(self._all_until, now + seconds)
        self._delay(seconds)
        return {holder: seconds, _EVERYBODY: seconds}

    def learn(self, pause: Pause) -> None:
        """Apply a pause stored by another process, or by this one before a restart."""
        now = self._monotonic()
        at, until = now - pause.ago, now + pause.left
        if pause.account_id == _EVERYBODY:
            if until > self._all_until + ROW_DELAY_SECONDS:
                self._all_until = until
                self._delay(pause.left)
        elif until > self._limited.get(pause.account_id, _NO_LIMIT)[1] + ROW_DELAY_SECONDS:
            self._limited[pause.account_id] = (at, until)

    def find_wait(self, holder: str) -> float:
        """Return how many seconds an account still has to wait before its next call."""
        return max(self._limited.get(holder, (0.0, 0.0))[1] - self._monotonic(), 0.0)


class CircuitBreaker:
    """A connection's circuit breaker: when it began to fail, and the pause before the next request.

    A refusal of a single request, because of its credential or a wrong id, proves that the connection is
    responding.

    Failures are remembered only in memory, but an outage is a row that every process reads once a second.
    After a restart, a single request probes a connection that has an outage.
    """

    def __init__(self, name: str, clock: Clock, jitter: Callable[[], float], observer: Observer) -> None:
        self._name = name
        self._clock = clock
        self._jitter = jitter
        self._observer = observer
        self._failures = 0
        #: The last failure, or None if the connection has answered since.
        self._failure: TemporaryError | None = None
        self.answering = Reachability(name)
        #: When the pause that the provider requested ends. ``_away_until`` is when Usher will next try a
        #: connection that is down. Both are monotonic times.
        self._requested_until = 0.0
        self._away_until = 0.0

    @property
    def pause(self) -> float:
        """Return how many seconds to wait before anything may be sent, or 0 if there is no need to wait."""
        return max(max(self._requested_until, self._away_until) - self._clock.monotonic(), 0.0)

    @property
    def since(self) -> float | None:
        """Return when the connection began to fail, in epoch seconds, or None if it is working."""
        return self.answering.silent_since

    @property
    def answers(self) -> bool:
        """Return whether the last request got a response. This is False until the first response arrives."""
        return self.since is None and self.answering.answered_at is not None

    @property
    def is_doubtful(self) -> bool:
        """Return whether the connection is considered down. If so, the next request is only a probe."""
        return self._failures >= MAX_FAILURES

    def note_answer(self, error: ProviderError | None = None) -> None:
        """Record a response of any kind. ``error`` is set if the provider refused the request."""
        if error is not None:
            self._observer.count_failure(self._name, type(error).__name__)
        if self.is_doubtful:
            log.info("connection answers again", connection=self._name)
        self._failures, self._failure = 0, None
        self.answering.record_answer(self._clock.now())
        self._away_until = 0.0

    def resume(self, since: float) -> None:
        """Treat the connection as down because an outage was recorded. Until it responds, only probe it."""
        self.answering.record_failure(since)
        self._failures = max(self._failures, MAX_FAILURES)

    def retry(self) -> None:
        """Allow a probe immediately, because another process got a response."""
        self._away_until = 0.0

    def note_failure(self, error: TemporaryError) -> None:
        """Record a failure. When the connection is first considered down, log it once."""
        self._observer.count_failure(self._name, type(error).__name__)
        self.answering.record_failure(self._clock.now())
        self._failures += 1
        self._failure = error
        if self._failures == MAX_FAILURES:
            log.warning("connection unavailable", connection=self._name, error=error)
        if self.is_doubtful:
            wait = backoff(self._failures - MAX_FAILURES + 1, self._jitter(), longest=MAX_PROBE_PAUSE_SECONDS)
            self._away_until = self._clock.monotonic() + max(
                wait, min(error.retry_after or 0.0, MAX_REQUESTED_PAUSE_SECONDS)
            )

    def delay(self, seconds: float) -> None:
        """Pause for this many seconds, unless a longer pause is already in effect."""
        self._requested_until = max(self._requested_until, self._clock.monotonic() + seconds)

    @property
    def block_reason(self) -> Hold | None:
        """Return the block reason for a pause or an outage that delays everyone, or None if there is none."""
        if not self.is_doubtful and (asked := self._requested_until - self._clock.monotonic()) > 0:
            return self.describe_pause(asked)
        return self.describe_silence() if self.is_doubtful else None

    def describe_pause(self, seconds: float) -> Hold:
        """Return the block reason for a pause that the provider requested. It says when the pause ends."""
        return hold_until(HoldCode.PAUSED, self._clock.now() + seconds)

    def describe_silence(self, error: TemporaryError | None = None) -> Hold:
        """Return the block reason if the connection isn't responding. It says since when, if known."""
        if isinstance(self._failure, UntrustedCertificate):
            return hold_by_cause(causes.to_cause(self._failure))
        if self.since is None:
            return hold_by_cause(causes.to_cause(error or Unreachable()))
        return make_hold(HoldCode.SILENT, self.since)


class Runtime:
    """A connection's provider, with its slots, start queue and health."""

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
        self.pace = provider.pace
        self.slots = Slots(provider.pace.concurrency)
        self.start_queue = StartQueue(provider.settings.starts_per_second, clock.monotonic)
        self.health = CircuitBreaker(name, clock, jitter, observer)
        self.limits = Limits(name, clock.monotonic, self.health.delay)
        #: Rate limits on starts. They delay the start queue, but not reads.
        self.start_limits = Limits(name, clock.monotonic, self.start_queue.delay)

    def select_limits(self, calls: Calls) -> Limits:
        """Return the rate limits for calls that start something, or the general ones for all other calls."""
        return self.start_limits if calls == "start" else self.limits

    @property
    def is_probed(self) -> bool:
        """Return whether the connection is considered down and the probe is already in flight."""
        return self.health.is_doubtful and not self.slots.is_idle


#: Safety factor for a per-second limit on starts, because calls may reach the provider less evenly than they
#: are sent. ``BURST_SHARE`` is the share of the limit that a single burst may use.
RATE_MARGIN: Final = 1.1
BURST_SHARE: Final = 0.2
#: The start queue tells each operation how long to wait before asking for its turn again. If the operation
#: asks more than this many seconds late, the queue drops it, so that newer operations needn't wait for it.
MAX_TURN_DELAY_SECONDS: Final = 2.0
#: If there is no rate limit, two starts requested within this many seconds may be sent in either order.
MAX_OVERTAKE_SECONDS: Final = 1.0
#: How long an operation waits before it requests its turn again, in seconds, if an older one has to go first.
TURN_POLL_SECONDS: Final = 0.25
MAX_QUEUED_STARTS: Final = 10_000


class StartQueue:
    """The queue of a connection's starts, kept in memory while this process owns them.

    ``per_second`` is the rate limit, if any. A new owner grants no start until starts granted by the earlier
    owner are too old to affect the limit. Operations then queue again, oldest first.
    """

    def __init__(self, per_second: float | None, monotonic: Callable[[], float]) -> None:
        self.per_second = per_second
        self._monotonic = monotonic
        #: When this process took over the connection's starts (monotonic).
        self.owned_since = 0.0
        self._delayed_until = 0.0
        #: The operations waiting to start something, oldest first. ``_comes_until`` maps each operation's id
        #: to its deadline for requesting a turn again. An operation that misses it is dropped from the queue.
        self._order: list[tuple[float, str]] = []
        self._comes_until: dict[str, float] = {}
        #: Times of the granted starts that still count towards the rate limit.
        self._granted_at: deque[float] = deque()
        self._begin()

    def _begin(self) -> None:
        """Empty the queue. Grant nothing until the starts of an earlier owner no longer affect the limit."""
        self._order.clear()
        self._comes_until.clear()
        self._granted_at.clear()
        self._delayed_until = (
            self._monotonic() + max(1.0, 1.0 / self.per_second) * RATE_MARGIN if self.per_second else 0.0
        )

    def request_turn(self, operation: Operation | Run, owned_since: float = 0.0) -> float:
        """Grant a start and return 0, or return how many seconds to wait before asking again."""
        if owned_since != self.owned_since:
            self.owned_since = owned_since
            self._begin()
        now = self._monotonic()
        if self.per_second is None and not self._order and now >= self._delayed_until:
            return 0.0
        self._forget(now)
        wait = self._wait(operation, now)
        if wait <= 0:
            self._dequeue((operation.created_at, operation.id))
            self._granted_at.append(now)
            return 0.0
        self._enqueue(operation, now + wait)
        return wait

    def return_turn(self, operation: Operation | Run, seconds: float) -> None:
        """Take back a granted start that couldn't be sent. The operation will ask again in ``seconds``."""
        if self._granted_at:
            self._granted_at.pop()
        self._enqueue(operation, self._monotonic() + seconds)

    def delay(self, seconds: float) -> None:
        """Grant no starts for this many seconds, unless a longer pause is already in effect."""
        self._delayed_until = max(self._delayed_until, self._monotonic() + seconds)

    def _wait(self, operation: Operation | Run, now: float) -> float:
        """Return how many seconds a start must wait, or 0 to send it now. Older starts go first."""
        older = bisect_left(self._order, (operation.created_at, operation.id))
        if now < self._delayed_until:
            return max(self._delayed_until - now, 0.01)
        rate = self.per_second
        if rate is None:
            is_first = not older or self._order[0][0] >= operation.created_at - MAX_OVERTAKE_SECONDS
            return 0.0 if is_first else TURN_POLL_SECONDS
        count = self._count(rate)
        window = count / rate * RATE_MARGIN
        recent = [at for at in self._granted_at if at > now - window][-count:]
        position = older - (count - len(recent))
        if position < 0:
            return 0.0
        # Each granted start frees its slot one window later, and waiting starts take the slots in order. If
        # there are more waiting starts than slots, the rest take the same slots one window later.
        rounds, number = divmod(position, count)
        opens = recent[number] if number < len(recent) else now
        return max(opens + window * (rounds + 1) - now, 0.01)

    def _enqueue(self, operation: Operation | Run, comes_at: float) -> None:
        if operation.id not in self._comes_until:
            if len(self._order) >= MAX_QUEUED_STARTS:
                return
            insort(self._order, (operation.created_at, operation.id))
        self._comes_until[operation.id] = comes_at + MAX_TURN_DELAY_SECONDS

    def _dequeue(self, entry: tuple[float, str]) -> None:
        if self._comes_until.pop(entry[1], None) is not None:
            del self._order[bisect_left(self._order, entry)]

    def _forget(self, now: float) -> None:
        """Drop operations that didn't ask again in time, and starts that are too old to affect the limit."""
        while self._order and self._comes_until[self._order[0][1]] < now:
            self._dequeue(self._order[0])
        rate = self.per_second
        longest = self._count(rate) / rate * RATE_MARGIN if rate else 0.0
        while self._granted_at and self._granted_at[0] <= now - longest:
            self._granted_at.popleft()

    @staticmethod
    def _count(rate: float) -> int:
        return max(int(rate * BURST_SHARE), 1)


#: Function that publishes a Home tab. Its second argument is what the pressed button adds to the tab. Raises
#: SlackFailed and StoreError.
PublishHome: TypeAlias = Callable[[Principal, dict[str, Any]], Awaitable[None]]
#: Function that runs a deferred command as if the person had just typed it. Raises StoreError if the
#: database fails.
Replay: TypeAlias = Callable[[Principal, dict[str, Any]], Awaitable[None]]


class Observer(Protocol):
    """Collects metrics: counts reads and failures, and times claims. See ``bot.web.health.Metrics``."""

    def count_reads(self, connection: str, count: int = 1, /) -> None:
        """Count status reads when they are sent."""
        ...

    def note_claim(self, connection: str, seconds: float, /) -> None:
        """Record how many seconds it took to claim a batch of status reads."""
        ...

    def count_failure(self, connection: str, kind: str, /) -> None:
        """Count a failed call under the name of its error."""
        ...


class Numbers(NamedTuple):
    """The reconciler's limits and intervals. All times are in seconds.

    ``call_seconds`` is the time limit of a provider call, and ``lease`` is how long a row stays claimed. The
    lease is longer, so that no other process takes over a row while its call is in flight.
    """

    margin: float = 0.5
    batch: int = 50
    lease: float = 40.0
    call_seconds: float = 25.0
    #: Minimum time, in seconds, between two checks of a waiting operation. Each check looks at the
    #: operation's deadline and at what is delaying the operation.
    tick: float = 20.0
    #: Maximum number of checks of waiting operations per second. If there are very many open operations, each
    #: is checked less often, but at least every ``slow_tick`` seconds.
    checks_per_second: float = 5.0
    slow_tick: float = 600.0
    #: Interval, in seconds, at which Usher checks during a long call whether the account is still linked.
    watch: float = 2.0
    discover_after: float = 600.0
    discover_unused_after: float = 86_400.0
    discover_at_once: int = 20
