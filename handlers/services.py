"""What handlers work with, put together once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.messages.blocks.limits import Markup, line
from bot.services.approvals import Approvals
from bot.services.authority import Authority
from bot.services.classes import Classes
from bot.services.jobs import Jobs
from bot.services.snapshots import Snapshots
from bot.services.workspaces import Workspaces
from bot.support.rate_limit import RateLimiter
from handlers import routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bot.providers.base import Provider
    from bot.services.accounts import Accounts
    from bot.store.store import Store
    from bot.support.clock import Clock, Ids


@dataclass(frozen=True, slots=True)
class Services:
    """Hold what handlers may use. ``commands`` maps a slash command to the folder of its verbs."""

    store: Store
    workspaces: Workspaces
    jobs: Jobs
    accounts: Accounts
    approvals: Approvals
    classes: Classes
    snapshots: Snapshots
    authority: Authority
    connections: Mapping[str, Provider]
    clock: Clock
    ids: Ids
    wake: Callable[[], None]
    commands: Mapping[str, str]
    limiter: RateLimiter

    def title(self, connection: str) -> str:
        """Return what people call a connection; its name when the operator took it away."""
        provider = self.connections.get(connection)
        return provider.settings.title if provider is not None else connection

    def titles(self, connections: Iterable[str]) -> Markup:
        """Return the titles of connections as a sentence names them."""
        return Markup(" and ".join(sorted({line(self.title(connection)) for connection in connections})))

    def linkable(self) -> list[tuple[str, str]]:
        """Return (name, title) of the connections that people link to by themselves."""
        return [
            (name, provider.settings.title)
            for name, provider in sorted(self.connections.items())
            if provider.links_by("token")
        ]

    def linkless(self) -> list[tuple[str, str]]:
        """Return (name, title) of the connections where nobody has anything to link."""
        return [
            (name, provider.settings.title)
            for name, provider in sorted(self.connections.items())
            if provider.links_by("none")
        ]

    def slash(self, folder: str) -> str:
        """Return the slash command whose verbs lie in a folder."""
        return next(command for command, found in self.commands.items() if found == folder)


def build_services(
    *,
    store: Store,
    accounts: Accounts,
    connections: Mapping[str, Provider],
    authority: Authority,
    clock: Clock,
    ids: Ids,
    wake: Callable[[], None],
    deadline_seconds: float,
    command: str = "/workspace",
    job_command: str = "/job",
    limiter: RateLimiter | None = None,
    public_url: str | None = None,
) -> Services:
    """Put the services together; the commands are what people type, ``limiter`` counts them."""
    # Now rather than in somebody's first request, which has to be answered within 3 s.
    routes.load()
    workspaces = Workspaces(
        store=store,
        connections=connections,
        authority=authority,
        clock=clock,
        ids=ids,
        deadline_seconds=deadline_seconds,
        wake=wake,
        acting=accounts.acting,
        public_url=public_url,
    )
    return Services(
        store=store,
        workspaces=workspaces,
        jobs=Jobs(
            store=store,
            connections=connections,
            authority=authority,
            monotonic=clock.monotonic,
            deadline_seconds=deadline_seconds,
            wake=wake,
        ),
        accounts=accounts,
        approvals=Approvals(store=store, connections=connections, authority=authority, ids=ids, wake=wake),
        classes=Classes(
            store=store,
            connections=connections,
            authority=authority,
            clock=clock,
            ids=ids,
            deadline_seconds=deadline_seconds,
            wake=wake,
            acting=accounts.acting,
            public_url=public_url,
        ),
        snapshots=Snapshots(store=store, clock=clock, wake=wake),
        authority=authority,
        connections=connections,
        clock=clock,
        ids=ids,
        wake=wake,
        commands=MappingProxyType({command: "workspace", job_command: "job"}),
        limiter=RateLimiter(clock.monotonic) if limiter is None else limiter,
    )
