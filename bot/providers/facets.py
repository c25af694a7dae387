"""What not every provider has, each a facet: it has one by being one, and nothing is listed by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

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
    from bot.providers.contract import Discovered, Embedding, Listing, Scheduled, TokenHelp
    from bot.providers.credentials import Access, Credential, Identity

#: What a provider offers, in its own type.
Offer = TypeVar("Offer")


class Facet(ABC):  # noqa: B024 - what its kinds have in common is that they are sides of a provider
    """Be one side of a provider."""


class Lists(Facet):
    """Tell which workspaces a person has."""

    @abstractmethod
    async def discover(self, access: Access) -> Listing[Discovered]:
        """List the person's workspaces; raise NotFound where the server has no lists.

        An entry that can't be read whole keeps what can be read: its id is enough, its state is then
        ``unknown``. Where not even that is there the list is not whole, and nothing follows from what it
        lacks. One in which nothing can be read raises BadAnswer.
        """


class Removal(Facet):
    """Delete workspaces for good."""

    @abstractmethod
    async def remove(self, access: Access, remote_id: str) -> None:
        """Delete a workspace for good."""


class Revocation(Facet):
    """Make credentials worthless at the provider."""

    @abstractmethod
    async def revoke(self, access: Access) -> None:
        """Make the credential worthless at the provider."""


class Renewal(Facet):
    """Exchange credentials that expire."""

    @abstractmethod
    async def refresh(self, access: Access) -> Credential:
        """Exchange an expired credential for a fresh one; raise CredentialRefused when that is over."""


class Tokens(Facet):
    """Let people paste a token of theirs on the link page."""

    @abstractmethod
    def token_help(self) -> TokenHelp:
        """Tell how a person gets a token, for the link page."""


class Forms(Facet, Generic[Offer]):
    """Ask with a form what is to be made or launched: templates, form, spec."""

    #: What ``templates`` returns: a dataclass or a model of pydantic, kept as JSON between two looks.
    offer_model: ClassVar[type[Any]]

    @abstractmethod
    async def templates(self, access: Access) -> Offer:
        """Read what may be made with this account."""

    @abstractmethod
    def form(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Return the form for what is offered and the values filled in so far; pure.

        A value that is not offered any more is dropped. ``asker`` is for presets that not everybody may use.
        """

    @abstractmethod
    def spec(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Spec:
        """Return what ``create`` (or ``launch_job``) needs from a filled form; pure.

        Raises FormProblems with a sentence for each wrong field.
        """


class Making(Forms[Offer]):
    """Make workspaces."""

    @abstractmethod
    async def create(self, access: Access, spec: Spec, key: str) -> Created:
        """Make a workspace and return once it is accepted. ``key`` is ours: the same for each try.

        Called once: after an unknown outcome ``find`` comes first.
        """

    @abstractmethod
    async def find(self, access: Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for what an earlier ``create`` of unknown outcome, sent at ``since``, made.

        Raises Untold where the server has no way to tell. What a list tells too little of is among the
        others, with ``is_described`` False.
        """

    async def made_at(self, access: Access, remote_id: str) -> float | None:  # noqa: ARG002 - as in its docstring
        """Read when a candidate was made (epoch seconds); None for one that can't have come of ``create``."""
        return None


class Runs(Forms[Offer]):
    """Launch runs of jobs, and follow them."""

    #: A run is launched by naming a job that is set up there: nothing else has to be asked.
    runs_named_jobs: ClassVar[bool] = False

    @abstractmethod
    async def launch_job(self, access: Access, spec: Spec, key: str) -> Created:
        """Launch a run; as ``create``."""

    @abstractmethod
    async def find_job(self, access: Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for the run of an earlier launch of unknown outcome; as ``find``."""

    @abstractmethod
    async def jobs(self, access: Access) -> Listing[FoundRun]:
        """List the person's runs, newest first, as far as the server remembers them; as ``discover``."""

    @abstractmethod
    async def job_status(self, access: Access, remote_ids: Sequence[str]) -> Mapping[str, ObservedRun]:
        """Read many runs at once; one that the server does not know any more is left out.

        One that may be among what could not be read is ``unknown``.
        """

    @abstractmethod
    async def stop_job(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Ask for the end of a run; ended already is success."""

    @abstractmethod
    def job_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Stream a run's output from its beginning until the server ends it; a cut raises TemporaryError.

        The server's end of the stream is not the end of the run: its status says that.
        """

    def job_page_url(self, job: Run) -> str:  # noqa: ARG002 - empty where runs have no page
        """Return the address of the page that shows a run at the provider, as ``page_url``."""
        return ""


class Schedules(Facet, Generic[Offer]):
    """Let jobs that are set up there run by themselves."""

    @abstractmethod
    async def schedule(self, access: Access, job_id: str, cron: str | None) -> None:
        """Let a job that is set up there run by a cron expression of five fields; None: not any more."""

    @abstractmethod
    def schedules(self, offer: Offer) -> Sequence[Scheduled]:
        """Return the jobs that are set up there, by what is offered; pure."""


class Behalf(Facet):
    """Act for usernames with the connection's own secret."""

    @abstractmethod
    async def check_username(self, username: str) -> Identity:
        """Check with the connection's own secret that a username may be acted for; return its identity.

        Raises NotFound when there is none of that name, Forbidden when it is not active or may not be.
        """

    async def own_secret(self) -> bool | None:
        """Return whether the server takes the connection's own secret; None where none acts for people."""
        return None


class Overview(Facet):
    """Tell, with the connection's own secret, what the server is and who is on it."""

    @abstractmethod
    async def about(self) -> About:
        """Ask, with the connection's own secret, what the server is and who is on it."""


class Page(Facet):
    """Open workspaces in a page of ours, which only their owner sees.

    ``Observed.url`` stays empty there, and ``Observed.entry`` is what the page needs.
    """

    @abstractmethod
    def embedding(self) -> Embedding:
        """Tell what a page of ours loads."""


class Events(Facet):
    """Hear of workspaces from the provider itself."""

    @abstractmethod
    def events(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Read what the provider tells by itself, once its signature is found good; pure.

        Raises CredentialRefused before anything of the body is parsed, BadAnswer for what can't be read.
        """
