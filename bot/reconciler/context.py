"""What every part of the reconciler works with: its ports, its numbers, and what the parts share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

from bot.services.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.domain.models import Principal
    from bot.output import Board
    from bot.reconciler.ask import Asker
    from bot.reconciler.keys import Keys
    from bot.reconciler.runtimes import Runtime


class Replay(Protocol):
    """Run a command that waited as if it were typed now. The tasks call; ``handlers.replay`` answers."""

    async def __call__(self, principal: Principal, waiting: dict[str, Any], /) -> None:
        """Run it as it was stored; raise StoreError when nothing could be written."""
        ...


class News(Protocol):
    """Hear what the engine leaves for its loops. Reads and start queues call; the scheduler answers."""

    def work_left(self) -> None:
        """Note that something was written that others have work with: most reads change nothing."""
        ...

    def turn_in(self, seconds: float, /) -> None:
        """Note after how many seconds an operation has its turn: no tick is as fine as that."""
        ...


class Unheard:
    """Hear nothing: what tests take that step the engine themselves."""

    def work_left(self) -> None:
        """Leave it."""

    def turn_in(self, _seconds: float) -> None:
        """Leave it."""


class Observer(Protocol):
    """Count what is sent to providers and what fails there; ``bot.web.metrics.Metrics`` is one."""

    def polled(self, connection: str, count: int = 1, /) -> None:
        """Note status reads that were sent."""
        ...

    def provider_failed(self, connection: str, kind: str, /) -> None:
        """Note a failed call by the name of its error."""
        ...


class Unobserved:
    """Count nothing: what tests take that look at something else."""

    def polled(self, _connection: str, _count: int = 1) -> None:
        """Leave it."""

    def provider_failed(self, _connection: str, _kind: str) -> None:
        """Leave it."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Hold how much and how long; times in seconds.

    ``call_seconds`` bounds a provider call, ``lease`` a claimed row: it is longer, so that nobody takes a
    row over while its call is under way.
    """

    margin: float = 0.5
    #: So long before a workspace ends by itself its owner is told.
    warn_seconds: float = 300.0
    batch: int = 50
    lease: float = 40.0
    call_seconds: float = 25.0
    #: Least seconds between two looks at an open operation that nothing happens to, for its bar and its
    #: deadline.
    tick: float = 20.0
    #: So many of these looks are made a second at most: Slack lets fewer bars than that be drawn. With very
    #: many open operations each waits longer, but no longer than this.
    looks_per_second: float = 5.0
    slow_tick: float = 600.0
    #: How long after an unlink the credential may still be used, to revoke it.
    revoke_within: float = 5.0
    #: While a long list is read, its account is looked at so often: nothing goes on with an unlinked one.
    watch: float = 2.0
    discover_after: float = 600.0
    discover_unused_after: float = 86_400.0
    discover_at_once: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext(Context):
    """Hold beside the context what the parts of one reconciler share.

    ``runtimes`` are the connections in this process; outputs that are followed are written on the ``board``.
    """

    runtimes: Mapping[str, Runtime]
    keys: Keys
    asker: Asker
    numbers: Numbers
    jitter: Callable[[], float]
    board: Board
    news: News

    @classmethod
    def over(cls, context: Context, **parts: Any) -> EngineContext:
        """Return a context with what is the engine's own."""
        return cls(**{field.name: getattr(context, field.name) for field in fields(Context)}, **parts)
