"""The context of a process: the store, connections, clock and other objects that all its parts share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.installations import AnyInstallation, Tenants
from bot.domain.people import Person, Principal
from bot.providers.base import Provider
from bot.providers.connection import LinkMethod
from bot.services.owners import Owners
from bot.services.recent_commits import RecentCommits
from bot.store.stop_warnings import MAX_WARNING_DELAY_SECONDS
from bot.store.store import Store
from bot.support.clock import Clock, Ids
from bot.support.errors import Refused
from bot.support.vault import Vault


class PeopleBook(Protocol):
    """The directory of people in Slack, implemented by ``bot.slack.people.PeopleDirectory``."""

    async def look_up(self, principal: Principal) -> Person:
        """Look a person up in Slack, store them, and return them. Raise SlackFailed if the lookup fails."""
        ...

    async def sync(self) -> list[Person]:
        """Read everyone from Slack again, store them, and return them. Raise SlackFailed if that fails."""
        ...

    async def add_enterprise(self, principal: Principal) -> Principal:
        """If Usher is installed in an enterprise, add it to a signed-in principal. May raise SlackFailed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a process works with: the store, providers, people, clock, installation and settings."""

    store: Store
    connections: Mapping[str, Provider]
    people: PeopleBook
    installation: AnyInstallation
    tenants: Tenants
    vault: Vault
    clock: Clock
    ids: Ids
    #: Maps connections to their titles, including connections that have been removed from the settings.
    titles: Mapping[str, str] = field(default_factory=dict)
    #: The shared jobs that this process does on behalf of all processes that use the database. A process that
    #: has the database to itself does all of them.
    owners: Owners = field(default_factory=Owners)
    #: How long, in seconds, a planned stop may be delayed because its warning can't be sent to Slack.
    unwarned_seconds: float = MAX_WARNING_DELAY_SECONDS
    #: Public origin at which browsers reach Usher, or None if they can't.
    public_url: str | None = None
    #: The slash command for workspaces. ``job_command`` is the slash command for jobs.
    command: str = "/workspace"
    job_command: str = "/job"
    #: Whether people prove their identity with Sign in with Slack. If not, they type a code in Slack instead.
    sign_in: bool = False
    #: Whether Slack's assistant may call Usher.
    assistant: bool = False
    #: Whether administrators can see each person's hours of use.
    names_usage: bool = False
    #: This process's recent commits, which a failover of the database might lose: requests that it confirmed
    #: to people, and operations and runs for which it called the provider.
    recent_commits: RecentCommits = field(default_factory=RecentCommits)

    def need(self, connection: str) -> Provider:
        """Return a connection's provider. If there is none, raise Refused (see ``find_absence``)."""
        if absence := self.find_absence(connection):
            raise Refused(absence, title=self.title(connection))
        return self.connections[connection]

    def find_absence(self, connection: str) -> str:
        """Return why this process can't use a connection, as a cause to show, or "" if it can.

        If another process already has the connection, this one will soon be restarted with the same settings.
        """
        if connection in self.connections:
            return ""
        is_elsewhere = connection in self.owners.lacking_connections
        return "connection_coming" if is_elsewhere else "connection_gone"

    def list_linkable(self, way: LinkMethod, principal: Principal) -> list[str]:
        """Return the names of the connections that a person may link with a given method."""
        found = self.connections.items()
        return sorted(
            name for name, one in found if one.has_link_method(way) and one.is_available_to(principal)
        )

    @property
    def link_page_prefix(self) -> str:
        """Return the URL prefix of the permanent link pages, or "" if there are none.

        A connection's name follows the prefix. Such a page asks people to sign in with Slack first. Without
        Sign in with Slack, only a one-time URL can show who is linking.
        """
        return f"{self.public_url.rstrip('/')}/link/new/" if self.public_url and self.sign_in else ""

    def title(self, connection: str) -> str:
        """Return a connection's title, even if it was removed. If the title isn't known, return the name."""
        provider = self.connections.get(connection)
        return provider.settings.title if provider is not None else self.titles.get(connection, connection)
