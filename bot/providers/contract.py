"""What providers declare, and what they tell beside states: data that crosses their contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.domain.models import Observed

T = TypeVar("T")

#: Our clock and a provider's may differ by so many seconds.
CLOCK_SKEW = 120.0


class Listing(list[T]):
    """Hold what a list told, in the server's order.

    It is not whole when an entry could not even be named: then nothing follows from what it lacks.
    """

    def __init__(self, entries: Iterable[T] = (), *, is_whole: bool = True) -> None:
        super().__init__(entries)
        self.is_whole = is_whole


@dataclass(frozen=True, slots=True)
class Pace:
    """Declare how often and how wide the provider may be asked; times in seconds.

    ``min_poll_interval`` is kept by the poll gate per resource, whoever asks.
    """

    min_poll_interval: float
    pending: float
    running: float = 300.0
    unused: float = 1800.0
    batch_size: int = 1
    concurrency: int = 20


@dataclass(frozen=True, slots=True)
class Discovered:
    """Describe one workspace found in a person's account; ``name`` is "" where it could not be read."""

    remote_id: str
    name: str
    observed: Observed


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Describe a job that is set up at a provider; ``cron`` is "" without a schedule, None where untold."""

    job_id: str
    name: str
    cron: str | None


@dataclass(frozen=True, slots=True)
class TokenHelp:
    """Tell a person how to get a token: a URL to open and sentences, shown on the link page."""

    url: str
    steps: Sequence[str]
    #: A plain-text pattern that a pasted token must match, checked before it is sent anywhere.
    pattern: str


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Bound when a status read may leave: not after ``until`` on the injected monotonic clock."""

    until: float


@dataclass(frozen=True, slots=True)
class Embedding:
    """Say what a page of ours loads to show an IDE in it.

    ``sdk_host`` is the host, with a port where it has one of its own, that scripts, frames and sockets come
    from; ``is_https`` is False on loopback alone. ``endpoint`` is the origin that IDEs themselves lie at.
    """

    sdk_host: str
    is_https: bool
    endpoint: str
