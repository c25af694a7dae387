"""The contract of a provider: a stateless translator between our vocabulary and one API.

No store, no Slack, no sleeping, no retrying. One file (or package) in this folder adds a provider, which is
found by its class attribute ``kind``. It has a facet, an optional capability, by subclassing it; nothing
lists them.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from bot.domain.forms import Form, NameRule, Purpose, Spec, Values
from bot.domain.observations import Created, Event, Observed, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.runs import DiscoveredRun, ObservedRun, OutputChunk, Run
from bot.domain.snapshots import About
from bot.domain.stops import StopEffect, StopEffects, StopMode
from bot.domain.workspaces import Workspace
from bot.providers.access import Access, Identity
from bot.providers.answers import Listing, to_error
from bot.providers.connection import ConnectionSettings, LinkMethod, find_by_name, to_allowed_ide_url
from bot.providers.credentials import Credential, CredentialOwner
from bot.providers.requests import ApiClient, CredentialPlacement, SendWindow
from bot.support.errors import CredentialRefused, InvalidRequest, ProviderError
from bot.support.http import Http
from bot.support.responses import Response

#: The most seconds by which our clock and a provider's may differ.
MAX_CLOCK_SKEW_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of the calls to a provider, in seconds and numbers.

    Attributes:
        min_poll_interval: The least seconds between two reads of a workspace, whoever asks: the poll gate.
        pending_interval: Seconds between reads of a workspace that is starting or stopping.
        running_interval: Seconds between reads of one that runs and was used within a day.
        unused_interval: Seconds between reads of any other that was used.
        batch_size: The most workspaces in one call of ``status``.
        concurrency: The most calls at the same time.
    """

    min_poll_interval: float
    pending_interval: float
    running_interval: float = 300.0
    unused_interval: float = 1800.0
    batch_size: int = 1
    concurrency: int = 20


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
class ScheduledJob:
    """A job that is set up on a provider.

    Attributes:
        job_id: Its id on the provider.
        name: Its name there.
        cron: Its schedule, a cron expression of five fields; "" without one, None if unknown.
    """

    job_id: str
    name: str
    cron: str | None


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
            between reads.
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


class Schedules(Facet, Generic[Offer]):
    """Schedules of the jobs that are set up on the provider."""

    @abstractmethod
    async def schedule(self, access: Access, job_id: str, cron: str | None) -> None:
        """Schedule a job by a cron expression of five fields; None removes its schedule."""

    @abstractmethod
    def list_scheduled_jobs(self, offer: Offer) -> Sequence[ScheduledJob]:
        """Return the jobs that are set up there, from an offer; pure."""


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


#: Straight and typographic quotes, white space, and invisible characters that browsers copy along.
_CHARACTERS_AROUND_TOKENS = (
    " \t\r\n\v\f\u00a0\u200b\u2060\ufeff\"'`,;\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
)


#: What a token typed into Slack looks like, whichever provider made it: hexadecimal, random letters of both
#: cases and digits with a piece that no name has, or a JSON Web Token.
_TOKEN_PATTERN = re.compile(
    r"[0-9A-Fa-f]{32,512}"
    r"|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)(?=.*[0-9A-Za-z]{16})[0-9A-Za-z_+/-]{32,512}={0,2}"
    r"|eyJ[\w-]{8,2000}\.eyJ[\w-]{2,4000}\.[\w-]{8,2000}",
    re.ASCII,
)

Needed = TypeVar("Needed", bound=Facet)

#: Why there is no link to a running workspace.
URL_NOT_ALLOWED = "Its link leads to a host that this connection doesn't allow."


NO_SECRET = "this connection has no token of its own"  # noqa: S105 - a sentence


