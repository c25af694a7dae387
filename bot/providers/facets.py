"""Optional capabilities of providers: a provider has a facet by subclassing it; nothing lists them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from bot.domain.models import (
    About,
    Created,
    Event,
    Form,
    FoundRun,
    ObservedRun,
    OutputChunk,
    Principal,
    Purpose,
    Run,
    Spec,
    Traces,
    Values,
)
from bot.providers.contract import (
    Access,
    Credential,
    Discovered,
    Embedding,
    Identity,
    Listing,
    Scheduled,
    TokenHelp,
)

#: A provider's offer, in its own type.
Offer = TypeVar("Offer")


class Facet(ABC):  # noqa: B024 - what its kinds have in common is that they are sides of a provider
    """Base of all facets."""


class Lists(Facet):
    """List a person's workspaces."""

    @abstractmethod
    async def discover(self, access: Access) -> Listing[Discovered]:
        """List the person's workspaces; raise NotFound if the server has no lists.

        An entry that can't be read completely keeps what can be read: its id is enough, its state is then
        ``unknown``. If even the id is missing, the list is not whole, and nothing follows from what it
        lacks. A list in which nothing can be read raises BadAnswer.
        """


class Removal(Facet):
    """Delete workspaces for good."""

    @abstractmethod
    async def remove(self, access: Access, remote_id: str) -> None:
        """Delete a workspace for good."""


class Revocation(Facet):
    """Revoke credentials."""

    @abstractmethod
    async def revoke(self, access: Access) -> None:
        """Revoke the credential at the provider."""


class Renewal(Facet):
    """Renew credentials that expire."""

    @abstractmethod
    async def refresh(self, access: Access) -> Credential:
        """Exchange an expired credential for a new one; raise CredentialRefused if that can't be done."""


class Tokens(Facet):
    """Let people paste their own token on the link page."""

    @abstractmethod
    def token_help(self) -> TokenHelp:
        """Explain to a person how to get a token, for the link page."""


class OAuthClient(ABC):
    """Be registered at a provider for OAuth 2 (authorization code, PKCE with S256)."""

    @abstractmethod
    def page(self, back: str, state: str, challenge: str) -> str:
        """Return the provider's page to send a person to, which sends them ``back`` with a code. Pure."""

    @abstractmethod
    async def finish(self, code: str, verifier: str, back: str) -> Identity:
        """Exchange a code for whose account it is, with a credential of Usher's own.

        That outlasts the person's session there. Raises CredentialRefused if the code is refused, Forbidden
        if no such credential may be made, Untrusted if Usher isn't accepted as a client.
        """

    @abstractmethod
    async def is_known(self) -> bool:
        """Return whether the provider accepts the client id and secret."""


class SignIn(Facet):
    """Let people sign in at the provider, instead of pasting a token."""

    @property
    @abstractmethod
    def client(self) -> OAuthClient | None:
        """Return what the connection registered there, None if nothing: people paste tokens then."""

    @abstractmethod
    def registration(self, back: str) -> str:
        """Return, in several lines, what an operator adds there and to the connection; for ``doctor``."""


