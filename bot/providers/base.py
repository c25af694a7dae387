"""The contract of a provider: a stateless translator between our vocabulary and one API.

No store, no Slack, no sleeping, no retrying. One file (or package) in this folder adds a provider; it is
found by its class attribute ``kind``. Capabilities are derived from the methods that a provider overrides.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from bot.errors import InvalidRequest
from bot.models import Effects, Observed, State, StopEffect
from bot.providers.connection import ConnectionSettings, Linking
from bot.providers.credentials import Access, Acts, Credential, Identity
from bot.providers.hosts import allowed_ide_url
from bot.providers.told import (
    CLOCK_SKEW,
    About,
    Discovered,
    Embedding,
    Listing,
    Pace,
    Scheduled,
    SendWindow,
    TokenHelp,
    User,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.http import Http
    from bot.models import (
        Created,
        Event,
        Form,
        FoundJob,
        Job,
        ObservedJob,
        OutputChunk,
        Principal,
        Purpose,
        StopMode,
        Traces,
        Values,
        Workspace,
    )

__all__ = [
    "CLOCK_SKEW",
    "About",
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
    "User",
    "unknown_word",
]

#: Straight and typographic quotes, white space, and the invisible characters that browsers copy along.
_AROUND_TOKENS = " \t\r\n\v\f\u00a0\u200b\u2060\ufeff\"'`,;\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"


class Provider(ABC):
    """Translate for one connection. Every method raises ``bot.errors.ProviderError`` kinds only.

    Which error means what: CredentialRefused → the person links again; Forbidden → the right is missing;
    NotFound → gone; UnknownOutcome → read before the next call; the rest of TemporaryError → later.
    """

    kind: ClassVar[str]
    settings_model: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    pace: ClassVar[Pace]
    #: How workspaces can be brought down here at all; what one of them can do now tells ``Observed.actions``.
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop"})
    #: Its workspaces open in a page of ours, which only their owner sees; ``Observed.url`` stays empty then,
    #: and ``Observed.entry`` is what the page needs.
    opens_in_page: ClassVar[bool] = False
    #: What its tokens look like, so that one is known where it does not belong; None where nothing tells.
    token_shape: ClassVar[re.Pattern[str] | None] = None
    #: A run is launched by naming a job that is set up there: nothing else has to be asked.
    runs_named_jobs: ClassVar[bool] = False

    def __init__(self, settings: ConnectionSettings, http: Http) -> None:
        self.settings = settings
        self.http = http

    # -- what every provider has ---------------------------------------------------------------------------

    @abstractmethod
    def gate_key(self, remote_id: str) -> str:
        """Return the poll gate's key: the normalised base URL and the resource id."""

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

    def job_page_url(self, job: Job) -> str:  # noqa: ARG002 - empty where runs have no page
        """Return the address of the page that shows a run at the provider, as ``page_url``."""
        return ""

    def token_help(self) -> TokenHelp:
        """Tell how a person gets a token, for the link page; only where ``token`` linking exists."""
        raise NotImplementedError

    def clean_token(self, text: str) -> str:
        """Return a pasted token without the quotes and white space that come with copying it."""
        return text.strip(_AROUND_TOKENS)

    def looks_like_token(self, text: str) -> bool:
        """Say whether a word may be a whole token of this provider; ids may look the same."""
        shape = self.token_shape
        return (shape is not None and shape.fullmatch(text) is not None) or text in self.settings.secrets()

    @abstractmethod
    async def probe(self) -> str:
        """Ask the server, without anybody's credential, what it is; return a short text for ``doctor``."""

    async def remark(self) -> str:
        """Return what an operator should know of a server that answers, for ``doctor``; "" for nothing."""
        return ""

    def embedding(self) -> Embedding:
        """Tell what a page of ours loads; only where ``opens_in_page``."""
        raise NotImplementedError

    # -- capabilities: overridden where the provider has them ------------------------------------------------

    async def discover(self, access: Access) -> Listing[Discovered]:
        """List the person's workspaces; raise NotFound where the server has no lists.

        An entry that can't be read whole keeps what can be read: its id is enough, its state is then
        ``unknown``. Where not even that is there the list is not whole, and nothing follows from what it
        lacks. One in which nothing can be read raises BadAnswer.
        """
        raise NotImplementedError

    async def remove(self, access: Access, remote_id: str) -> None:
        """Delete a workspace for good."""
        raise NotImplementedError

    async def revoke(self, access: Access) -> None:
        """Make the credential worthless at the provider."""
        raise NotImplementedError

    async def refresh(self, access: Access) -> Credential:
        """Exchange an expired credential for a fresh one; raise CredentialRefused when that is over."""
        raise NotImplementedError

    # -- making something new: form → spec → create ---------------------------------------------------------

    async def templates(self, access: Access) -> Any:
        """Read what may be made with this account: JSON-ready; forms are made from its snapshot."""
        raise NotImplementedError

    def form(self, snapshot: Any, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Return the form for what the snapshot offers and the values filled in so far; pure.

        A value that is not offered any more is dropped. ``asker`` is for presets that not everybody may use.
        """
        raise NotImplementedError

    def spec(self, snapshot: Any, purpose: Purpose, values: Values, asker: Principal) -> dict[str, Any]:
        """Return what ``create`` (or ``launch_job``) needs from a filled form, JSON-ready; pure.

        It holds ``name``. Raises FormProblems with a sentence for each wrong field.
        """
        raise NotImplementedError

    def withholds(self, spec: Mapping[str, Any], asker: Principal) -> bool:  # noqa: ARG002 - as ``acts``
        """Say whether a spec of earlier names what is prepared for others than this person by now; pure."""
        return False

    async def create(self, access: Access, spec: Mapping[str, Any], key: str) -> Created:
        """Make a workspace and return once it is accepted. ``key`` is ours: the same for each try.

        Called once: after an unknown outcome ``find`` comes first.
        """
        raise NotImplementedError

    async def find(self, access: Access, spec: Mapping[str, Any], key: str, since: float) -> Traces:
        """Look for what an earlier ``create`` of unknown outcome, sent at ``since``, made.

        Raises Untold where the server has no way to tell. What a list tells too little of is among the
        others, with ``is_told`` False.
        """
        raise NotImplementedError

    async def made_at(self, access: Access, remote_id: str) -> float | None:
        """Read when a candidate was made (epoch seconds); None for one that can't have come of ``create``."""
        raise NotImplementedError

    def events(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Read what the provider tells by itself, once its signature is found good; pure.

        Raises CredentialRefused before anything of the body is parsed, BadAnswer for what can't be read.
        """
        raise NotImplementedError

    # -- jobs ------------------------------------------------------------------------------------------------

    async def launch_job(self, access: Access, spec: Mapping[str, Any], key: str) -> Created:
        """Launch a run; as ``create``."""
        raise NotImplementedError

    async def find_job(self, access: Access, spec: Mapping[str, Any], key: str, since: float) -> Traces:
        """Look for the run of an earlier launch of unknown outcome; as ``find``."""
        raise NotImplementedError

    async def schedule(self, access: Access, job_id: str, cron: str | None) -> None:
        """Let a job that is set up there run by a cron expression of five fields; None: not any more."""
        raise NotImplementedError

    def schedules(self, snapshot: Any) -> Sequence[Scheduled]:
        """Return the jobs that are set up there, by what the snapshot tells; pure."""
        raise NotImplementedError

    def job_reference(self, text: str) -> str | None:  # noqa: ARG002 - overridden where there are links
        """Return the id of a job in a pasted link or id, or None when this connection does not know it."""
        return None

    async def jobs(self, access: Access) -> Listing[FoundJob]:
        """List the person's runs, newest first, as far as the server remembers them; as ``discover``."""
        raise NotImplementedError

    async def job_status(self, access: Access, remote_ids: Sequence[str]) -> Mapping[str, ObservedJob]:
        """Read many runs at once; one that the server does not know any more is left out.

        One that may be among what could not be read is ``unknown``.
        """
        raise NotImplementedError

    async def stop_job(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Ask for the end of a run; ended already is success."""
        raise NotImplementedError

    def job_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Stream a run's output from its beginning until the server ends it; a cut raises TemporaryError.

        The server's end of the stream is not the end of the run: its status says that.
        """
        raise NotImplementedError

    # -- administrators --------------------------------------------------------------------------------------

    async def check_username(self, username: str) -> Identity:
        """Check with the connection's own secret that a username may be acted for; return its identity.

        Raises NotFound when there is none of that name, Forbidden when it is not active or may not be.
        """
        raise NotImplementedError

    async def own_secret(self) -> bool | None:
        """Say whether the server takes the connection's own secret; None where none acts for people."""
        return None

    async def about(self) -> About:
        """Ask, with the connection's own secret, what the server is and who is on it."""
        raise NotImplementedError

    def acts(self, access: Access, call: str) -> Acts:  # noqa: ARG002 - the same for all, unless it is told
        """Say whose secret a call (``start``, ``stop``, ``create`` …) is made with; for the audit."""
        return access.credential.acts

    def needs_record(self, access: Access) -> bool:  # noqa: ARG002 - servers look after that themselves
        """Say whether an account's calls reach everybody's: then only what is known as theirs is touched."""
        return False

    def parse_reference(self, text: str) -> str | None:  # noqa: ARG002 - overridden where there are links
        """Return the remote id in a pasted link or id, or None when this connection does not know it."""
        return None

    # -- helpers -------------------------------------------------------------------------------------------

    @classmethod
    def capabilities(cls) -> frozenset[str]:
        """Return the names of the optional methods that this provider overrides."""
        optional = (
            "discover",
            "remove",
            "revoke",
            "refresh",
            "parse_reference",
            "token_help",
            "templates",
            "create",
            "events",
            "launch_job",
            "schedule",
            "stop_job",
            "job_output",
            "jobs",
            "check_username",
            "about",
        )
        return frozenset(name for name in optional if getattr(cls, name) is not getattr(Provider, name))

    def links_by(self, way: Linking) -> bool:
        """Say whether people come to act here in this way."""
        return way in self.settings.linking

    @property
    def has_lists(self) -> bool:
        """Say whether a person's workspaces can be listed: not where one secret opens everybody's."""
        return "discover" in self.capabilities() and not self.links_by("none")

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


def unknown_word(last: State, word: object) -> Observed:
    """Answer for a state that the provider's documents do not name: keep the last one, name the word."""
    return Observed(state=last, detail=f"unknown state {str(word)[:40]!r}")
