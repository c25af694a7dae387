"""The contract of a provider: a stateless translator between our vocabulary and one API.

No store, no Slack, no sleeping, no retrying. One file (or package) in this folder adds a provider, which is
found by its class attribute ``kind``. It has a facet, an optional capability, by subclassing it; nothing
lists them.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar

from bot.domain.forms import NameRule, Spec
from bot.domain.observations import MAX_CLOCK_SKEW_SECONDS as MAX_CLOCK_SKEW_SECONDS  # noqa: PLC0414
from bot.domain.observations import Observed
from bot.domain.people import Principal
from bot.domain.stops import StopEffect, StopEffects, StopMode
from bot.domain.workspaces import Workspace
from bot.providers.access import Access, Identity, RemoteAccount
from bot.providers.answers import to_error
from bot.providers.connection import ConnectionSettings, LinkMethod, find_by_name, to_allowed_ide_url
from bot.providers.credentials import Credential, CredentialOwner
from bot.providers.facets import Facet, Lists, OAuthClient, SignIn
from bot.providers.requests import ApiClient, CredentialPlacement, SendWindow
from bot.support.cleaning import HIDDEN
from bot.support.errors import CredentialRefused, InvalidRequest, ProviderError
from bot.support.http import Http
from bot.support.responses import Response


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of the calls to a provider, in seconds and numbers.

    Attributes:
        min_poll_interval: The least seconds between two reads of a workspace, whoever asks: the poll gate.
        pending_interval: Seconds between reads of a workspace that is starting or stopping.
        running_interval: Seconds between reads of one that runs and was used within a day, or of any other
            that was used within the hour.
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

#: The pieces of a text that may be whole tokens: JSON Web Tokens have dots, paths and sentences have more.
_TOKEN_CANDIDATE_PATTERN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+|[0-9A-Za-z_-]{20,}", re.ASCII)
#: The beginning of a token at the end of a text that was cut.
_CUT_TOKEN_PATTERN = re.compile(
    r"(?<![\w-])(?:eyJ[\w.-]*|gh[a-z]_\w*|github_pat_\w*|(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{10,}"
    r"|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[0-9A-Za-z_-]{12,})…$",
    re.ASCII,
)

Needed = TypeVar("Needed", bound=Facet)

#: Why there is no link to a running workspace.
URL_NOT_ALLOWED = "Its link leads to a host that this connection doesn't allow."


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
        token_pattern: How a whole token of its own looks, besides what any provider's looks like.
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
    token_pattern: ClassVar[str] = ""
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

    def find_owner(self, remote_id: str) -> str | None:
        """Return the username of a workspace's owner, where its id tells that; pure."""
        return None

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
        return (
            _TOKEN_PATTERN.fullmatch(text) is not None
            or text in self._secrets
            or (bool(self.token_pattern) and re.fullmatch(self.token_pattern, text, re.ASCII) is not None)
        )

    def hide_tokens(self, text: str) -> str:
        """Remove tokens from a provider's words: a server may repeat anybody's."""
        redacted = _TOKEN_CANDIDATE_PATTERN.sub(
            lambda candidate: HIDDEN if self.looks_like_token(candidate[0]) else candidate[0], text
        )
        return _CUT_TOKEN_PATTERN.sub(HIDDEN, redacted)

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

    def is_made_by_name(self, access: Access, call: str) -> bool:
        """Return whether a call names its account, and a secret that opens everybody's makes it; pure.

        Before it, ``read_account`` finds out whether the name is still the linked account's.
        """
        return False

    @property
    def has_account_ids(self) -> bool:
        """Return whether accounts can be compared: the provider gives ids, or facts in their place."""
        return type(self).read_account is not Provider.read_account

    async def read_account(self, access: Access) -> RemoteAccount | None:
        """Read the account that calls with this access reach; None if the provider has no ids to compare.

        Where calls name the account, it is the one that has the name now.
        """
        return None

    def connection_api(self, on_behalf_of: Credential | None = None) -> ApiClient:
        """Return the client with the connection's own secret; raise CredentialRefused if it has none."""
        secret = self.settings.own_secret
        if secret is None:
            raise CredentialRefused("this connection has no token of its own")
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

    def is_page_of(self, url: str, name: str, username: str) -> bool:
        """Return whether an address is the page of a person's workspace that has its name in it; pure."""
        return False

    def parse_job_reference(self, text: str) -> str | None:
        """Return the id of a job in a pasted link or id, or None if this connection doesn't recognise it."""
        return None

    # -- helpers -------------------------------------------------------------------------------------------

    @classmethod
    @cache
    def facets(cls) -> frozenset[str]:
        """Return the names of this provider's facets in lower case, for messages."""
        own = (one for one in cls.__mro__ if issubclass(one, Facet) and one.__module__ == Facet.__module__)
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
