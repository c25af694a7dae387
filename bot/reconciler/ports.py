"""What the reconciler is handed: its limits and intervals, and the ports through which it calls upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.people import Principal


class Replay(Protocol):
    """Run a waiting command as if it were typed now. The tasks call it; ``handlers.replay`` implements it."""

    async def __call__(self, principal: Principal, waiting: dict[str, Any], /) -> None:
        """Run the stored command; raise StoreError if nothing could be written."""
        ...


class News(Protocol):
    """Notify the loops of new work. Reads and start queues call it; the scheduler implements it."""

    def work_left(self) -> None:
        """Note that something was written that gives other loops work; most reads change nothing."""
        ...

    def turn_in(self, seconds: float, /) -> None:
        """Note in how many seconds an operation's turn comes, which is finer than a tick."""
        ...


class Observer(Protocol):
    """Count calls to providers, their failures and claims; ``bot.web.health.Metrics`` is one."""

    def polled(self, connection: str, count: int = 1, /) -> None:
        """Count status reads that were sent."""
        ...

    def claimed(self, connection: str, seconds: float, /) -> None:
        """Note how long it took to claim status reads, where there were any."""
        ...

    def provider_failed(self, connection: str, kind: str, /) -> None:
        """Count a failed call by the name of its error."""
        ...


@dataclass(frozen=True, slots=True)
class Numbers:
    """Hold the reconciler's limits and intervals; times in seconds.

    ``call_seconds`` bounds a provider call and ``lease`` a claimed row. The lease is longer, so that nobody
    takes over a row while its call is in flight.
    """

    margin: float = 0.5
    #: How long before a workspace ends by itself its owner is warned.
    warn_seconds: float = 300.0
    batch: int = 50
    lease: float = 40.0
    call_seconds: float = 25.0
    #: The least seconds between two looks at an idle open operation, for its progress bar and its deadline.
    tick: float = 20.0
    #: The most of these looks per second: Slack allows fewer card updates than that anyway. With very many
    #: open operations each waits longer, up to the limit below.
    looks_per_second: float = 5.0
    slow_tick: float = 600.0
    #: How long after an unlink the credential may still be used, to revoke it.
    revoke_within: float = 5.0
    #: While a long list is read, how often to check that its account is still linked.
    watch: float = 2.0
    discover_after: float = 600.0
    discover_unused_after: float = 86_400.0
    discover_at_once: int = 20
