"""Data that crosses the provider contract: what providers declare, and what they report besides states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.domain.models import Observed

T = TypeVar("T")

#: The most seconds by which our clock and a provider's may differ.
CLOCK_SKEW = 120.0


class Listing(list[T]):
    """Hold the entries of a list, in the server's order.

    It is not whole if an entry couldn't even be identified: then nothing follows from what is missing.
    """

    def __init__(self, entries: Iterable[T] = (), *, is_whole: bool = True) -> None:
        super().__init__(entries)
        self.is_whole = is_whole


@dataclass(frozen=True, slots=True)
class Pace:
    """Declare how often and how much the provider may be asked; times in seconds.

    The poll gate enforces ``min_poll_interval`` per resource, whoever asks.
    """

    min_poll_interval: float
    pending: float
    running: float = 300.0
    unused: float = 1800.0
    batch_size: int = 1
    concurrency: int = 20


@dataclass(frozen=True, slots=True)
class Discovered:
    """Describe one workspace found in a person's account; ``name`` is "" if it couldn't be read."""

    remote_id: str
    name: str
    observed: Observed


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Describe a job that is set up on a provider; ``cron`` is "" without a schedule, None if unknown."""

    job_id: str
    name: str
    cron: str | None


@dataclass(frozen=True, slots=True)
class TokenHelp:
    """Tell a person how to get a token: a URL to open and instructions, shown on the link page."""

    url: str
    steps: Sequence[str]
    #: A plain-text pattern that a pasted token must match before it is sent anywhere.
    pattern: str


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Limit when a status read may be sent: not after ``until`` on the injected monotonic clock."""

    until: float


@dataclass(frozen=True, slots=True)
class Embedding:
    """Say what our own page loads to show an IDE in it.

    ``sdk_host`` is the host, with its port if it is unusual, that scripts, frames and sockets come
    from; ``is_https`` is False on loopback only. ``endpoint`` is the origin of the IDEs themselves.
    """

    sdk_host: str
    is_https: bool
    endpoint: str
