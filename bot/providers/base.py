"""The interface of a provider, which translates between Usher's terms and those of one API.

A provider has no state, uses neither the store nor Slack, and never sleeps or retries. To add a provider, put
a package in this folder and its class in ``registry``. To give a provider an optional capability, called a
facet, inherit from the facet's class.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, TypeVar

from bot.domain.forms import NameRule, Spec
from bot.domain.observations import MAX_CLOCK_SKEW_SECONDS as MAX_CLOCK_SKEW_SECONDS  # noqa: PLC0414
from bot.domain.observations import Observed
from bot.domain.people import Principal
from bot.domain.prices import MachineKind
from bot.domain.stops import StopEffect, StopEffects, StopMode
from bot.domain.timeouts import Pace as Pace  # noqa: PLC0414
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

#: Quotes, whitespace and invisible characters that may be copied along with a token from a browser.
_CHARACTERS_AROUND_TOKENS = (
    " \t\r\n\v\f\u00a0\u200b\u2060\ufeff\"'`,;\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
)


#: Matches any provider's token in a Slack message. A token is a JSON Web Token, a string of hexadecimal
#: digits, or a random string of digits and mixed-case letters that is unlikely to be a name.
_TOKEN_PATTERN = re.compile(
    r"[0-9A-Fa-f]{32,512}"
    r"|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)(?=.*[0-9A-Za-z]{16})[0-9A-Za-z_+/-]{32,512}={0,2}"
    r"|eyJ[\w-]{8,2000}\.eyJ[\w-]{2,4000}\.[\w-]{8,2000}",
    re.ASCII,
)

#: Matches everything in a message that could be a token. Dots are allowed only in JSON Web Tokens, since
#: paths and sentences contain dots, too.
_TOKEN_CANDIDATE_PATTERN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+|[0-9A-Za-z_-]{20,}", re.ASCII)
#: Matches an incomplete token just before the ellipsis of a truncated text.
_CUT_TOKEN_PATTERN = re.compile(
    r"(?<![\w-])(?:eyJ[\w.-]*|gh[a-z]_\w*|github_pat_\w*|(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{10,}"
    r"|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[0-9A-Za-z_-]{12,})…$",
    re.ASCII,
)

Needed = TypeVar("Needed", bound=Facet)

#: Explains why a running workspace is shown without a link.
URL_NOT_ALLOWED = "Its link leads to a host that this connection doesn't allow."


class Provider(ABC):
    """Translate between Usher and the API of one connection.

    Methods raise only subclasses of ``bot.support.errors.ProviderError``. CredentialRefused means that the
    user has to link again, Forbidden that a permission is missing, and NotFound that the workspace or job no
    longer exists. After UnknownOutcome, Usher reads the state before it calls again. After any other
    TemporaryError, it tries again later. All methods except the ``async`` ones and ``run_output`` must be
    pure functions.

    Attributes:
        api_version: The version of ``usher.provider`` that the provider is written for; external providers
            must set it.
        kind: The provider's name in a connection's ``provider`` setting.
        title: The name shown to users unless the connection has its own title.
        settings_model: The model of a connection's settings: a subclass of ``ConnectionSettings`` with a
            field for each additional key.
        pace: How often the provider may be called, and how many calls may run at once.
        stop_modes: All stop modes that the provider supports; ``Observed.actions`` shows which of them a
            workspace currently allows.
        api_path: The path of the API below the base URL.
        credential_in: Where requests carry the credential.
        message_pointer: The JSON Pointer to the server's own message in an error's body. Users see that
            message.
        error_keys: Further keys that every error from the API contains. An error that lacks the message or
            any of these keys comes from a proxy in front of the API.
        token_pattern: A regular expression for a whole token of this provider. It supplements the one for all
            providers' tokens.
        template_key: The key in a spec that holds the template's name, if operators prepare templates.
        name_rule: The rule for names that Usher proposes, generates or makes unique with a suffix.
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
    error_keys: ClassVar[Collection[str]] = ()
    token_pattern: ClassVar[str] = ""
    template_key: ClassVar[str] = "template"
    name_rule: ClassVar[NameRule] = NameRule()
    settings: ConnectionSettings

    def __init__(self, settings: ConnectionSettings, http: Http) -> None:
        self.settings = settings
        #: The connection's secrets. If a user pastes one by mistake, ``looks_like_token`` recognises it.
        self._secrets = frozenset(settings.secrets())
        #: An HTTP client without a credential, for calls that don't need one.
        root = settings.base_url + self.api_path
        self.api = ApiClient(http, root, self.credential_in, self.other_hosts, to_error=self.to_error)

    # -- methods of every provider ---------------------------------------------------------------------------

    def to_error(self, response: Response, *, changes: bool) -> ProviderError:
        """Return the error that ``call`` raises for a non-2xx response.

        Override this if your API uses a status, header or body differently, and call ``super().to_error`` for
        everything else. ``changes`` says whether the request was meant to change something.
        """
        return to_error(
            response, changes=changes, message_pointer=self.message_pointer, error_keys=self.error_keys
        )

    def gate_key(self, remote_id: str) -> str:
        """Return the key of a workspace's poll gate, which is shared by everyone who reads the workspace."""
        return f"{self.settings.base_url}#{remote_id}"

    def to_workspace(self, remote_id: str, seen: Observed, principal: Principal) -> Workspace:
        """Return a workspace built from the result of a read, for use without a store."""
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
        """Return the username of a workspace's owner, or None if the workspace's id doesn't contain it."""
        return None

    def id_after_rename(self, remote_id: str, old_username: str, new_username: str) -> str:
        """Return a workspace's id after its owner was renamed."""
        return remote_id

    @abstractmethod
    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read the states of several workspaces in one call. Report a missing workspace as ``gone``.

        If a workspace is running but not usable yet, ``Observed.lacks`` names the missing part.
        """

    @abstractmethod
    async def start(self, access: Access, workspace: Workspace) -> str | None:
        """Ask the provider to start a workspace. Return once it accepts, or if the workspace is running.

        If the server refuses because the workspace is already running, return the server's own message. Usher
        then reads the state to confirm it. Don't read the state here, because Usher has just read it through
        the workspace's gate.
        """

    @abstractmethod
    async def stop(self, access: Access, workspace: Workspace, mode: StopMode = "stop") -> str | None:
        """Ask the provider to stop a workspace. Return once it accepts, or if the workspace is stopped.

        The return value means the same as for ``start``. Raises InvalidRequest for an unsupported mode.
        """

    @abstractmethod
    async def check_credential(self, credential: Credential) -> Identity:
        """Find out which account a credential opens; raise CredentialRefused if it opens none.

        If the server doesn't name the owner, check that it refuses a made-up credential
        (``verify_bad_token_is_refused``).
        """

    @abstractmethod
    def page_url(self, remote_id: str) -> str:
        """Return the URL of the workspace's page on the provider, or "" if users have no such page."""

    def clean_token(self, text: str) -> str:
        """Return a pasted token without any quotes or whitespace copied along with it."""
        return text.strip(_CHARACTERS_AROUND_TOKENS)

    def is_available_to(self, principal: Principal) -> bool:
        """Return whether members of a principal's Slack workspace or organisation may use the connection."""
        workspaces = self.settings.workspaces
        return workspaces is None or principal.team_id in workspaces

    def looks_like_token(self, text: str) -> bool:
        """Return whether a word could be a complete token. Some ids look like tokens, too."""
        return (
            _TOKEN_PATTERN.fullmatch(text) is not None
            or text in self._secrets
            or (bool(self.token_pattern) and re.fullmatch(self.token_pattern, text, re.ASCII) is not None)
        )

    def hide_tokens(self, text: str) -> str:
        """Remove all tokens from a provider's text, because a server may quote anyone's token."""
        redacted = _TOKEN_CANDIDATE_PATTERN.sub(
            lambda candidate: HIDDEN if self.looks_like_token(candidate[0]) else candidate[0], text
        )
        return _CUT_TOKEN_PATTERN.sub(HIDDEN, redacted)

    @abstractmethod
    async def probe(self) -> str:
        """Read the server's name and, if possible, its version for ``doctor``, without a credential."""

    async def read_warning(self) -> str:
        """Return a warning, for ``doctor``, about a server that otherwise works; "" if there is none."""
        return ""

    def credential_owner(self, access: Access, call: str) -> CredentialOwner:
        """Return the owner of the secret with which a call (``read``, ``start``, ``create`` …) is made."""
        return access.credential.owner

    def bind_access(self, access: Access, call: str) -> Access:
        """Return an access that uses the secret for a call; raise CredentialRefused if there is none."""
        is_theirs = self.credential_owner(access, call) == "person"
        api = self.api.acting_as(access.credential) if is_theirs else self.connection_api(access.credential)
        return Access(access.username, access.credential, api)

    def is_made_by_name(self, access: Access, call: str) -> bool:
        """Return whether a call uses a secret that opens all accounts, and selects an account by name.

        Before such a call, Usher uses ``read_account`` to check that the name still belongs to the linked
        account.
        """
        return False

    @property
    def has_account_ids(self) -> bool:
        """Return whether accounts can be compared, because the provider gives ids or equivalent facts."""
        return type(self).read_account is not Provider.read_account

    async def read_account(self, access: Access) -> RemoteAccount | None:
        """Read the account on which calls with this access act; None if the provider has no ids to compare.

        If calls select the account by name, return the account that has the name now.
        """
        return None

    def connection_api(self, on_behalf_of: Credential | None = None) -> ApiClient:
        """Return a client that uses the connection's own secret; raise CredentialRefused if it has none."""
        secret = self.settings.own_secret
        if secret is None:
            raise CredentialRefused("this connection has no token of its own")
        return self.api.acting_as(Credential(secret, on_behalf_of=on_behalf_of))

    def other_hosts(self) -> Mapping[str, bool]:
        """Return patterns for the hosts, other than the API's own, that calls may reach.

        The value for each pattern says whether calls send the credential there.
        """
        return {}

    def can_reach_all_workspaces(self, access: Access) -> bool:
        """Return whether calls can reach everyone's workspaces, so that Usher has to check who owns each."""
        return False

    def is_withheld(self, spec: Spec, principal: Principal) -> bool:
        """Return whether a spec uses a template that the principal may no longer use."""
        template = find_by_name(self.settings.prepared, spec.text(self.template_key))
        return template is not None and not template.is_for(principal)

    def describe_machine(self, spec: Spec) -> MachineKind:
        """Return the known facts about the machine and price of a workspace created from a spec."""
        template = find_by_name(self.settings.prepared, spec.text(self.template_key))
        return MachineKind() if template is None else MachineKind(template.name, None, template.price)

    def parse_reference(self, text: str) -> str | None:
        """Return the remote id in a pasted link or id, or None if it doesn't belong to this connection."""
        return None

    def is_page_of(self, url: str, name: str, username: str) -> bool:
        """Return whether a URL is a page of the workspace with this name and owner."""
        return False

    def parse_job_reference(self, text: str) -> str | None:
        """Return the job id in a pasted link or id, or None if it doesn't belong to this connection."""
        return None

    # -- helpers -------------------------------------------------------------------------------------------

    @classmethod
    @cache
    def facets(cls) -> frozenset[str]:
        """Return the names of this provider's facets in lower case, for messages."""
        own = (one for one in cls.__mro__ if issubclass(one, Facet) and one.__module__ == Facet.__module__)
        return frozenset(one.__name__.lower() for one in own if one is not Facet)

    def require_facet(self, facet: type[Needed]) -> Needed:
        """Return this provider, typed as having a facet; raise InvalidRequest if it doesn't have it."""
        provider: object = self
        if not isinstance(provider, facet):
            raise InvalidRequest(f"You can't do that on {self.settings.title}.")
        return provider

    @property
    def oauth(self) -> OAuthClient | None:
        """Return the OAuth client for signing in at the provider, or None if users can't sign in that way."""
        provider: object = self
        return provider.client if isinstance(provider, SignIn) else None

    def has_link_method(self, method: LinkMethod) -> bool:
        """Return whether users can link with this method."""
        return method in self.settings.linking

    @property
    def has_lists(self) -> bool:
        """Return whether a user's workspaces can be listed. They can't if everyone shares one secret."""
        return isinstance(self, Lists) and not self.has_link_method("none")

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        """Return the effect that each stop mode would have on a workspace, judging by its last read.

        If the workspace is running but its actions aren't known, return the effects that stops usually have
        at this provider.
        """
        return {
            mode: StopEffect.KEEPS if mode == "suspend" else StopEffect.RETURNS for mode in self.stop_modes
        }

    def retention_seconds(self) -> tuple[float, float]:
        """Return how many seconds a workspace is kept after its stop, and after its creation."""
        return math.inf, math.inf

    def require_stop_mode(self, mode: StopMode) -> None:
        """Raise InvalidRequest unless this provider supports the stop mode."""
        if mode not in self.stop_modes:
            raise InvalidRequest(
                f"You can't {mode} workspaces on {self.settings.title}. Stop it there instead."
            )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the host patterns allowed in IDE URLs; ``*.X`` matches every host below X.

        Subclasses add their patterns to the operator's (``settings.ide_hosts``).
        """
        return self.settings.ide_hosts

    def allowed_url(self, url: str | None) -> str | None:
        """Return an IDE URL in its safe form if this connection allows its host, otherwise None."""
        return to_allowed_ide_url(url, self.settings.base_url, self.ide_hosts())

    def describe(self) -> Mapping[str, Any]:
        """Return the facts about the connection for ``doctor``, without secrets."""
        return {"provider": self.kind, "base_url": self.settings.base_url, "linking": self.settings.linking}


def describe_unknown_state(word: str) -> str:
    """Describe a state that the provider's documentation doesn't list or that can't be parsed."""
    return f"unknown state {word[:40]!r}" if word else "its state can't be read"
