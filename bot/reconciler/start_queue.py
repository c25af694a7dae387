"""Whose start goes next on a connection: in the order of the operations, within the provider's rate limit.

In the memory of the process that owns the connection's starts: with a new owner, as after a restart, the
operations ask again, oldest first, once earlier starts no longer count.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from typing import Final

from bot.domain.runs import Run
from bot.domain.workspaces import Operation
from bot.reconciler.ports import News

#: A limit per second is kept with this margin, and a fifth of it goes in one burst: requests don't arrive as
#: evenly as they are sent.
SPARE: Final = 1.1
TOGETHER: Final = 0.2
#: An operation that doesn't come back within this long of its turn loses it.
LATE_SECONDS: Final = 2.0
#: Without a limit, a start may be overtaken by one requested at most this much later.
OVERTAKES_SECONDS: Final = 1.0
#: How soon to ask again when only waiting for another operation's turn.
SOON: Final = 0.25
MOST_REMEMBERED: Final = 10_000


class StartQueue:
    """Grant starts, as long as this process owns them. ``per_second`` is the provider's limit, or None.

    ``news`` gets the seconds until the next turn.
    """

    def __init__(self, per_second: float | None, monotonic: Callable[[], float], news: News) -> None:
        self._news = news
        self.per_second = per_second
        self._monotonic = monotonic
        #: Since when this process has granted them, monotonic.
        self.owned_since = 0.0
        self._held_until = 0.0
        #: Who waits, oldest operation first, and until when each has to come back, by the operation's id.
        self._order: list[tuple[float, str]] = []
        self._comes_until: dict[str, float] = {}
        #: When starts were granted, as far back as matters.
        self._gone: deque[float] = deque()
        self._begin()

    def _begin(self) -> None:
        """Grant nothing until starts that aren't known here, of an earlier owner, don't count any more."""
        self._order.clear()
        self._comes_until.clear()
        self._gone.clear()
        self._held_until = (
            self._monotonic() + max(1.0, 1.0 / self.per_second) * SPARE if self.per_second else 0.0
        )

    def wait(self, operation: Operation | Run, owned_since: float = 0.0) -> float:
        """Return 0 and count the start, or return the seconds after which the operation should ask again."""
        if owned_since != self.owned_since:
            self.owned_since = owned_since
            self._begin()
        now = self._monotonic()
        self._forget(now)
        wait = self._wait(operation, now)
        if wait <= 0:
            self._leaves((operation.created_at, operation.id))
            self._gone.append(now)
            return 0.0
        self._stays(operation, now + wait)
        self._news.turn_in(wait)
        return wait

    def missed(self, operation: Operation | Run, seconds: float) -> None:
        """Note that a granted start couldn't be sent; it asks again after ``seconds``."""
        if self._gone:
            self._gone.pop()
        self._stays(operation, self._monotonic() + seconds)

    def hold_off(self, seconds: float) -> None:
        """Grant nothing for a while, because the provider asked for it; the longer wait wins."""
        self._held_until = max(self._held_until, self._monotonic() + seconds)

    def _wait(self, operation: Operation | Run, now: float) -> float:
        """Return the seconds until this start may be sent, 0 if it may go now; older ones go first."""
        older = bisect_left(self._order, (operation.created_at, operation.id))
        if now < self._held_until:
            return max(self._held_until - now, 0.01)
        rate = self.per_second
        if rate is None:
            is_first = not older or self._order[0][0] >= operation.created_at - OVERTAKES_SECONDS
            return 0.0 if is_first else SOON
        count = self._count(rate)
        window = count / rate * SPARE
        recent = [at for at in self._gone if at > now - window][-count:]
        place = older - (count - len(recent))
        if place < 0:
            return 0.0
        # Each start that was granted frees its slot one window later. The starts that wait take the slots in
        # order; when there are more of them than slots, they take the same slots again a window later.
        rounds, number = divmod(place, count)
        opens = recent[number] if number < len(recent) else now
        return max(opens + window * (rounds + 1) - now, 0.01)

    def _stays(self, operation: Operation | Run, comes_at: float) -> None:
        if operation.id not in self._comes_until:
            if len(self._order) >= MOST_REMEMBERED:
                return
            insort(self._order, (operation.created_at, operation.id))
        self._comes_until[operation.id] = comes_at + LATE_SECONDS

    def _leaves(self, one: tuple[float, str]) -> None:
        if self._comes_until.pop(one[1], None) is not None:
            del self._order[bisect_left(self._order, one)]

    def _forget(self, now: float) -> None:
        """Drop operations that didn't come back, and starts too old to count towards the limit."""
        while self._order and self._comes_until[self._order[0][1]] < now:
            self._leaves(self._order[0])
        rate = self.per_second
        longest = self._count(rate) / rate * SPARE if rate else 0.0
        while self._gone and self._gone[0] <= now - longest:
            self._gone.popleft()

    @staticmethod
    def _count(rate: float) -> int:
        return max(int(rate * TOGETHER), 1)
