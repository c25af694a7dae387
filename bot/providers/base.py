"""The contract of a provider: a stateless translator between our vocabulary and one API.

No store, no Slack, no sleeping, no retrying. One file (or package) in this folder adds a provider; it is
found by its class attribute ``kind``. What not every provider has is a facet (``bot.providers.facets``).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from bot.domain.models import Effects, Observed, StopEffect
from bot.providers.connection import ConnectionSettings, Linking
from bot.providers.contract import (
    CLOCK_SKEW,
    Discovered,
    Embedding,
    Listing,
    Pace,
    Scheduled,
    SendWindow,
    TokenHelp,
)
from bot.providers.credentials import Access, Acts, Credential, Identity
from bot.providers.facets import Facet, Lists
from bot.providers.hosts import allowed_ide_url
from bot.support.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import (
        Principal,
        Spec,
        StopMode,
        Workspace,
    )
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

#: Straight and typographic quotes, white space, and the invisible characters that browsers copy along.
_AROUND_TOKENS = " \t\r\n\v\f\u00a0\u200b\u2060\ufeff\"'`,;\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"


Needed = TypeVar("Needed", bound=Facet)

#: Why there is no link to a workspace that runs.
URL_NOT_ALLOWED = "its address is on a host that this connection does not allow"


class Provider(ABC):
    """Translate for one connection. Every method raises ``bot.support.errors.ProviderError`` kinds only.

    Which error means what: CredentialRefused → the person links again; Forbidden → the right is missing;
    NotFound → gone; UnknownOutcome → read before the next call; the rest of TemporaryError → later.
    """

    kind: ClassVar[str]
    settings_model: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    pace: ClassVar[Pace]
    #: How workspaces can be brought down here at all; what one of them can do now tells ``Observed.actions``.
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop"})
    #: What its tokens look like, so that one is known where it does not belong; None where nothing tells.
    token_shape: ClassVar[re.Pattern[str] | None] = None

    def __init__(self, settings: ConnectionSettings, http: Http) -> None:
        self.settings = settings
        self.http = http

    # -- what every provider has ---------------------------------------------------------------------------

    def gate_key(self, remote_id: str) -> str:
        """Return the poll gate's key: one workspace has one gate, whoever looks at it."""
        return f"{self.settings.base_url}#{remote_id}"

    @abstractmethod
    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read many states at once; one that is missing is answered as ``gone``, never left out.

        ``ready`` is claimed only when the IDE answers, where the provider lets that be probed.
        """

    @abstractmethod
    async def start(self, access: Access, remote_id: str) -> None:
        """Ask for a start; return once it is accepted. Running already is success."""

    @abstractmethod
    async def stop(self, access: Access, remote_id: str, mode: StopMode = "stop") -> None:
        """Ask for a stop; return once it is accepted. Stopped already is success.

        A mode that is not in ``stop_modes`` raises InvalidRequest.
        """

    @abstractmethod
    async def check(self, credential: Credential) -> Identity:
        """Find out whose account this opens; raise CredentialRefused when it opens none."""

    async def who_am_i(self, access: Access) -> None:
        """Ask the cheapest thing that takes a good credential; raise CredentialRefused for another one."""
        await self.check(access.credential)

    @abstractmethod
    def page_url(self, remote_id: str) -> str:
        """Return the address of the workspace's page at the provider, for "see what happened there".

        Empty where people have no such page.
        """

    def clean_token(self, text: str) -> str:
        """Return a pasted token without the quotes and white space that come with copying it."""
        return text.strip(_AROUND_TOKENS)

    def looks_like_token(self, text: str) -> bool:
        """Return whether a word may be a whole token of this provider; ids may look the same."""
        shape = self.token_shape
        return (shape is not None and shape.fullmatch(text) is not None) or text in self.settings.secrets()

    @abstractmethod
    async def probe(self) -> str:
        """Ask the server, without anybody's credential, what it is; return a short text for ``doctor``."""

    async def remark(self) -> str:
        """Return what an operator should know of a server that answers, for ``doctor``; "" for nothing."""
        return ""

    def acts(self, access: Access, call: str) -> Acts:  # noqa: ARG002 - the same for all, unless it is told
        """Say whose secret a call (``start``, ``stop``, ``create`` …) is made with; for the audit."""
        return access.credential.acts

    def needs_record(self, access: Access) -> bool:  # noqa: ARG002 - servers look after that themselves
        """Say whether an account's calls reach everybody's: then only what is known as theirs is touched."""
        return False

    def withholds(self, spec: Spec, asker: Principal) -> bool:  # noqa: ARG002 - as ``acts``
        """Return whether an earlier spec names something that is by now reserved for other people; pure."""
        return False

    def parse_reference(self, text: str) -> str | None:  # noqa: ARG002 - overridden where there are links
        """Return the remote id in a pasted link or id, or None when this connection does not know it."""
        return None

    def job_reference(self, text: str) -> str | None:  # noqa: ARG002 - overridden where there are links
        """Return the id of a job in a pasted link or id, or None when this connection does not know it."""
        return None

    # -- helpers -------------------------------------------------------------------------------------------

    @classmethod
    def facets(cls) -> frozenset[str]:
        """Return the names of what this provider has beyond the contract, for what is drawn."""
        own = (one for one in cls.__mro__ if one.__module__ == Facet.__module__ and one is not Facet)
        return frozenset(one.__name__.lower() for one in own)

    def need(self, facet: type[Needed]) -> Needed:
        """Return this provider as one that has a facet; raises InvalidRequest where it lacks that."""
        provider: object = self
        if not isinstance(provider, facet):
            raise InvalidRequest(f"{self.settings.title} has no {facet.__name__.lower()}")
        return provider

    def links_by(self, way: Linking) -> bool:
        """Return whether people come to act here in this way."""
        return way in self.settings.linking

    @property
    def has_lists(self) -> bool:
        """Return whether a person's workspaces can be listed: not where one secret opens everybody's."""
        return isinstance(self, Lists) and not self.links_by("none")

    def stops(self, workspace: Workspace) -> Effects:  # noqa: ARG002 - the same for all, unless it is told
        """Say what each way of stopping means for a workspace as it is known now; pure.

        Everything that stops or restarts a workspace, or asks before, goes by this. What is only known of
        the provider is said for a running workspace without actions.
        """
        return {
            mode: StopEffect.KEEPS if mode == "suspend" else StopEffect.RETURNS for mode in self.stop_modes
        }

    def need_mode(self, mode: StopMode) -> None:
        """Raise InvalidRequest for a way of stopping that this provider does not have."""
        if mode not in self.stop_modes:
            raise InvalidRequest(f"{self.settings.title} has no way to {mode} a workspace")

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the host patterns that an IDE URL may lie on; ``*.X`` covers every host below X."""
        return self.settings.ide_hosts

    def allowed_url(self, url: str | None) -> str | None:
        """Return an IDE URL in its safe form when this connection allows its host, otherwise None."""
        return allowed_ide_url(url, self.settings.base_url, self.ide_hosts())

    def describe(self) -> Mapping[str, Any]:
        """Return what ``doctor`` shows of the connection: no secrets."""
        return {"provider": self.kind, "base_url": self.settings.base_url, "linking": self.settings.linking}


def unknown_word(word: str) -> str:
    """Say that a provider told a state that its documents do not name; the last one is kept."""
    return f"unknown state {word[:40]!r}"
