"""Facets: base classes for optional capabilities of providers, and the types that their methods return.

A provider has a facet if it inherits from the facet's class. Every provider has the methods of
``bot.providers.base.Provider``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from bot.domain.forms import Form, Purpose, Spec, Values
from bot.domain.observations import Created, Event, Observed, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.runs import DiscoveredRun, ObservedRun, OutputChunk, Run
from bot.domain.snapshots import About, Allowance
from bot.domain.workspaces import Workspace
from bot.providers.access import Access, Identity, RemoteAccount
from bot.providers.answers import Listing
from bot.providers.credentials import Credential
from bot.providers.requests import SendWindow


@dataclass(frozen=True, slots=True)
class DiscoveredWorkspace:
    """One workspace in a user's list.

    Attributes:
        remote_id: The workspace's id on the provider.
        name: The workspace's name on the provider, cleaned; "" if it couldn't be read.
        observed: The workspace's state according to the list.
    """

    remote_id: str
    name: str
    observed: Observed


@dataclass(frozen=True, slots=True)
class TokenHelp:
    """Instructions for getting a token, for the link page.

    Attributes:
        url: The page where users get a token, or "" if they can't get one themselves.
        steps: Instructions for that page, one sentence per step. They are also shown if a token lacks a
            permission.
        pattern: A regular expression for whole tokens. A token that doesn't match is still tried; the pattern
            only decides which hint is shown if the provider refuses it.
    """

    url: str
    steps: Sequence[str]
    pattern: str


@dataclass(frozen=True, slots=True)
class Embedding:
    """The resources that Usher's own page loads to show an IDE.

    Attributes:
        sdk_host: The host of scripts, frames and sockets, including the port if it isn't the default.
        is_https: Whether the resources are loaded over https; False only on loopback.
        endpoint: The origin of the IDEs themselves.
        hosts: Other hosts from which the operator lets the page load resources; ``*.X`` stands for any host
            below X.
        has_inline_styles: Whether the vendor's script may write styles into the page.
    """

    sdk_host: str
    is_https: bool
    endpoint: str
    hosts: tuple[str, ...] = ()
    has_inline_styles: bool = False

    @property
    def script(self) -> str:
        """Return the URL of the vendor's script."""
        return f"http{'s' if self.is_https else ''}://{self.sdk_host}/static/sdk/sdk.min.js"

    def allows(self, host: str) -> bool:
        """Return whether the page may load resources from a host."""
        known = (self.sdk_host, self.endpoint.partition("://")[2], *self.hosts)
        return any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in known)


#: The choices that a provider offers to an account. Each provider defines its own type.
Offer = TypeVar("Offer")


class Facet(ABC):  # noqa: B024 - facets have no method in common
    """The base class of all facets, which are optional parts of a provider."""


class Lists(Facet):
    """Listing a user's workspaces."""

    @abstractmethod
    async def discover(self, access: Access) -> Listing[DiscoveredWorkspace]:
        """List the user's workspaces; raise NotFound if the server has no lists.

        If an entry has an id but can't be read otherwise, return it with the state ``unknown``. If an entry
        has no id, mark the list as incomplete. If no entry can be read, raise BadAnswer.
        """


class Reasons(Facet):
    """Explaining why a start is taking long or has failed."""

    @abstractmethod
    async def read_reason(self, access: Access, remote_id: str, window: SendWindow | None = None) -> str:
        """Read why a workspace is waiting or has failed; return "" if the server gives no reason.

        For the workspace's poll gate, this counts as a status read.
        """


class PageChecks(Facet):
    """Checking that a started workspace's page responds. Providers may report *running* too early."""

    @abstractmethod
    async def check_page(self, access: Access, remote_id: str, seen: Observed) -> Observed:
        """Return ``seen``, marked as lacking its ``page`` unless the page responds.

        Usher calls this after each read until the page responds or Usher has waited long enough. It doesn't
        call this again while the workspace is running, because the request may count as activity.
        """


class Removal(Facet):
    """Permanently removing workspaces."""

    @abstractmethod
    async def remove(self, access: Access, workspace: Workspace) -> str | None:
        """Delete a workspace irreversibly. The return value means the same as for ``Provider.stop``."""


class Extension(Facet):
    """Extending the time for which a workspace runs before the provider stops it."""

    @abstractmethod
    async def extend(self, access: Access, workspace: Workspace, until: float) -> float:
        """Extend a running workspace to ``until``, or as far as allowed; return its new end time."""


class Revocation(Facet):
    """Revoking credentials."""

    @abstractmethod
    def can_revoke(self, credential: Credential) -> bool:
        """Return whether Usher may revoke a credential. It must not revoke one that the user created."""

    @abstractmethod
    async def revoke(self, access: Access) -> None:
        """Delete the credential at the provider; raise an error unless the provider confirms the deletion."""


