"""Facets of providers: each a base class of what only some providers can do, with the values that it returns.

A provider has a facet by inheriting from it; ``bot.providers.base.Provider`` is what all have.
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
from bot.domain.snapshots import About
from bot.domain.workspaces import Workspace
from bot.providers.access import Access, Identity, RemoteAccount
from bot.providers.answers import Listing
from bot.providers.credentials import Credential
from bot.providers.requests import SendWindow


@dataclass(frozen=True, slots=True)
class DiscoveredWorkspace:
    """One workspace in a person's list.

    Attributes:
        remote_id: Its id on the provider.
        name: Its name there, cleaned; "" if it couldn't be read.
        observed: What the list says of it.
    """

    remote_id: str
    name: str
    observed: Observed


@dataclass(frozen=True, slots=True)
class TokenHelp:
    """Instructions for getting a token, for the link page.

    Attributes:
        url: The page on which people get a token; "" where they can't get one by themselves.
        steps: What to do there, a sentence each; also read by somebody whose token lacks a permission.
        pattern: A regular expression of whole tokens. It refuses nothing: it words the hint after the
            provider has refused one.
    """

    url: str
    steps: Sequence[str]
    pattern: str


@dataclass(frozen=True, slots=True)
class Embedding:
    """The resources that Usher's own page loads to show an IDE.

    Attributes:
        sdk_host: The host, with its port if it is unusual, of scripts, frames and sockets.
        is_https: Whether they come by https; False on loopback only.
        endpoint: The origin of the IDEs themselves.
        hosts: Other hosts that the operator lets the page load from; ``*.X`` for any below X.
        has_inline_styles: Whether the vendor's script may write styles into the page.
    """

    sdk_host: str
    is_https: bool
    endpoint: str
    hosts: tuple[str, ...] = ()
    has_inline_styles: bool = False

    @property
    def script(self) -> str:
        """Return the address of the vendor's script."""
        return f"http{'s' if self.is_https else ''}://{self.sdk_host}/static/sdk/sdk.min.js"

    def allows(self, host: str) -> bool:
        """Return whether the page may load from a host."""
        known = (self.sdk_host, self.endpoint.partition("://")[2], *self.hosts)
        return any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in known)


#: A provider's offer, in its own type.
Offer = TypeVar("Offer")


class Facet(ABC):  # noqa: B024 - what its kinds have in common is that they are sides of a provider
    """Base of all facets."""


class Lists(Facet):
    """Lists of a person's workspaces."""

    @abstractmethod
    async def discover(self, access: Access) -> Listing[DiscoveredWorkspace]:
        """List the person's workspaces; raise NotFound if the server has no lists.

        An entry that can't be read completely keeps what can be read: its id is enough, its state is then
        ``unknown``. If even the id is missing, the list is not whole, and nothing follows from what it
        lacks. A list in which nothing can be read raises BadAnswer.
        """


class Reasons(Facet):
    """Reasons for a start that takes long or has failed, beyond the state."""

    @abstractmethod
    async def read_reason(self, access: Access, remote_id: str, window: SendWindow | None = None) -> str:
        """Read the reason for a wait or a failure; "" if the server doesn't say.

        It passes the workspace's gate in the place of a read of its state.
        """


class PageChecks(Facet):
    """Check the page of a workspace that has just come up, as the provider's *running* may come earlier."""

    @abstractmethod
    async def check_page(self, access: Access, remote_id: str, seen: Observed) -> Observed:
        """Return the result of ``status``, lacking its ``page`` unless that answers.

        What can't be reached lacks it, too. It is asked after each read until it finds nothing lacking or the
        patience is over, and not again while the workspace runs: such a request may count as its use.
        """


class Removal(Facet):
    """Removal of workspaces, for good."""

    @abstractmethod
    async def remove(self, access: Access, workspace: Workspace) -> str | None:
        """Delete a workspace for good.

        Return as ``Provider.stop``.
        """


class Extension(Facet):
    """Later ends of workspaces that the provider stops by itself."""

    @abstractmethod
    async def extend(self, access: Access, workspace: Workspace, until: float) -> float:
        """Have a running workspace end at ``until``, or as late as it may; return the end that it has now."""


class Revocation(Facet):
    """Revocation of credentials."""

    @abstractmethod
    def can_revoke(self, credential: Credential) -> bool:
        """Return whether it is Usher's own to revoke, and not one that its person made."""

    @abstractmethod
    async def revoke(self, access: Access) -> None:
        """Have the provider delete the credential; raise unless it confirms that, or that there is none."""


