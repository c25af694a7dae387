"""What handlers work with, assembled once by the composition root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from bot.domain.people import Principal
from bot.messages.blocks.kit import Markup, line
from bot.providers.base import Provider
from bot.services.accounts import Contacts
from bot.services.asked import Asked
from bot.services.context import Context, Owners, Removals, Wake
from bot.services.gather import Gatherer, PeopleNames
from bot.store.store import Store
from bot.support.clock import Clock, Ids
from bot.support.pool import RateLimiter
from handlers.payload import principal as principal_of


@dataclass(frozen=True, slots=True)
class Services:
    """Hold what handlers may use. ``commands`` maps a slash command to the folder of its verbs."""

    context: Context
    store: Store
    gatherer: Gatherer
    names: PeopleNames
    removals: Removals | None
    contacts: Contacts
    owners: Owners
    #: The connections that this person may use; then all of them, for their titles.
    connections: Mapping[str, Provider]
    configured: Mapping[str, Provider]
    clock: Clock
    ids: Ids
    wake: Wake
    commands: Mapping[str, str]
    limiter: RateLimiter

    def actor(self, payload: Mapping[str, Any]) -> Principal:
        """Return who acts, by a payload; raises Refused (``principal.missing``)."""
        return self.context.installation.who(principal_of(payload))

    def asked(self, principal: Principal, interaction: str = "") -> Asked:
        """Return who asks where no request says so."""
        return Asked(self.context, principal, interaction)

    def of(self, principal: Principal) -> Services:
        """Return the services with the connections that a person's Slack workspace may use."""
        served = {name: one for name, one in self.connections.items() if one.settings.serves(principal)}
        return self if len(served) == len(self.connections) else replace(self, connections=served)

    def title(self, connection: str) -> str:
        """Return a connection's title; its name if the operator removed it."""
        provider = self.configured.get(connection)
        return provider.settings.title if provider is not None else connection

    def titles(self, connections: Iterable[str]) -> Markup:
        """Return the titles of connections as part of a sentence."""
        return Markup(" and ".join(sorted({line(self.title(connection)) for connection in connections})))

    def linkable(self) -> list[tuple[str, str]]:
        """Return (name, title) of the connections that people link themselves."""
        return [
            (name, provider.settings.title)
            for name, provider in sorted(self.connections.items())
            if provider.links_by("token")
        ]

    def approvable(self) -> list[str]:
        """Return the names of the connections where an administrator approves usernames."""
        return sorted(name for name, provider in self.connections.items() if provider.links_by("admin"))

    def linking(self) -> list[tuple[str, str, bool]]:
        """Return (name, title, whether with a token) of all that can be linked, in the order of a Home."""
        by_token = dict(self.linkable())
        names = by_token.keys() | set(self.approvable())
        found = [(name, self.title(name), name in by_token) for name in names]
        return sorted(found, key=lambda one: one[1].casefold())

    def linkless(self) -> list[tuple[str, str]]:
        """Return (name, title) of the connections where there is nothing to link."""
        return [
            (name, provider.settings.title)
            for name, provider in sorted(self.connections.items())
            if provider.links_by("none")
        ]

    def slash(self, folder: str) -> str:
        """Return the slash command whose verbs are in a folder."""
        return next(command for command, found in self.commands.items() if found == folder)


def build_services(context: Context, limiter: RateLimiter) -> Services:
    """Assemble the services; ``limiter`` counts people's requests."""
    return Services(
        context=context,
        store=context.store,
        gatherer=Gatherer(context),
        names=PeopleNames(context),
        removals=context.removals,
        contacts=Contacts(context),
        owners=context.owners,
        connections=context.connections,
        configured=context.connections,
        clock=context.clock,
        ids=context.ids,
        wake=context.wake,
        commands=MappingProxyType({context.command: "workspace", context.job_command: "job"}),
        limiter=limiter,
    )
