"""What the reconciler asks of others, and the numbers it works by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.models import Person, Principal
from bot.domain.policy import Installation

#: Runs a command that waited for a link as if it were typed now: principal, the command as it was stored.
Replay = Callable[[Principal, dict[str, Any]], Awaitable[None]]


class PeopleBook(Protocol):
    """Know who somebody is; ``bot.slack.people.People`` is one."""

    async def look_up(self, principal: Principal) -> Person:
        """Ask Slack, write down and return who it is; raise SlackFailed when that can't be known now."""
        ...

    async def sync(self) -> list[Person]:
        """Read everybody anew, write them down and return them; raise SlackFailed."""
        ...


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

    installation: Installation
    margin: float = 0.5
    #: So long before a workspace ends by itself its owner is told.
    warn_seconds: float = 300.0
    #: So long a run may not begin, or can't be looked at, before its person is told.
    deadline_seconds: float = 1800.0
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
