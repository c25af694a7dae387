"""The contract of a provider: a stateless translator between our vocabulary and one API.

No store, no Slack, no sleeping, no retrying. One file (or package) in this folder adds a provider, which is
found by its class attribute ``kind``. Optional capabilities are facets (``bot.providers.facets``).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, TypeVar

from bot.domain.models import Effects, Observed, Principal, Spec, StopEffect, StopMode, Workspace
from bot.providers.connection import ConnectionSettings, Linking
from bot.providers.contract import (
    CLOCK_SKEW,
    Access,
    Acts,
    Credential,
    Discovered,
    Embedding,
    Identity,
    Listing,
    Pace,
    Scheduled,
    SendWindow,
    TokenHelp,
)
from bot.providers.facets import Facet, Lists, OAuthClient, SignIn
from bot.providers.hosts import allowed_ide_url
from bot.support.errors import InvalidRequest
from bot.support.http import Http

__all__ = [
    "CLOCK_SKEW",
    "URL_NOT_ALLOWED",
    "Access",
    "Acts",
    "ConnectionSettings",
    "Credential",
    "Discovered",
    "Embedding",
    "Identity",
    "Linking",
    "Listing",
    "Pace",
    "Provider",
    "Scheduled",
    "SendWindow",
    "TokenHelp",
    "unknown_word",
]

#: Straight and typographic quotes, white space, and invisible characters that browsers copy along.
_AROUND_TOKENS = " \t\r\n\v\f\u00a0\u200b\u2060\ufeff\"'`,;\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"


Needed = TypeVar("Needed", bound=Facet)

#: Why there is no link to a running workspace.
URL_NOT_ALLOWED = "Its link leads to a host that this connection doesn't allow."


class Provider(ABC):
    """Translate for one connection. All methods raise kinds of ``bot.support.errors.ProviderError`` only.

    What the errors mean: CredentialRefused → the person links again; Forbidden → a permission is missing;
    NotFound → gone; UnknownOutcome → read before the next call; the rest of TemporaryError → later.
    """

    kind: ClassVar[str]
    settings_model: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    pace: ClassVar[Pace]
    #: The ways of stopping that exist here at all; ``Observed.actions`` says what a workspace supports now.
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop"})
    #: What its tokens look like, so that misplaced ones are recognised; None if nothing identifies them.
    token_shape: ClassVar[re.Pattern[str] | None] = None

    #: Those of ``settings_model``, by which the connections file was checked.
    settings: ConnectionSettings

    def __init__(self, settings: ConnectionSettings, http: Http) -> None:
        self.settings = settings
        self.http = http

    # -- what every provider has ---------------------------------------------------------------------------

    def gate_key(self, remote_id: str) -> str:
        """Return the poll gate's key: each workspace has one gate, whoever reads it."""
        return f"{self.settings.base_url}#{remote_id}"

    def renamed(self, remote_id: str, former: str, username: str) -> str:  # noqa: ARG002 - ids with no names
        """Return a workspace's id by the new name of a person who was called ``former`` there; pure."""
        return remote_id

    @abstractmethod
    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read many states at once; a missing workspace is reported as ``gone``, never left out.

        ``ready`` is reported only if the IDE answers, where the provider allows probing it.
        """

    @abstractmethod
    async def start(self, access: Access, remote_id: str) -> None:
        """Ask for a start; return once it is accepted. One that is already running counts as success."""

    @abstractmethod
    async def stop(self, access: Access, remote_id: str, mode: StopMode = "stop") -> None:
        """Ask for a stop; return once it is accepted. One that is already stopped counts as success.

        A mode that is not in ``stop_modes`` raises InvalidRequest.
        """

    @abstractmethod
    async def check(self, credential: Credential) -> Identity:
        """Find out whose account this opens; raise CredentialRefused if it opens none."""

    async def who_am_i(self, access: Access) -> None:
        """Make the cheapest request that requires a valid credential; raise CredentialRefused if it isn't."""
        await self.check(access.credential)

    @abstractmethod
    def page_url(self, remote_id: str) -> str:
        """Return the address of the workspace's page on the provider, for "see what happened there".

        Empty if people have no such page.
        """

    def clean_token(self, text: str) -> str:
        """Return a pasted token without the quotes and white space that copying adds."""
        return text.strip(_AROUND_TOKENS)

    def looks_like_token(self, text: str) -> bool:
        """Return whether a word may be a whole token of this provider; ids may look the same."""
        shape = self.token_shape
        return (shape is not None and shape.fullmatch(text) is not None) or text in self.settings.secrets()

    @abstractmethod
    async def probe(self) -> str:
        """Ask the server, without anybody's credential, what it is; return a short text for ``doctor``."""

    async def remark(self) -> str:
        """Return what an operator should know about a working server, for ``doctor``; "" for nothing."""
        return ""

    def acts(self, access: Access, call: str) -> Acts:  # noqa: ARG002 - the same for all, unless it is told
        """Return whose secret a call (``start``, ``stop``, ``create`` …) uses, for the audit."""
        return access.credential.acts

    def needs_record(self, access: Access) -> bool:  # noqa: ARG002 - servers look after that themselves
        """Return whether calls can reach everybody's workspaces: then only known ones are touched."""
        return False

    def withholds(self, spec: Spec, asker: Principal) -> bool:  # noqa: ARG002 - as ``acts``
        """Return whether an earlier spec names something that is by now reserved for other people; pure."""
        return False

    def parse_reference(self, text: str) -> str | None:  # noqa: ARG002 - overridden where there are links
        """Return the remote id in a pasted link or id, or None if this connection doesn't recognise it."""
        return None

    def job_reference(self, text: str) -> str | None:  # noqa: ARG002 - overridden where there are links
        """Return the id of a job in a pasted link or id, or None if this connection doesn't recognise it."""
        return None

    # -- helpers -------------------------------------------------------------------------------------------

    @classmethod
    @cache
    def facets(cls) -> frozenset[str]:
        """Return the names of this provider's facets, for what is drawn."""
        own = (one for one in cls.__mro__ if one.__module__ == Facet.__module__ and one is not Facet)
        return frozenset(one.__name__.lower() for one in own)

    def need(self, facet: type[Needed]) -> Needed:
        """Return this provider as one with a facet; raises InvalidRequest if it lacks that."""
        provider: object = self
        if not isinstance(provider, facet):
            raise InvalidRequest(f"You can't do that on {self.settings.title}.")
        return provider

    @property
    def oauth(self) -> OAuthClient | None:
        """Return the client with which people sign in there, None where they can't."""
        provider: object = self
        return provider.client if isinstance(provider, SignIn) else None

    def links_by(self, way: Linking) -> bool:
        """Return whether people can link in this way."""
        return way in self.settings.linking

    @property
    def has_lists(self) -> bool:
        """Return whether a person's workspaces can be listed: not if one secret opens everybody's."""
        return isinstance(self, Lists) and not self.links_by("none")

    def stops(self, workspace: Workspace) -> Effects:  # noqa: ARG002 - the same for all, unless it is told
        """Return what each way of stopping means for a workspace as it was last read; pure.

        Everything that stops or restarts a workspace, or asks before doing so, relies on this. For a
        running workspace without actions, it says what is known of the provider in general.
        """
        return {
            mode: StopEffect.KEEPS if mode == "suspend" else StopEffect.RETURNS for mode in self.stop_modes
        }

    def need_mode(self, mode: StopMode) -> None:
        """Raise InvalidRequest for a way of stopping that this provider doesn't have."""
        if mode not in self.stop_modes:
            raise InvalidRequest(
                f"You can't {mode} workspaces on {self.settings.title}. Stop it there instead."
            )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the host patterns that IDE URLs may have; ``*.X`` covers every host below X."""
        return self.settings.ide_hosts

    def allowed_url(self, url: str | None) -> str | None:
        """Return an IDE URL in its safe form if this connection allows its host, otherwise None."""
        return allowed_ide_url(url, self.settings.base_url, self.ide_hosts())

    def describe(self) -> Mapping[str, Any]:
        """Return what ``doctor`` shows about the connection: no secrets."""
        return {"provider": self.kind, "base_url": self.settings.base_url, "linking": self.settings.linking}


def unknown_word(word: str) -> str:
    """Log a state that the provider's documents don't name; the last known state is kept."""
    return f"unknown state {word[:40]!r}"
