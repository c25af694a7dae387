"""What the parts of one process share, handed through construction as one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.messages.texts import problems
from bot.support.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.models import Person, Principal
    from bot.domain.policy import Installation
    from bot.providers.base import Provider
    from bot.store.store import Store
    from bot.support.clock import Clock, Ids
    from bot.support.vault import Vault


class Wake(Protocol):
    """Have the background work look for something to do at once; cheap, and as often as one likes.

    Whoever has just written something calls it: use cases, handlers, providers' hooks. The scheduler answers.
    """

    def __call__(self) -> None:
        """Return at once, whether or not anything runs in the background."""
        ...


class PeopleBook(Protocol):
    """Know who somebody is. The policy's callers ask; ``bot.slack.people.People`` answers."""

    async def look_up(self, principal: Principal) -> Person:
        """Ask Slack, write down and return who it is; raise SlackFailed when that can't be known now."""
        ...

    async def sync(self) -> list[Person]:
        """Read everybody again, write them down and return them; raise SlackFailed."""
        ...


def nobody() -> None:
    """Wake nothing: what a command has that serves nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Hold the outside (store, providers, people, clock), where Usher is installed, and what operators set.

    A constructor takes the context and, beside it, only what is its own.
    """

    store: Store
    connections: Mapping[str, Provider]
    people: PeopleBook
    installation: Installation
    vault: Vault
    clock: Clock
    ids: Ids
    wake: Wake = nobody
    #: How long an operation may take before its person is told, in seconds.
    deadline_seconds: float = 1800.0
    #: The origin that browsers reach, None where there is none.
    public_url: str | None = None
    #: What people type in Slack for workspaces, and for jobs.
    command: str = "/workspace"
    job_command: str = "/job"
    #: Whether Sign in with Slack proves who somebody is; without it a code is typed back.
    sign_in: bool = False

    def provider(self, connection: str) -> Provider:
        """Return a connection's provider; raises Refused (``connection.gone``) where there is none now."""
        if connection not in self.connections:
            raise Refused("connection.gone", problems.sentence("connection_gone", connection))
        return self.connections[connection]
