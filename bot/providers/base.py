"""The contract of a provider: a stateless translator between our vocabulary and one API.

A provider uses neither the store nor Slack, and never sleeps or retries. A file or package in this folder
adds one, and its class attribute ``kind`` names it. A provider gets a facet, an optional capability, by
subclassing it; there is no list of providers or facets.
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
from bot.domain.prices import MachineKind
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
        min_poll_interval: Fewest seconds between two reads of a workspace, whoever asks (the poll gate).
        pending_interval: Seconds between reads of a workspace that is starting or stopping.
        running_interval: Seconds between reads of a workspace that runs and was used within a day, or doesn't
            run and was used within the hour.
        unused_interval: Seconds between reads of any other workspace that was ever used.
        batch_size: Most workspaces in one call of ``status``.
        concurrency: Most calls at the same time.
    """

    min_poll_interval: float
    pending_interval: float
    running_interval: float = 300.0
    unused_interval: float = 1800.0
    batch_size: int = 1
    concurrency: int = 20


#: Quotes, white space, and invisible characters that browsers copy along with a token.
_CHARACTERS_AROUND_TOKENS = (
    " \t\r\n\v\f\u00a0\u200b\u2060\ufeff\"'`,;\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
)


#: Pattern of a token typed into Slack, whichever provider made it: hexadecimal digits; random letters of both
#: cases and digits, with a part that no name has; or a JSON Web Token.
_TOKEN_PATTERN = re.compile(
    r"[0-9A-Fa-f]{32,512}"
    r"|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)(?=.*[0-9A-Za-z]{16})[0-9A-Za-z_+/-]{32,512}={0,2}"
    r"|eyJ[\w-]{8,2000}\.eyJ[\w-]{2,4000}\.[\w-]{8,2000}",
    re.ASCII,
)

#: Pattern of the parts of a text that may be whole tokens. Dots are allowed only in JSON Web Tokens, as paths
#: and sentences have them, too.
_TOKEN_CANDIDATE_PATTERN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+|[0-9A-Za-z_-]{20,}", re.ASCII)
#: Pattern of the beginning of a token at the end of a text that was cut.
_CUT_TOKEN_PATTERN = re.compile(
    r"(?<![\w-])(?:eyJ[\w.-]*|gh[a-z]_\w*|github_pat_\w*|(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{10,}"
    r"|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[0-9A-Za-z_-]{12,})…$",
    re.ASCII,
)

Needed = TypeVar("Needed", bound=Facet)

#: Text that says why there is no link to a running workspace.
URL_NOT_ALLOWED = "Its link leads to a host that this connection doesn't allow."