class Minting(Facet):
    """Credentials that Usher makes itself, each before the former one ends."""

    @abstractmethod
    def can_mint(self, credential: Credential) -> bool:
        """Return whether Usher made it, and chose itself when it ends."""

    @abstractmethod
    async def mint(self, access: Access) -> Credential:
        """Make another one with one that is still valid, which stays so."""


class Renewal(Facet):
    """Renewal of credentials that expire."""

    @abstractmethod
    async def refresh(self, access: Access) -> Credential:
        """Exchange an expired credential for a new one; raise CredentialRefused if that can't be done."""


class Tokens(Facet):
    """Linking by a token that people paste on the link page."""

    @abstractmethod
    def token_help(self) -> TokenHelp:
        """Return instructions for getting a token, for the link page."""


class OAuthClient(ABC):
    """A client that is registered at a provider for OAuth 2 (authorization code, PKCE with S256)."""

    @abstractmethod
    def authorization_url(self, redirect_uri: str, state: str, challenge: str) -> str:
        """Return the provider's page that sends a person on to ``redirect_uri`` with a code; pure."""

    @abstractmethod
    async def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> Identity:
        """Exchange a code for whose account it is, with a credential of Usher's own.

        That outlasts the person's session there. Raises CredentialRefused if the code is refused, Forbidden
        if no such credential may be made, Untrusted if Usher isn't accepted as a client.
        """

    @abstractmethod
    async def is_accepted(self) -> bool:
        """Return whether the provider accepts the client id and secret."""


class SignIn(Facet):
    """Linking by a sign-in at the provider."""

    @property
    @abstractmethod
    def client(self) -> OAuthClient | None:
        """Return the client that is registered there; None without one: people paste tokens then."""

    @abstractmethod
    def describe_registration(self, redirect_uri: str) -> str:
        """Return the lines that an operator adds there and to the connection; for ``doctor``."""


class Forms(Facet, Generic[Offer]):
    """Forms for creations and runs: offer, form, spec.

    Attributes:
        offer_model: The type that ``read_offer`` returns: a dataclass or pydantic model, stored as JSON
            between reads. Its field ``names``, a tuple, holds the names in use, if there is one.
    """

    offer_model: ClassVar[type[Any]]

    @abstractmethod
    async def read_offer(self, access: Access) -> Offer:
        """Read the offer for this account: the templates, and the names in use.

        All choices of the form come from it. It is read when somebody asks for the form, and the last one is
        more than five minutes old.
        """

    @abstractmethod
    def form(self, offer: Offer, purpose: Purpose, values: Values, principal: Principal) -> Form:
        """Return the form for an offer and the values filled in so far; pure.

        Values that are no longer offered are dropped. Some templates are for the ``principal`` alone.
        """

    @abstractmethod
    def spec(self, offer: Offer, purpose: Purpose, values: Values, principal: Principal) -> Spec:
        """Return the spec of a filled form, for ``create`` or ``launch_run``; pure.

        Raises FormProblems with a sentence for each invalid field.
        """

    def add_names(self, offer: Offer, names: Collection[str]) -> Offer:
        """Return the offer with further names in use, those of the workspaces that Usher lists; pure."""
        known: Any = offer
        if not isinstance(getattr(known, "names", None), tuple):
            return offer
        changed = {"names": tuple(dict.fromkeys((*known.names, *sorted(names))))}
        copy: Offer = (
            known.model_copy(update=changed) if hasattr(known, "model_copy") else replace(known, **changed)
        )
        return copy