class Provider(ABC):
    """Translate for one connection. All methods raise kinds of ``bot.support.errors.ProviderError`` only.

    What the errors mean: CredentialRefused → the person links again; Forbidden → a permission is missing;
    NotFound → gone; UnknownOutcome → read before the next call; the rest of TemporaryError → later.

    Attributes:
        api_version: For which version of ``usher.provider`` it is written; one from outside has to say so.
        kind: What a connection calls it as its ``provider``.
        title: What people call it, unless the connection has a title.
        settings_model: What a connection may set: a subclass of ``ConnectionSettings`` with a field for each
            key of your own.
        pace: How often and how much it may be asked.
        stop_modes: The ways of stopping that exist here at all; ``Observed.actions`` says what a workspace
            supports now.
        api_path: Where the API is below the base URL.
        credential_in: Where a request has its credential.
        message_pointer: Where the server's own words are in the body of an error, which people are told (a
            JSON Pointer).
        template_key: The key of a template's name in a spec, where operators prepare templates.
        name_rule: What Usher calls something new here: by it, names are proposed, made for classes, and
            marked.
        settings: The connection's settings, checked by ``settings_model``.
    """

    api_version: ClassVar[int] = -1
    kind: ClassVar[str]
    title: ClassVar[str]
    settings_model: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    pace: ClassVar[Pace]
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop"})
    api_path: ClassVar[str] = ""
    credential_in: ClassVar[CredentialPlacement] = CredentialPlacement()
    message_pointer: ClassVar[str] = "/message"
    template_key: ClassVar[str] = "template"
    name_rule: ClassVar[NameRule] = NameRule()
    settings: ConnectionSettings

    def __init__(self, settings: ConnectionSettings, http: Http) -> None:
        self.settings = settings
        #: Every word that somebody types is compared with them.
        self._secrets = frozenset(settings.secrets())
        #: The client without a credential, for what everybody may ask.
        root = settings.base_url + self.api_path
        self.api = ApiClient(http, root, self.credential_in, self.other_hosts, to_error=self.to_error)

    # -- what every provider has ---------------------------------------------------------------------------

    def to_error(self, response: Response, *, changes: bool) -> ProviderError:
        """Return the error that ``call`` raises for a response outside 2xx; pure.

        A provider whose API means something else by its status, headers or body says so here, and leaves
        everything else to this method. ``changes``: the request changes something.
        """
        return to_error(response, changes=changes, message_pointer=self.message_pointer)

    def gate_key(self, remote_id: str) -> str:
        """Return the poll gate's key: each workspace has one gate, whoever reads it."""
        return f"{self.settings.base_url}#{remote_id}"

    def to_workspace(self, remote_id: str, seen: Observed, principal: Principal) -> Workspace:
        """Return the row of a workspace as a read found it, where no store keeps one."""
        return Workspace(
            remote_id,
            principal,
            self.settings.name,
            remote_id,
            self.gate_key(remote_id),
            seen.name or remote_id,
            state=seen.state,
            detail=seen.detail,
            actions=seen.actions,
            survives_stop=seen.survives_stop,
        )

    def id_after_rename(self, remote_id: str, old_username: str, new_username: str) -> str:
        """Return a workspace's id by the new name of a person who was called ``old_username`` there; pure."""
        return remote_id

    @abstractmethod
    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read many states at once; a missing workspace is reported as ``gone``, never left out.

        What runs and can't be used yet says so with ``Observed.lacks``.
        """

    @abstractmethod
    async def start(self, access: Access, workspace: Workspace) -> str | None:
        """Ask for a start; return once it is accepted. One that is already running counts as success.

        Return the server's words if it refused because of that, which a read then has to confirm. The row,
        here and below, was just read through the gate: nothing reads beside it.
        """

    @abstractmethod
    async def stop(self, access: Access, workspace: Workspace, mode: StopMode = "stop") -> str | None:
        """Ask for a stop; return once it is accepted. One that is already stopped counts as success.

        Return as ``start``.

        A mode that is not in ``stop_modes`` raises InvalidRequest.
        """

    @abstractmethod
    async def check_credential(self, credential: Credential) -> Identity:
        """Find out whose account this opens; raise CredentialRefused if it opens none.

        A server that names no owner must refuse another credential: otherwise it isn't known what answers.
        """

    @abstractmethod
    def page_url(self, remote_id: str) -> str:
        """Return the address of the workspace's page on the provider.

        Empty if people have no such page.
        """

    def clean_token(self, text: str) -> str:
        """Return a pasted token without the quotes and white space that copying adds."""
        return text.strip(_CHARACTERS_AROUND_TOKENS)

    def is_available_to(self, principal: Principal) -> bool:
        """Return whether a person's Slack workspace or organisation may use the connection."""
        workspaces = self.settings.workspaces
        return workspaces is None or principal.team_id in workspaces

    def looks_like_token(self, text: str) -> bool:
        """Return whether a word may be a whole token; ids may look the same."""
        return _TOKEN_PATTERN.fullmatch(text) is not None or text in self._secrets

    @abstractmethod
    async def probe(self) -> str:
        """Read the server's name, and its version if it tells, without a credential, for ``doctor``."""

    async def read_warning(self) -> str:
        """Return a warning about a working server, for ``doctor``; "" without one."""
        return ""

    def credential_owner(self, access: Access, call: str) -> CredentialOwner:
        """Return the owner of the secret to which a call (``read``, ``start``, ``create`` …) is bound."""
        return access.credential.owner

    def bind_access(self, access: Access, call: str) -> Access:
        """Return the access that a call is made with; raise CredentialRefused if its secret isn't there."""
        is_theirs = self.credential_owner(access, call) == "person"
        api = self.api.acting_as(access.credential) if is_theirs else self.connection_api(access.credential)
        return Access(access.username, access.credential, api)

    def connection_api(self, on_behalf_of: Credential | None = None) -> ApiClient:
        """Return the client with the connection's own secret; raise CredentialRefused if it has none."""
        secret = self.settings.own_secret
        if secret is None:
            raise CredentialRefused(NO_SECRET)
        return self.api.acting_as(Credential(secret, on_behalf_of=on_behalf_of))

    def other_hosts(self) -> Mapping[str, bool]:
        """Return the patterns of other hosts that are called, and whether the credential goes there; pure."""
        return {}

    def can_reach_all_workspaces(self, access: Access) -> bool:
        """Return whether calls can reach everybody's workspaces: then only known ones are touched."""
        return False

    def is_withheld(self, spec: Spec, principal: Principal) -> bool:
        """Return whether an earlier spec names a template that is by now reserved for other people; pure."""
        template = find_by_name(self.settings.prepared, spec.text(self.template_key))
        return template is not None and not template.is_for(principal)

    def parse_reference(self, text: str) -> str | None:
        """Return the remote id in a pasted link or id, or None if this connection doesn't recognise it."""
        return None

    def parse_job_reference(self, text: str) -> str | None:
        """Return the id of a job in a pasted link or id, or None if this connection doesn't recognise it."""
        return None

    # -- helpers -------------------------------------------------------------------------------------------

    @classmethod
    @cache
    def facets(cls) -> frozenset[str]:
        """Return the names of this provider's facets in lower case, for messages."""
        own = (one for one in cls.__mro__ if issubclass(one, Facet) and one.__module__ == __name__)
        return frozenset(one.__name__.lower() for one in own if one is not Facet)

    def require_facet(self, facet: type[Needed]) -> Needed:
        """Return this provider as one with a facet; raises InvalidRequest if it lacks that."""
        provider: object = self
        if not isinstance(provider, facet):
            raise InvalidRequest(f"You can't do that on {self.settings.title}.")
        return provider

    @property
    def oauth(self) -> OAuthClient | None:
        """Return the client of the sign-in there; None without sign-in."""
        provider: object = self
        return provider.client if isinstance(provider, SignIn) else None

    def has_link_method(self, method: LinkMethod) -> bool:
        """Return whether people can link in this way."""
        return method in self.settings.linking

    @property
    def has_lists(self) -> bool:
        """Return whether a person's workspaces can be listed: not if one secret opens everybody's."""
        return isinstance(self, Lists) and not self.has_link_method("none")

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        """Return the effect of each way of stopping a workspace, as it was last read; pure.

        Everything that stops or restarts a workspace, or asks before doing so, relies on this. For a
        running workspace without actions, it says what is known of the provider in general.
        """
        return {
            mode: StopEffect.KEEPS if mode == "suspend" else StopEffect.RETURNS for mode in self.stop_modes
        }

    def retention_seconds(self) -> tuple[float, float]:
        """Return the seconds until a stopped workspace is removed, and any since its creation.

        Infinite, as here, if that never happens.
        """
        return math.inf, math.inf

    def require_stop_mode(self, mode: StopMode) -> None:
        """Raise InvalidRequest for a way of stopping that this provider doesn't have."""
        if mode not in self.stop_modes:
            raise InvalidRequest(
                f"You can't {mode} workspaces on {self.settings.title}. Stop it there instead."
            )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the host patterns that IDE URLs may have; ``*.X`` covers every host below X.

        The operator's own are ``settings.ide_hosts``: add yours to them.
        """
        return self.settings.ide_hosts

    def allowed_url(self, url: str | None) -> str | None:
        """Return an IDE URL in its safe form if this connection allows its host, otherwise None."""
        return to_allowed_ide_url(url, self.settings.base_url, self.ide_hosts())

    def describe(self) -> Mapping[str, Any]:
        """Return the facts about the connection for ``doctor``, without secrets."""
        return {"provider": self.kind, "base_url": self.settings.base_url, "linking": self.settings.linking}


def describe_unknown_state(word: str) -> str:
    """Describe a state that isn't in the provider's documents, or can't be read."""
    return f"unknown state {word[:40]!r}" if word else "its state can't be read"
