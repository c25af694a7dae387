"""The objects that all handlers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.domain.people import Principal
from bot.messages.blocks import kit, replies
from bot.messages.blocks.commands import Prefixes
from bot.messages.blocks.kit import Markup
from bot.messages.texts import answers, cards
from bot.messages.texts.times import join_names
from bot.providers.base import Provider
from bot.providers.connection import LinkMethod
from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.store.store import Store
from bot.support.cleaning import natural_key
from bot.support.clock import Clock, Ids
from bot.support.limits import RateLimiter, SearchLimiter
from bot.support.pool import Pool
from handlers.requests.greetings import GreetedPeople
from handlers.requests.payload import parse_principal


@dataclass(frozen=True, slots=True)
class Services:
    """The objects that handlers use.

    ``commands`` maps each slash command to the folder that contains its verbs.
    """

    context: Context
    store: Store
    gatherer: Gatherer
    greeted: GreetedPeople
    #: The connections that the current user may use. ``context`` contains all connections.
    connections: Mapping[str, Provider]
    clock: Clock
    ids: Ids
    commands: Mapping[str, str]
    limiter: RateLimiter
    search_limiter: SearchLimiter
    #: A pool of tasks, each of which waits for a slow store and then tells a user how their request ended.
    outcome_pool: Pool

    def resolve_principal(self, payload: Mapping[str, Any]) -> Principal:
        """Return the person behind a payload.

        Raise Refused (``principal.missing``) if it identifies nobody.
        """
        return self.context.installation.resolve_principal(parse_principal(payload))

    def create_caller(self, principal: Principal, interaction: str = "") -> Caller:
        """Return a caller that acts on a person's behalf without a request from them."""
        return Caller(self.context, principal, interaction)

    def limit_to(self, principal: Principal) -> Services:
        """Return these services with only the connections that a person's Slack workspace may use."""
        served = {
            name: provider
            for name, provider in self.connections.items()
            if provider.is_available_to(principal)
        }
        return self if len(served) == len(self.connections) else replace(self, connections=served)

    def title(self, connection: str) -> str:
        """Return a connection's title, or its name if the operator has removed the connection."""
        return self.context.title(connection)

    def titles(self, connections: Iterable[str]) -> kit.Markup:
        """Return the titles of connections, joined for use in a sentence."""
        return kit.Markup(
            join_names(sorted({kit.line(self.title(connection)) for connection in connections}))
        )

    def describe_not_set_up(self, connections: Iterable[str]) -> str:
        """Say how many items belong to connections that aren't set up in this process.

        ``connections`` contains the connection of each item. If all of them are set up, return "".
        """
        gone = Counter(name for name in connections if name not in self.context.connections)
        return " ".join(
            kit.fill(
                answers.ABSENT[self.context.find_absence(name)],
                count=Markup(str(gone[name])),
                title=self.title(name),
            )
            for name in sorted(gone)
        )

    def linked_by(self, method: LinkMethod) -> dict[str, str]:
        """Map connections that can be linked by ``method`` to their titles, sorted by title."""
        served = sorted(self.connections.items(), key=lambda one: natural_key(one[1].settings.title))
        return {
            name: provider.settings.title for name, provider in served if provider.has_link_method(method)
        }

    @property
    def link_pages(self) -> dict[str, str]:
        """Map connections to their permanent link pages.

        Without *Sign in with Slack*, there are no such pages.
        """
        prefix = self.context.link_page_prefix
        return {name: f"{prefix}{name}" for name in self.linked_by("token")} if prefix else {}

    def list_link_methods(self) -> list[tuple[str, str, bool]]:
        """Return the connections that can be linked, as (name, title, whether by token), sorted by title."""
        by_token, titles = self.linked_by("token"), self.linked_by("admin") | self.linked_by("token")
        found = [(name, title, name in by_token) for name, title in titles.items()]
        return sorted(found, key=lambda one: natural_key(one[1]))

    def make_link_buttons(
        self, connections: Collection[str], waiting: str = "", template: str = cards.LINK
    ) -> list[kit.Element]:
        """Return a *Link* button for each of these connections, in the order of the Home tab.

        ``waiting`` is the command to run once one of them is linked, and ``template`` is the label.
        """
        methods = [method for method in self.list_link_methods() if method[0] in connections]
        return replies.link_buttons(methods, self.link_pages, waiting, template)

    @property
    def slash_prefixes(self) -> Prefixes:
        """Return the slash commands, each followed by a space."""
        return Prefixes(f"{self.context.command} ", f"{self.context.job_command} ")


def build_services(context: Context, limiter: RateLimiter) -> Services:
    """Assemble the services. ``limiter`` is the rate limit for people's requests."""
    return Services(
        context=context,
        store=context.store,
        gatherer=Gatherer(context),
        greeted=GreetedPeople(context),
        connections=context.connections,
        clock=context.clock,
        ids=context.ids,
        commands={context.command: "workspace", context.job_command: "job"},
        limiter=limiter,
        search_limiter=SearchLimiter(context.clock.monotonic),
        outcome_pool=Pool(MAX_PENDING_OUTCOMES, lambda: None),
    )


#: Maximum number of users waiting to be told how a slow commit ended.
MAX_PENDING_OUTCOMES: Final = 1000