class Creation(Forms[Offer]):
    """Creation of workspaces."""

    @abstractmethod
    async def create(self, access: Access, spec: Spec, key: str) -> Created:
        """Create a workspace and return once it is accepted. ``key`` is ours: the same for each attempt.

        Called once: after an unknown outcome, ``find_created`` comes first.
        """

    def can_create_stopped(self, spec: Spec) -> bool:
        """Return whether a workspace can be created without being started, by ``create_stopped``; pure."""
        return False

    async def create_stopped(self, access: Access, spec: Spec, key: str) -> Created:
        """Create a workspace as ``create`` does, without starting it."""
        return await self.create(access, spec, key)

    @abstractmethod
    async def list_names(self, access: Access, stem: str) -> Collection[str] | None:
        """Return the names in use that begin with ``stem``, at least those of the person's own workspaces.

        None if the server can't tell the person's own from others': a new name then needs a mark.
        """

    async def is_name_in_use(self, access: Access, spec: Spec) -> bool:
        """Return whether there is something of the new name by now that ``create`` would answer with.

        Called just before the first ``create``, so that what ``find_created`` finds later is of that call.
        Where the server refuses a name in use, or always creates another, there is nothing to ask.
        """
        return False

    @abstractmethod
    async def find_created(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        """Search for the workspace of an earlier ``create`` of unknown outcome, sent at ``since``.

        Raises OutcomeNotReported if the server can't tell. A workspace that a list says too little about is a
        candidate with ``has_details`` False.
        """

    async def read_creation_time(self, access: Access, remote_id: str) -> float | None:
        """Read when a candidate was made (epoch seconds); None if ``create`` can't have made it."""
        return None


class Runs(Forms[Offer]):
    """Runs of jobs: launch, states, output.

    Attributes:
        runs_named_jobs: Whether runs are launched by naming a job that is set up there, so that nothing else
            has to be asked.
        variables_key: Where a spec has its variables, each as ``NAME=value``; "" for runs that take none.
    """

    runs_named_jobs: ClassVar[bool] = False
    variables_key: ClassVar[str] = ""

    @classmethod
    def can_run_commands(cls) -> bool:
        """Return whether a run may be a command that a person types."""
        return not cls.runs_named_jobs

    @abstractmethod
    async def launch_run(self, access: Access, spec: Spec, key: str) -> Created:
        """Launch a run; like ``create``."""

    @abstractmethod
    async def find_run(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        """Look for the run of an earlier launch of unknown outcome; like ``Creation.find_created``."""

    @abstractmethod
    async def list_runs(self, access: Access) -> Listing[DiscoveredRun]:
        """List the person's runs, newest first, as far as the server remembers them; like ``discover``."""

    @abstractmethod
    async def run_status(self, access: Access, remote_ids: Sequence[str]) -> Mapping[str, ObservedRun]:
        """Read many runs at once; a run that the server no longer knows is left out.

        A run that may be among what couldn't be read is ``unknown``.
        """

    @abstractmethod
    async def stop_run(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Ask for a run to be stopped; one that has already ended counts as success."""

    @abstractmethod
    def run_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Stream a run's output from its beginning until the server ends it; a cut raises TemporaryError.

        The end of the stream is not the end of the run, which only its status reveals.
        """

    def run_page_url(self, job: Run) -> str:
        """Return the address of the page that shows a run on the provider, like ``page_url``."""
        return ""


class Impersonation(Facet):
    """Calls for usernames with the connection's own secret."""

    @abstractmethod
    async def check_username(self, username: str) -> Identity:
        """Check with the connection's own secret that a username may be acted for; return its identity.

        Raises NotFound if there is no such user, Forbidden if they are inactive or may not be acted for.
        """

    async def is_secret_accepted(self) -> bool | None:
        """Return whether the server accepts the connection's own secret; None if none acts for people."""
        return None


class EmailLookup(Facet):
    """E-mail addresses of users, read with the connection's own secret."""

    @abstractmethod
    async def read_email(self, username: str) -> str | None:
        """Return the e-mail address that a user has there; None if the server doesn't say."""

    async def find_user(self, username: str) -> RemoteAccount:
        """Return the user of a name, with id and address as far as the server says them."""
        return RemoteAccount("", username, await self.read_email(username))


class Overview(Facet):
    """Facts about the server and its users, read with the connection's own secret."""

    def has_overview(self) -> bool:
        """Return whether the connection was given that secret."""
        return True

    @abstractmethod
    async def read_overview(self) -> About:
        """Read facts about the server and its users."""


class EmbeddedPage(Facet):
    """Open workspaces in our own page, which only their owner sees.

    ``Observed.url`` stays empty, and ``Observed.entry`` is what the page needs.
    """

    @abstractmethod
    def embedding(self) -> Embedding:
        """Return the resources of our page."""


class Events(Facet):
    """Events about workspaces, sent by the provider."""

    @abstractmethod
    def parse_events(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Read a webhook of the provider after verifying its signature; pure.

        Raises CredentialRefused before any of the body is parsed, BadAnswer if it can't be read.
        """