class Minting(Facet):
    """Issuing new credentials for Usher before the current ones expire."""

    @abstractmethod
    def can_mint(self, credential: Credential) -> bool:
        """Return whether Usher issued the credential and chose when it expires."""

    @abstractmethod
    async def mint(self, access: Access) -> Credential:
        """Use the current credential, which must be valid and stays valid, to create a new one."""


class Renewal(Facet):
    """Renewing credentials that have expired."""

    @abstractmethod
    async def refresh(self, access: Access) -> Credential:
        """Exchange an expired credential for a new one; raise CredentialRefused if the provider refuses."""


class Tokens(Facet):
    """Linking with a token that users paste on the link page."""

    @abstractmethod
    def token_help(self) -> TokenHelp:
        """Return instructions for getting a token, for the link page."""


class OAuthClient(ABC):
    """An OAuth 2 client registered with a provider (authorization code, PKCE with S256)."""

    @abstractmethod
    def authorization_url(self, redirect_uri: str, state: str, challenge: str) -> str:
        """Return the URL of the provider's page that sends users to ``redirect_uri`` with a code."""

    @abstractmethod
    async def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> Identity:
        """Exchange a code for the user's identity and a credential for Usher.

        The credential outlasts the user's session at the provider. Raises CredentialRefused if the code is
        refused, Forbidden if Usher isn't allowed to create such a credential, and Untrusted if the provider
        doesn't accept Usher as a client.
        """

    @abstractmethod
    async def is_accepted(self) -> bool:
        """Return whether the provider accepts the client id and secret."""


class SignIn(Facet):
    """Linking by signing in at the provider."""

    @property
    @abstractmethod
    def client(self) -> OAuthClient | None:
        """Return the client registered with the provider, or None if users have to paste tokens instead."""

    @abstractmethod
    def describe_registration(self, redirect_uri: str) -> str:
        """Return the changes needed at the provider and in the connection's settings, for ``doctor``."""


class Forms(Facet, Generic[Offer]):
    """Forms for creations and runs: the offer, the form built from it, and the spec of a completed form.

    Attributes:
        offer_model: The type that ``read_offer`` returns: a dataclass or pydantic model, stored as JSON
            between reads. If it has a field ``names``, a tuple, that field contains the names already in use.
    """

    offer_model: ClassVar[type[Any]]

    @abstractmethod
    async def read_offer(self, access: Access) -> Offer:
        """Read what the server offers this account, such as its templates, and the names already in use.

        Usher reads the offer when a user opens the form, unless the last one is less than five minutes old.
        """

    @abstractmethod
    def form(self, offer: Offer, purpose: Purpose, values: Values, principal: Principal) -> Form:
        """Return the form for an offer and the values filled in so far.

        Drop values that are no longer offered, and templates that the ``principal`` may not use.
        """

    @abstractmethod
    def spec(self, offer: Offer, purpose: Purpose, values: Values, principal: Principal) -> Spec:
        """Return the spec of a completed form, for ``create`` or ``launch_run``.

        Raises FormProblems with a sentence for each invalid field.
        """

    def update_spec(self, offer: Offer, spec: Spec) -> Spec:
        """Return an earlier spec with the offer's current price, if the offer has prices."""
        return spec

    def add_names(self, offer: Offer, names: Collection[str]) -> Offer:
        """Return the offer, counting the names of workspaces on Usher's list as in use."""
        known: Any = offer
        if not isinstance(getattr(known, "names", None), tuple):
            return offer
        changed = {"names": tuple(dict.fromkeys((*known.names, *sorted(names))))}
        copy: Offer = (
            known.model_copy(update=changed) if hasattr(known, "model_copy") else replace(known, **changed)
        )
        return copy