class Forms(Facet, Generic[Offer]):
    """Ask with a form what to make or launch: templates, form, spec."""

    #: The type that ``templates`` returns: a dataclass or pydantic model, stored as JSON between reads.
    offer_model: ClassVar[type[Any]]

    @abstractmethod
    async def templates(self, access: Access) -> Offer:
        """Read what this account may make."""

    @abstractmethod
    def form(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Return the form for an offer and the values filled in so far; pure.

        Values that are no longer offered are dropped. ``asker`` is for presets that not everybody may use.
        """

    @abstractmethod
    def spec(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Spec:
        """Return what ``create`` (or ``launch_job``) needs from a filled form; pure.

        Raises FormProblems with a sentence for each invalid field.
        """


class Making(Forms[Offer]):
    """Create workspaces."""

    @abstractmethod
    async def create(self, access: Access, spec: Spec, key: str) -> Created:
        """Create a workspace and return once it is accepted. ``key`` is ours: the same for each attempt.

        Called once: after an unknown outcome, ``find`` comes first.
        """

    @abstractmethod
    async def names(self, access: Access, stem: str) -> Collection[str] | None:
        """Return the names in use that begin with ``stem``, at least those of the person's own workspaces.

        None if the server can't tell the person's own from others': a new name then needs a mark.
        """

    @abstractmethod
    async def find(self, access: Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for what an earlier ``create`` of unknown outcome, sent at ``since``, made.

        Raises Untold if the server can't tell. A workspace that a list says too little about is among the
        others, with ``is_described`` False.
        """

    async def made_at(self, access: Access, remote_id: str) -> float | None:  # noqa: ARG002 - as in its docstring
        """Read when a candidate was made (epoch seconds); None if ``create`` can't have made it."""
        return None


class Runs(Forms[Offer]):
    """Launch and follow runs of jobs."""

    #: Whether runs are launched by naming a job that is set up there, so that nothing else has to be asked.
    runs_named_jobs: ClassVar[bool] = False

    @classmethod
    def runs_commands(cls) -> bool:
        """Return whether a run may be a command that a person types."""
        return not cls.runs_named_jobs

    @abstractmethod
    async def launch_job(self, access: Access, spec: Spec, key: str) -> Created:
        """Launch a run; like ``create``."""

    @abstractmethod
    async def find_job(self, access: Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for the run of an earlier launch of unknown outcome; like ``find``."""

    @abstractmethod
    async def jobs(self, access: Access) -> Listing[FoundRun]:
        """List the person's runs, newest first, as far as the server remembers them; like ``discover``."""

    @abstractmethod
    async def job_status(self, access: Access, remote_ids: Sequence[str]) -> Mapping[str, ObservedRun]:
        """Read many runs at once; a run that the server no longer knows is left out.

        A run that may be among what couldn't be read is ``unknown``.
        """

    @abstractmethod
    async def stop_job(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Ask for a run to be stopped; one that has already ended counts as success."""

    @abstractmethod
    def job_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Stream a run's output from its beginning until the server ends it; a cut raises TemporaryError.

        The end of the stream is not the end of the run, which only its status reveals.
        """

    def job_page_url(self, job: Run) -> str:  # noqa: ARG002 - empty where runs have no page
        """Return the address of the page that shows a run on the provider, like ``page_url``."""
        return ""


class Schedules(Facet, Generic[Offer]):
    """Schedule jobs that are set up on the provider."""

    @abstractmethod
    async def schedule(self, access: Access, job_id: str, cron: str | None) -> None:
        """Schedule a job by a cron expression of five fields; None removes its schedule."""

    @abstractmethod
    def schedules(self, offer: Offer) -> Sequence[Scheduled]:
        """Return the jobs that are set up there, from an offer; pure."""


class Behalf(Facet):
    """Act for usernames with the connection's own secret."""

    @abstractmethod
    async def check_username(self, username: str) -> Identity:
        """Check with the connection's own secret that a username may be acted for; return its identity.

        Raises NotFound if there is no such user, Forbidden if they are inactive or may not be acted for.
        """

    async def own_secret(self) -> bool | None:
        """Return whether the server accepts the connection's own secret; None if none acts for people."""
        return None


class Overview(Facet):
    """Report, with the connection's own secret, what the server is and who is on it."""

    def can_tell(self) -> bool:
        """Return whether the connection was given that secret."""
        return True

    @abstractmethod
    async def about(self) -> About:
        """Ask, with the connection's own secret, what the server is and who is on it."""


class Page(Facet):
    """Open workspaces in our own page, which only their owner sees.

    ``Observed.url`` stays empty, and ``Observed.entry`` is what the page needs.
    """

    @abstractmethod
    def embedding(self) -> Embedding:
        """Return what our page loads."""


class Events(Facet):
    """Receive events about workspaces from the provider."""

    @abstractmethod
    def events(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Read a webhook of the provider after verifying its signature; pure.

        Raises CredentialRefused before any of the body is parsed, BadAnswer if it can't be read.
        """