class Provider(ABC):
    """Translate for one connection. All methods raise kinds of ``bot.support.errors.ProviderError`` only.

    What the errors mean: CredentialRefused → the person has to link again; Forbidden → a permission is
    missing; NotFound → the thing is gone; UnknownOutcome → read before the next call; other kinds of
    TemporaryError → try later.

    Attributes:
        api_version: The version of ``usher.provider`` that it is written for; providers from outside must set
            it.
        kind: The name by which a connection's ``provider`` refers to it.
        title: The name that people see, unless the connection has a title.
        settings_model: The settings of a connection: a subclass of ``ConnectionSettings`` with a field for
            each key of your own.
        pace: How often, and with how many calls at once, the provider may be called.
        stop_modes: The ways of stopping that exist here at all; ``Observed.actions`` says what a workspace
            supports now.
        api_path: The path of the API below the base URL.
        credential_in: The place of the credential in a request.
        message_pointer: The place, in the body of an error, of the server's own words, which people are told
            (a JSON Pointer).
        token_pattern: The pattern of a whole token of this provider, besides the pattern that fits any
            provider's.
        template_key: The key in a spec that holds the template's name, if operators prepare templates.
        name_rule: The rule for the names that Usher proposes for something new, makes for classes, and marks.
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
        #: The connection's secrets, with which every word that somebody types is compared.
        self._secrets = frozenset(settings.secrets())
        #: The client without a credential, for calls that everybody may make.
        root = settings.base_url + self.api_path
        self.api = ApiClient(http, root, self.credential_in, self.other_hosts, to_error=self.to_error)

    # -- what every provider has ---------------------------------------------------------------------------

    def to_error(self, response: Response, *, changes: bool) -> ProviderError:
        """Return the error that ``call`` raises for a response outside 2xx; pure.

        Override it if your API means something else by a status, a header or a body, and call this method for
        everything else. ``changes`` says whether the request changes something.
        """
        return to_error(response, changes=changes, message_pointer=self.message_pointer)

    def gate_key(self, remote_id: str) -> str:
        """Return the key of a workspace's poll gate; each workspace has one gate, whoever reads it."""
        return f"{self.settings.base_url}#{remote_id}"

    def to_workspace(self, remote_id: str, seen: Observed, principal: Principal) -> Workspace:
        """Return a workspace as a read found it, for use without a store."""
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
            owner=seen.owner,
        )

    def find_owner(self, remote_id: str) -> str | None:
        """Return the username of a workspace's owner if its id contains that; pure."""
        return None

    def id_after_rename(self, remote_id: str, old_username: str, new_username: str) -> str:
        """Return a workspace's id after its owner was renamed from ``old_username``; pure."""
        return remote_id

    @abstractmethod
    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read many states at once; a missing workspace is reported as ``gone``, never left out.

        A workspace that runs but can't be used yet has ``Observed.lacks``.
        """

    @abstractmethod
    async def start(self, access: Access, workspace: Workspace) -> str | None:
        """Ask for a start; return once it is accepted. A workspace that is already running counts as success.

        If the server refused because of that, return its words; a read then has to confirm it. The row, here
        and below, was just read through the gate, so don't read the state again.
        """

    @abstractmethod
    async def stop(self, access: Access, workspace: Workspace, mode: StopMode = "stop") -> str | None:
        """Ask for a stop; return once it is accepted. A workspace that is already stopped counts as success.

        The result is as that of ``start``.

        A mode that is not in ``stop_modes`` raises InvalidRequest.
        """

    @abstractmethod
    async def check_credential(self, credential: Credential) -> Identity:
        """Find out whose account a credential opens; raise CredentialRefused if it opens none.

        If the server doesn't name the owner, check that it refuses another credential; otherwise something
        else may be answering.
        """

    @abstractmethod
    def page_url(self, remote_id: str) -> str:
        """Return the address of the workspace's page on the provider; "" if people have no such page."""

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
        """Return a provider's words without tokens, as a server may repeat anybody's."""
        redacted = _TOKEN_CANDIDATE_PATTERN.sub(
            lambda candidate: HIDDEN if self.looks_like_token(candidate[0]) else candidate[0], text
        )
        return _CUT_TOKEN_PATTERN.sub(HIDDEN, redacted)

    @abstractmethod
    async def probe(self) -> str:
        """Read the server's name, and its version if it gives that, without a credential, for ``doctor``."""

    async def read_warning(self) -> str:
        """Return a warning about a working server, for ``doctor``; "" without one."""
        return ""

    def credential_owner(self, access: Access, call: str) -> CredentialOwner:
        """Return the owner of the secret that a call (``read``, ``start``, ``create`` …) uses."""
        return access.credential.owner

    def bind_access(self, access: Access, call: str) -> Access:
        """Return the access for a call, bound to its secret; raise CredentialRefused if there is none."""
        is_theirs = self.credential_owner(access, call) == "person"
        api = self.api.acting_as(access.credential) if is_theirs else self.connection_api(access.credential)
        return Access(access.username, access.credential, api)

    def is_made_by_name(self, access: Access, call: str) -> bool:
        """Return whether a call names its account and uses a secret that opens everybody's; pure.

        Before such a call, ``read_account`` checks that the name still belongs to the linked account.
        """
        return False

    @property
    def has_account_ids(self) -> bool:
        """Return whether accounts can be compared, because the provider gives ids or facts in their place."""
        return type(self).read_account is not Provider.read_account

    async def read_account(self, access: Access) -> RemoteAccount | None:
        """Read the account that calls with this access reach; None if the provider has no ids to compare.

        If calls name the account, that is the account that has the name now.
        """
        return None

    def connection_api(self, on_behalf_of: Credential | None = None) -> ApiClient:
        """Return the client with the connection's own secret; raise CredentialRefused if it has none."""
        secret = self.settings.own_secret
        if secret is None:
            raise CredentialRefused("this connection has no token of its own")
        return self.api.acting_as(Credential(secret, on_behalf_of=on_behalf_of))

    def other_hosts(self) -> Mapping[str, bool]:
        """Return the patterns of other hosts that are called, and whether each gets the credential; pure."""
        return {}

    def can_reach_all_workspaces(self, access: Access) -> bool:
        """Return whether calls can reach everybody's workspaces; then only known ones are touched."""
        return False

    def is_withheld(self, spec: Spec, principal: Principal) -> bool:
        """Return whether an earlier spec names a template that only other people may use by now; pure."""
        template = find_by_name(self.settings.prepared, spec.text(self.template_key))
        return template is not None and not template.is_for(principal)

    def describe_machine(self, spec: Spec) -> MachineKind:
        """Return what a workspace made from a spec runs on and costs, as far as is known; pure."""
        template = find_by_name(self.settings.prepared, spec.text(self.template_key))
        return MachineKind() if template is None else MachineKind(template.name, None, template.price)

    def parse_reference(self, text: str) -> str | None:
        """Return the remote id in a pasted link or id, or None if this connection doesn't recognise it."""
        return None

    def is_page_of(self, url: str, name: str, username: str) -> bool:
        """Return whether an address is a page of the person's workspace with this name; pure."""
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
        """Return this provider, typed with a facet; raise InvalidRequest if it doesn't have that."""
        provider: object = self
        if not isinstance(provider, facet):
            raise InvalidRequest(f"You can't do that on {self.settings.title}.")
        return provider

    @property
    def oauth(self) -> OAuthClient | None:
        """Return the OAuth client for signing in at the provider; None if people can't."""
        provider: object = self
        return provider.client if isinstance(provider, SignIn) else None

    def has_link_method(self, method: LinkMethod) -> bool:
        """Return whether people can link in this way."""
        return method in self.settings.linking

    @property
    def has_lists(self) -> bool:
        """Return whether a person's workspaces can be listed; they can't if one secret acts for everybody."""
        return isinstance(self, Lists) and not self.has_link_method("none")

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        """Return the effect of each way of stopping a workspace, according to its last read; pure.

        Everything that stops or restarts a workspace, or asks before doing so, relies on this. For a running
        workspace without known actions, return what holds for the provider in general.
        """
        return {
            mode: StopEffect.KEEPS if mode == "suspend" else StopEffect.RETURNS for mode in self.stop_modes
        }

    def retention_seconds(self) -> tuple[float, float]:
        """Return the seconds after which a stopped workspace, and any since its creation, is removed.

        They are infinite, as here, if that never happens.
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

        The operator's are in ``settings.ide_hosts``; add your own to them.
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