class Creation(Forms[Offer]):
    """Creating workspaces."""

    @abstractmethod
    async def create(self, access: Access, spec: Spec, key: str) -> Created:
        """Create a workspace; return once the provider has accepted the request.

        All attempts at the same creation have the same ``key``. If the outcome of an attempt is unknown,
        Usher calls ``find_created`` before the next attempt.
        """

    def can_create_stopped(self, spec: Spec) -> bool:
        """Return whether ``create_stopped`` can create a workspace without starting it."""
        return False

    async def create_stopped(self, access: Access, spec: Spec, key: str) -> Created:
        """Create a workspace as ``create`` does, but without starting it."""
        return await self.create(access, spec, key)

    @abstractmethod
    async def list_names(self, access: Access, stem: str) -> Collection[str] | None:
        """Return the names in use that begin with ``stem``, or at least those of the user's own workspaces.

        Return None if the server can't tell the user's own workspaces from other people's. Usher then adds a
        unique suffix to each new name.
        """

    async def is_name_in_use(self, access: Access, spec: Spec) -> bool:
        """Return whether the new name is already in use. Usher asks just before the first ``create``.

        Override this if ``create`` returns an existing workspace that has the name. Otherwise,
        ``find_created`` might later take that workspace for the new one.
        """
        return False

    @abstractmethod
    async def find_created(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        """Search for a workspace that an earlier ``create`` with an unknown outcome may have created.

        The call was sent at ``since``. Raises OutcomeNotReported if the server can't tell. If a list gives
        too few details about a workspace, return the workspace as a candidate without ``has_details``.
        """

    async def read_creation_time(self, access: Access, remote_id: str) -> float | None:
        """Read when a candidate was created, in epoch seconds; None if ``create`` can't have created it."""
        return None


class Runs(Forms[Offer]):
    """Running jobs: launches, states and output.

    Attributes:
        runs_named_jobs: Whether users run jobs that are already set up at the provider, just by naming them.
    """

    runs_named_jobs: ClassVar[bool] = False

    @classmethod
    def can_run_commands(cls) -> bool:
        """Return whether users can run their own commands."""
        return not cls.runs_named_jobs

    @abstractmethod
    async def launch_run(self, access: Access, spec: Spec, key: str) -> Created:
        """Launch a run. This works like ``Creation.create``."""

    @abstractmethod
    async def find_run(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        """Search for a run that a launch with an unknown outcome may have started.

        This works like ``Creation.find_created``.
        """

    @abstractmethod
    async def list_runs(self, access: Access) -> Listing[DiscoveredRun]:
        """List the runs that the server still knows about, newest first. Works like ``Lists.discover``."""

    @abstractmethod
    async def run_status(self, access: Access, remote_ids: Sequence[str]) -> Mapping[str, ObservedRun]:
        """Read the states of several runs in one call; omit any run that the server no longer knows about.

        If some of the server's runs can't be read, report each missing run as ``unknown``.
        """

    @abstractmethod
    async def stop_run(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Ask the provider to stop a run. It isn't an error if the run has already ended."""

    @abstractmethod
    def run_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Yield a run's output from the beginning; raise TemporaryError if the stream breaks off.

        The stream may end before the run does. Only the run's status shows whether the run has ended.
        """

    def run_page_url(self, job: Run) -> str:
        """Return the URL of a run's page on the provider, or "" if users have no such page."""
        return ""


class Impersonation(Facet):
    """Acting for users, who are identified by username, with the connection's own secret."""

    @abstractmethod
    async def check_username(self, username: str) -> Identity:
        """Check that the connection's own secret may act for a user, and return the user's identity.

        Raises NotFound if there is no such user, and Forbidden if the user is inactive or the secret isn't
        allowed to act for the user.
        """

    async def is_secret_accepted(self) -> bool | None:
        """Return whether the server accepts the connection's own secret; None if the connection has none."""
        return None


class EmailLookup(Facet):
    """Reading users' e-mail addresses, using the connection's own secret."""

    @abstractmethod
    async def read_email(self, username: str) -> str | None:
        """Return a user's e-mail address on the provider, or None if the server doesn't give it."""

    async def find_user(self, username: str) -> RemoteAccount:
        """Return the user with this name, with the id and e-mail address if the server gives them."""
        return RemoteAccount("", username, await self.read_email(username))


class Overview(Facet):
    """Reading facts about the server and its users, using the connection's own secret."""

    def has_overview(self) -> bool:
        """Return whether the connection has the secret needed for an overview."""
        return True

    @abstractmethod
    async def read_overview(self) -> About:
        """Read facts about the server and its users."""


class Allowances(Facet):
    """Reading how much of a usage limit, such as credits or hours, a user has left."""

    @abstractmethod
    async def read_allowances(self, access: Access) -> Sequence[Allowance]:
        """Read how much the user has left; empty if there are no limits, or none that the user may see."""


class EmbeddedPage(Facet):
    """Opening workspaces in one of Usher's own pages, which only the workspace's owner sees.

    ``Observed.url`` stays empty, and ``Observed.entry`` is the secret that the page needs.
    """

    @abstractmethod
    def embedding(self) -> Embedding:
        """Return the resources that Usher's page loads to show an IDE."""


class Events(Facet):
    """Receiving events about workspaces from the provider."""

    @abstractmethod
    def parse_events(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Verify the signature of a provider's webhook request and return its events.

        Raises CredentialRefused for a wrong signature, before parsing any of the body, and BadAnswer if the
        body can't be read.
        """
