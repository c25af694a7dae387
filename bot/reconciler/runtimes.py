"""A process's view of a connection: its slots, its rate limits, its health and its queue of starts.

In the memory of the process that owns the connection's starts: with a new owner, as after a restart, the
operations ask again, oldest first, once earlier starts no longer count.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

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


#: So many failures in a row, without a success, mean the connection is down and not just one resource.
MAX_FAILURES = 5
#: The longest pause before a single probe checks whether it answers again.
MAX_PROBE_PAUSE_SECONDS = 30.0
#: The longest pause that a provider can ask for at a time.
MAX_REQUESTED_PAUSE_SECONDS = 300.0
#: When this many people's credentials are rate-limited within this time, the limit is everybody's.
MIN_PEOPLE_OF_SHARED_LIMIT = 3
SHARED_LIMIT_SECONDS = 60.0
#: The pauses' key of everybody; no account has it.
_EVERYBODY = ""
_NO_LIMIT = (-math.inf, -math.inf)
#: A pause that this process noted itself is a little later in the rows, as it was written later.
ROW_DELAY_SECONDS = 1.0
#: The share of a connection's slots for one person's calls, and for all lists.
PERSONS_SHARE = 0.5
LISTS_SHARE = 0.25


class Slots:
    """The requests in flight. Reads leave a fifth of the slots to calls that people wait for.

    One person's calls take at most half of the slots, and lists a quarter, so that the others get a share.

    In memory. Restart: leases end, and calls of unknown outcome are checked. Several processes: the claim is
    a row, and each process has its own slots.
    """

    def __init__(self, size: int) -> None:
        self._size = max(size, 1)
        self._in_use = 0
        self._in_use_by: Counter[str] = Counter()

    @property
    def free_for_reads(self) -> int:
        """Return the number of reads that may begin now."""
        reserve = max(self._size // 5, 1) if self._size > 1 else 0
        return max(self._size - reserve - self._in_use, 0)

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is in flight."""
        return self._in_use == 0

    def take(self, count: int = 1) -> bool:
        """Take slots; return False if there aren't enough."""
        if self._in_use + count > self._size:
            return False
        self._in_use += count
        return True

    def give(self, count: int = 1) -> None:
        """Release slots."""
        self._in_use -= count

    def take_share(self, holder: str, share: float) -> bool:
        """Take a slot for one of several holders; return False if none is free or their share is used up."""
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
    """The pauses after 429s: each delays whoever got it, and everybody only if it's meant for everybody.

    That is so if the connection's own secret got it, or several people within a short time. ``delay``
    delays everybody for some seconds. What other processes were told is learned from the pauses' rows.

    In memory. Restart: read from the table ``pauses``. Several processes: every process reads it each second;
    what it sends until then is refused the same way.
    """

    def __init__(self, name: str, monotonic: Callable[[], float], delay: Callable[[float], None]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._delay = delay
        #: When an account got a 429, and until when it waits; monotonic.
        self._limited: dict[str, tuple[float, float]] = {}
        self._all_until = 0.0

    def note(self, holder: str, seconds: float, *, is_shared: bool) -> dict[str, float]:
        """Note a 429 and its wait in seconds; logged once for each pause of everybody.

        Return for how many seconds each has to pause now, for the rows; "" is everybody.
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
        """Learn from a row of a pause that another process noted, or this one did before it was restarted."""
        now = self._monotonic()
        at, until = now - pause.ago, now + pause.left
        if pause.account_id == _EVERYBODY:
            if until > self._all_until + ROW_DELAY_SECONDS:
                self._all_until = until
                self._delay(pause.left)
        elif until > self._limited.get(pause.account_id, _NO_LIMIT)[1] + ROW_DELAY_SECONDS:
            self._limited[pause.account_id] = (at, until)

    def find_wait(self, holder: str) -> float:
        """Return the seconds that an account still has to wait."""
        return max(self._limited.get(holder, (0.0, 0.0))[1] - self._monotonic(), 0.0)


class CircuitBreaker:
    """The circuit breaker of a connection: the beginning of its failures, and its pause.

    Failures of a single request (a refused credential, a wrong id) prove that the connection answers.

    In memory. Restart: one request probes what was away. Several processes: an outage is a row, which all
    read every second.
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
        #: The last failure, if nothing has answered since.
        self._failure: TemporaryError | None = None
        self.answering = Reachability(name)
        #: The end of the pause that the connection asked for, and of the one while it is considered down.
        self._requested_until = 0.0
        self._away_until = 0.0

    @property
    def pause(self) -> float:
        """Return the seconds for which nothing may be sent; 0 if requests may go."""
        return max(max(self._requested_until, self._away_until) - self._clock.monotonic(), 0.0)

    @property
    def since(self) -> float | None:
        """Return the beginning of its failures, in epoch seconds; None if it answers."""
        return self.answering.silent_since

    @property
    def answers(self) -> bool:
        """Return whether the last request got an answer; False before the first one."""
        return self.since is None and self.answering.answered_at is not None

    @property
    def is_doubtful(self) -> bool:
        """Return whether the next request should be a single probe."""
        return self._failures >= MAX_FAILURES

    def note_answer(self, error: ProviderError | None = None) -> None:
        """Note an answer of any kind; ``error`` is set if it was a refusal."""
        if error is not None:
            self._observer.count_failure(self._name, type(error).__name__)
        if self.is_doubtful:
            log.info("connection answers again", connection=self._name)
        self._failures, self._failure = 0, None
        self.answering.record_answer(self._clock.now())
        self._away_until = 0.0

    def resume(self, since: float) -> None:
        """Resume an outage that began before this process, or that another one found: probe it, no more."""
        self.answering.record_failure(since)
        self._failures = max(self._failures, MAX_FAILURES)

    def retry(self) -> None:
        """Probe it now, as another process had an answer."""
        self._away_until = 0.0

    def note_failure(self, error: TemporaryError) -> None:
        """Note a failure; logged once, when the connection counts as down."""
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
        """Pause because the provider asked for it; the longer wait wins."""
        self._requested_until = max(self._requested_until, self._clock.monotonic() + seconds)

    @property
    def block_reason(self) -> Hold | None:
        """Return the pause or the silence that delays everybody, or None."""
        if not self.is_doubtful and (asked := self._requested_until - self._clock.monotonic()) > 0:
            return self.describe_pause(asked)
        return self.describe_silence() if self.is_doubtful else None

    def describe_pause(self, seconds: float) -> Hold:
        """Return a requested pause and its end."""
        return hold_until(HoldCode.PAUSED, self._clock.now() + seconds)

    def describe_silence(self, error: TemporaryError | None = None) -> Hold:
        """Return its silence, with its beginning if that is known."""
        if isinstance(self._failure, UntrustedCertificate):
            return hold_by_cause(causes.to_cause(self._failure))
        if self.since is None:
            return hold_by_cause(causes.to_cause(error or Unreachable()))
        return make_hold(HoldCode.SILENT, self.since)


class Runtime:
    """A connection's provider with its slots, start queue and health."""

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
        self.start_queue = StartQueue(provider.settings.starts_per_second, clock.monotonic)
        self.health = CircuitBreaker(name, self.title, clock, jitter, observer)
        self.limits = Limits(name, clock.monotonic, self.health.delay)
        #: A limit on starts doesn't affect reads: it holds up only the start queue.
        self.start_limits = Limits(name, clock.monotonic, self.start_queue.delay)

    def select_limits(self, calls: Calls) -> Limits:
        """Return the limits of calls that start something, or of any."""
        return self.start_limits if calls == "start" else self.limits

    @property
    def is_probed(self) -> bool:
        """Return whether a connection in doubt already has its single probe in flight."""
        return self.health.is_doubtful and not self.slots.is_idle


#: A limit per second is kept with this margin, and a fifth of it goes in one burst: requests don't arrive as
#: evenly as they are sent.
RATE_MARGIN: Final = 1.1
BURST_SHARE: Final = 0.2
#: An operation that comes back later than this after its turn loses it.
MAX_TURN_DELAY_SECONDS: Final = 2.0
#: Without a limit, a start may be overtaken by one requested at most this much later.
MAX_OVERTAKE_SECONDS: Final = 1.0
#: The wait of an operation that only another one's turn delays.
TURN_POLL_SECONDS: Final = 0.25
MAX_QUEUED_STARTS: Final = 10_000


class StartQueue:
    """The queue of a connection's starts, while this process owns them. ``per_second`` is the limit, or None.

    In memory. Restart: built again from the operations, oldest first; none is granted until the earlier ones
    no longer count. Several processes: one owns a connection's starts.
    """

    def __init__(self, per_second: float | None, monotonic: Callable[[], float]) -> None:
        self.per_second = per_second
        self._monotonic = monotonic
        #: The beginning of this process's ownership, monotonic.
        self.owned_since = 0.0
        self._delayed_until = 0.0
        #: The operations that wait, oldest first, and the latest time at which each has to come back.
        self._order: list[tuple[float, str]] = []
        self._comes_until: dict[str, float] = {}
        #: The times of granted starts, as far back as matters.
        self._granted_at: deque[float] = deque()
        self._begin()

    def _begin(self) -> None:
        """Grant nothing until the starts of an earlier owner don't count any more."""
        self._order.clear()
        self._comes_until.clear()
        self._granted_at.clear()
        self._delayed_until = (
            self._monotonic() + max(1.0, 1.0 / self.per_second) * RATE_MARGIN if self.per_second else 0.0
        )

    def request_turn(self, operation: Operation | Run, owned_since: float = 0.0) -> float:
        """Grant a start and return 0, or return the seconds until the operation should ask again."""
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
        """Note that a granted start couldn't be sent; it asks again after ``seconds``."""
        if self._granted_at:
            self._granted_at.pop()
        self._enqueue(operation, self._monotonic() + seconds)

    def delay(self, seconds: float) -> None:
        """Grant nothing for a while, because the provider asked for it; the longer wait wins."""
        self._delayed_until = max(self._delayed_until, self._monotonic() + seconds)

    def _wait(self, operation: Operation | Run, now: float) -> float:
        """Return the seconds until this start may be sent, 0 if it may go now; older ones go first."""
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
        # Each start that was granted frees its slot one window later. The starts that wait take the slots in
        # order; when there are more of them than slots, they take the same slots again a window later.
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
        """Drop operations that didn't come back, and starts too old to count towards the limit."""
        while self._order and self._comes_until[self._order[0][1]] < now:
            self._dequeue(self._order[0])
        rate = self.per_second
        longest = self._count(rate) / rate * RATE_MARGIN if rate else 0.0
        while self._granted_at and self._granted_at[0] <= now - longest:
            self._granted_at.popleft()

    @staticmethod
    def _count(rate: float) -> int:
        return max(int(rate * BURST_SHARE), 1)


class PublishHome(Protocol):
    """The publishing of a person's Home, with what their press adds to it."""

    async def __call__(self, principal: Principal, shown: dict[str, Any], /) -> None:
        """Draw and publish it; raises SlackFailed and StoreError."""
        ...


class Replay(Protocol):
    """The runner of waiting commands, as if they were typed now: ``handlers.dispatch``."""

    async def __call__(self, principal: Principal, waiting: dict[str, Any], /) -> None:
        """Run the stored command; raise StoreError if nothing could be written."""
        ...


class Observer(Protocol):
    """A counter of calls to providers, of failures and claims; ``bot.web.health.Metrics`` is one."""

    def count_reads(self, connection: str, count: int = 1, /) -> None:
        """Count status reads that were sent."""
        ...

    def note_claim(self, connection: str, seconds: float, /) -> None:
        """Note the seconds that a claim of status reads took."""
        ...

    def count_failure(self, connection: str, kind: str, /) -> None:
        """Count a failed call by the name of its error."""
        ...


@dataclass(frozen=True, slots=True)
class Numbers:
    """The reconciler's limits and intervals; times in seconds.

    ``call_seconds`` bounds a provider call and ``lease`` a claimed row. The lease is longer, so that nobody
    takes over a row while its call is in flight.
    """

    margin: float = 0.5
    batch: int = 50
    lease: float = 40.0
    call_seconds: float = 25.0
    #: The least seconds between two checks of an idle open operation, for what holds it up and its deadline.
    tick: float = 20.0
    #: The most of these checks per second. With very many open operations each waits longer, up to the limit
    #: below.
    checks_per_second: float = 5.0
    slow_tick: float = 600.0
    #: The interval of checks that an account is still linked while a long list is read.
    watch: float = 2.0
    discover_after: float = 600.0
    discover_unused_after: float = 86_400.0
    discover_at_once: int = 20
