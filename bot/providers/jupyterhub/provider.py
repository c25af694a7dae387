"""Translates between Usher's terms and the API of a JupyterHub.

``docs/internals/providers/jupyterhub.md`` describes how hubs behave, as verified against JupyterHub 6.1.

Named servers are created from templates (``[[connections.NAME.templates]] name, title, options = {…}, who``),
because a hub doesn't report its spawner's options. The hub passes ``options``, the JSON body of a start
request, to the spawner.

Users link their accounts by pasting a token or by signing in. In both cases, Usher immediately uses the token
that it gets to create another one, with only the permissions that Usher needs. The user might delete a pasted
token when cleaning up, and the token from a sign-in expires when the user logs out. Usher's own token lasts
at most a year, and no longer than a pasted token. If Usher can't replace a pasted token, it keeps using that
token.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import SecretStr

from bot.domain.forms import NameRule
from bot.domain.observations import Observed
from bot.domain.snapshots import Allowance
from bot.domain.stops import StopMode
from bot.domain.workspaces import State, Workspace
from bot.providers import base, connection, facets
from bot.providers.access import RemoteAccount
from bot.providers.answers import (
    Listing,
    find_amount,
    find_text,
    format_creation,
    log_oddity,
    parse_time,
    require_text,
)
from bot.providers.base import Access, Credential, Identity
from bot.providers.facets import OAuthClient
from bot.providers.jupyterhub.making import HubMaking, JupyterHubOffer
from bot.providers.jupyterhub.servers import (
    CHECK_SECONDS,
    DISPLAY_NAMES_RELEASE,
    TOKEN_ID,
    UNREADABLE,
    ServerName,
    Servers,
    Share,
    TokenOwner,
    check_page,
    parse_reference,
    read_token_owner,
)
from bot.providers.jupyterhub.settings import JupyterHubSettings
from bot.providers.requests import ApiClient, encode_path_segment, map_concurrently, none_if_absent
from bot.providers.words import clean
from bot.support import errors
from bot.support.addresses import parse_origin
from bot.support.responses import Response

#: Scopes of the token that Usher creates for a user. They let Usher start, stop and read servers, check their
#: IDE, and delete the token itself.
SCOPES = ("servers!user", "access:servers!user", "read:users:name!user", "tokens!user")
#: Scope for listing the servers that others share with the user. Hubs have had it since 5.0. ``SHARES_KEY``
#: in ``Credential.extra`` marks a token with this scope.
SHARES_SCOPE = "read:users:shares"
SHARES_KEY = "shares"
_REQUIRED_SCOPES = ("start:servers", "read:servers", "delete:servers")
#: Maps each required scope to broader scopes that include it. Before 6.0, there was no separate scope for
#: starting servers.
_WIDER_SCOPES = dict.fromkeys(_REQUIRED_SCOPES, ("servers", "admin:servers"))
#: Scopes that grant everything that the token's owner may do.
_WHOLE_SCOPES = frozenset({"self", "inherit", "all"})
#: Time limit, in seconds, for each request that creates a token or reads a pasted token's expiry. When a user
#: links an account, Usher allows 10 s for all requests together (``bot.services.linking``).
MINT_SECONDS = 2.5
#: Key in ``Credential.extra``, set if Usher chose the token's expiry itself rather than copying it from a
#: token that the user created.
LASTING_KEY = "lasting"
#: Maximum lifetime of the tokens that Usher creates, in seconds. The hub may set a lower limit.
MAX_TOKEN_SECONDS = 365 * 86_400
#: Maximum delay, in seconds, before a hub records that a token was used. This is the hub's
#: ``activity_resolution`` (30) plus a margin.
USE_SECONDS = 60.0
#: Time limit, in seconds, for the request that exchanges a sign-in's code for a token.
EXCHANGE_SECONDS = 2.5
#: Time limit, in seconds, for each request made to find or delete the temporary token from a sign-in.
FORGET_SECONDS = 0.5


PROBE_SECONDS = 8.0
#: Maximum number of servers to read concurrently for one list.
MAX_CONCURRENT_READS = 5


class JupyterHub(
    base.Provider,
    facets.Lists,
    facets.PageChecks,
    facets.Removal,
    facets.Revocation,
    facets.Minting,
    facets.Tokens,
    facets.SignIn,
    facets.Allowances,
    HubMaking,
):
    """Translate between Usher's terms and the API of one JupyterHub."""

    kind: ClassVar[str] = "jupyterhub"
    title: ClassVar[str] = "JupyterHub"
    settings_model: ClassVar[type[connection.ConnectionSettings]] = JupyterHubSettings
    settings: JupyterHubSettings
    offer_model: ClassVar[type[JupyterHubOffer]] = JupyterHubOffer
    name_rule: ClassVar[NameRule] = NameRule(30, needs_letter=True)
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=2.0, pending_interval=2.0, running_interval=60.0, unused_interval=1800.0
    )

    api_path: ClassVar[str] = "/hub/api"
    credential_in: ClassVar[base.CredentialPlacement] = base.CredentialPlacement(scheme="token")
    error_keys: ClassVar[Collection[str]] = ("status",)

    @property
    def _public(self) -> str:
        return self.settings.public_url or self.settings.base_url

    @cached_property
    def _servers(self) -> Servers:
        return Servers(self._public, self.allowed_url)

    def other_hosts(self) -> Mapping[str, bool]:
        """Return the hosts of users' servers. These hosts, too, receive the token of a server's owner."""
        origin = parse_origin(self._public)
        return dict.fromkeys((*self.ide_hosts(), f"*.{origin.shown_host}:{origin.port}"), True)

    def gate_key(self, remote_id: str) -> str:
        """Return the gate key: the API's URL followed by the id."""
        return f"{self.api.root}#{remote_id}"

    def find_owner(self, remote_id: str) -> str | None:
        """Return the username contained in the id."""
        with suppress(errors.NotFound):
            return ServerName.from_id(remote_id).user
        return None

    def id_after_rename(self, remote_id: str, old_username: str, new_username: str) -> str:
        """Return the id with the old name replaced by the new one."""
        with suppress(errors.NotFound):
            name = ServerName.from_id(remote_id)
            if name.user == old_username:
                return ServerName(new_username, name.server).remote_id
        return remote_id

    async def status(
        self, access: Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """List the servers in one request, then read each server that is running, starting or broken."""
        servers = await self._servers.list_servers(access, window)
        others = [one for one in remote_ids if self.find_owner(one) not in {None, access.username}]
        listed = await self._servers.list_shared(access) if others else Listing()
        shares, found = dict(listed), dict[str, Observed]()
        for remote_id in remote_ids:
            if remote_id in shares:
                found[remote_id] = await self._servers.observe_shared(access, remote_id, shares[remote_id])
            elif remote_id in others and not listed.is_whole:
                # The server may be one of the entries that couldn't be read.
                found[remote_id] = Observed(State.UNKNOWN, detail=UNREADABLE, actions=frozenset())
            else:
                found[remote_id] = await self._servers.observe(access, remote_id, servers)
        return found

    async def check_page(self, access: Access, remote_id: str, seen: Observed) -> Observed:
        """Check the IDE itself, since the hub may report *ready* too early, for example if its proxy lags.

        Servers shared by other users aren't checked, because a token that Usher created doesn't open them.
        """
        is_open = seen.url is not None and seen.owner is None
        return await check_page(access, seen.url or "", seen) if is_open else seen

    async def discover(self, access: Access) -> Listing[facets.DiscoveredWorkspace]:
        """List the default server and all named ones, running or not, then those shared with the user."""
        servers = await self._servers.list_servers(access, None)
        if servers is None:
            raise errors.NotFound("the hub knows no such person")

        async def one(remote_id: str) -> facets.DiscoveredWorkspace:
            observed = await self._servers.observe(access, remote_id, servers)
            return facets.DiscoveredWorkspace(remote_id, observed.name or "", observed)

        async def other(shared: tuple[str, Share]) -> facets.DiscoveredWorkspace:
            observed = await self._servers.observe_shared(access, *shared)
            return facets.DiscoveredWorkspace(shared[0], observed.name or "", observed)

        names = [ServerName(access.username, name) for name in {"": None, **servers}]
        can_be_named = [remote_id for name in names if (remote_id := _to_id(name))]
        found = await map_concurrently(MAX_CONCURRENT_READS, one, can_be_named)
        shares = await self._servers.list_shared(access)
        found += await map_concurrently(MAX_CONCURRENT_READS, other, shares)
        return Listing(found, is_whole=shares.is_whole and len(can_be_named) == len(names))

    async def read_allowances(self, access: Access) -> Sequence[Allowance]:
        """Read the user's balances, if the hub has a credit service and this token may read it."""
        asking = access.api.call("GET", "/credits", total=CHECK_SECONDS)
        try:
            response = await none_if_absent(asking)
        except (errors.Forbidden, errors.RefusedInFront):
            return ()
        found = [] if response is None else response.json()
        return tuple(
            Allowance("credits", left, find_amount(one, "cap"), clean(find_text(one, "name") or "", 40))
            for one in (found if isinstance(found, list) else [])
            if isinstance(one, dict) and (left := find_amount(one, "balance")) is not None
        )

    async def start(self, access: Access, workspace: Workspace) -> str | None:
        """Ask the hub to start a server. It isn't an error if the server is already running."""
        return await self._servers.request("start", _require_shown(access, workspace), access)

    async def stop(self, access: Access, workspace: Workspace, mode: StopMode = "stop") -> str | None:
        """Ask the hub to stop a server, even one that is starting or already stopped."""
        self.require_stop_mode(mode)
        return await self._servers.request("stop", _require_shown(access, workspace), access)

    async def remove(self, access: Access, workspace: Workspace) -> str | None:
        """Stop and remove a named server; the hub refuses to remove the default server."""
        name = _require_shown(access, replace(workspace, owner=None))
        return await self._servers.request("remove", name, access, {"remove": True})

    async def probe(self) -> str:
        """Read the hub's version, which is public."""
        response = await self.api.call("GET", "/", total=PROBE_SECONDS)
        return f"JupyterHub {clean(require_text(response.json_object(), 'version'))}"

    async def read_warning(self) -> str:
        """Return the hosts of users' servers, with a warning if this machine can't reach the public URL."""
        origin = parse_origin(self._public)
        hosts = f"Servers open at {origin.netloc}, or at NAME.{origin.netloc} if the hub sets subdomain_host."
        try:
            await self.api.send("GET", f"{self._public}/hub/api/", total=PROBE_SECONDS)
        except errors.TemporaryError:
            return (
                f"{hosts} {self._public} can't be reached from here. That's fine if people's browsers can "
                "reach it; otherwise check public_url."
            )
        return hosts

    async def check_credential(self, credential: Credential) -> Identity:
        """Find out who owns this token. If the hub allows it, exchange the token for one of Usher's own."""
        api = self.api.acting_as(credential)
        owner = await read_token_owner(api)
        username, granted = check_owner(owner)
        own = await _mint_own_token(api, credential, username, owner, granted)
        return Identity(username, replace(own, account_id=format_creation(owner.get("created"))))

    def is_made_by_name(self, access: Access, call: str) -> bool:
        """Return whether the token may open other accounts, as a token pasted by an administrator can."""
        return TOKEN_ID not in access.credential.extra

    async def read_account(self, access: Access) -> RemoteAccount | None:
        """Read a token's owner. Hubs have no ids, and show a user's creation time only to some tokens."""
        owner = await read_token_owner(access.api)
        created = format_creation(owner.get("created"))
        is_compared = bool(created) or self.is_made_by_name(access, "read")
        return RemoteAccount(created, require_text(owner, "name")) if is_compared else None

    def can_revoke(self, credential: Credential) -> bool:
        """Return whether Usher created the token. Only the user may delete a pasted token."""
        return TOKEN_ID in credential.extra

    async def revoke(self, access: Access) -> None:
        """Delete a token that Usher created. The token itself authorises the call.

        Hubs reuse the ids of deleted tokens, but an id can't belong to another token while this one still
        works.
        """
        owner = await read_token_owner(access.api)
        token_id = find_text(owner, "token_id") or access.credential.extra[TOKEN_ID]
        path = f"{ServerName(require_text(owner, 'name')).user_path}/tokens/{encode_path_segment(token_id)}"
        try:
            await access.api.call("DELETE", path)
        except errors.NotFound:
            return

    def can_mint(self, credential: Credential) -> bool:
        """Return whether Usher chose the token's expiry, rather than copying it from a pasted token."""
        return LASTING_KEY in credential.extra

    async def mint(self, access: Access) -> Credential:
        """Create the next token, using the current one, which has the scope ``tokens!user``."""
        return await mint_lasting(
            access.api, access.username, sees_shares=SHARES_KEY in access.credential.extra
        )

    @property
    def client(self) -> OAuthClient | None:
        """Return the client with which Usher is registered as a service of the hub, if there is one."""
        own = self.settings
        if own.client_secret is None:
            return None
        return SignInClient(self.api, self._public, own.client_id, own.client_secret)

    def describe_registration(self, redirect_uri: str) -> str:
        """Return the lines to add to the hub's configuration, and the line for the connection's settings."""
        return format_registration(self.settings.client_id, redirect_uri, self.settings.name)

    def parse_reference(self, text: str) -> str | None:
        """Return the id of the server that a link, or text like ``person/server``, refers to."""
        return parse_reference(text, self._public)

    def page_url(self, remote_id: str) -> str:
        """Return the hub's home page, which lists the user's servers. A server's own page might start it."""
        return f"{self._public}/hub/home"

    def token_help(self) -> facets.TokenHelp:
        """Explain where users can get a token."""
        return facets.TokenHelp(
            url=f"{self._public}/hub/token",
            steps=(
                f"Press Open {self.settings.title} and sign in.",
                "Press “Request new API token” and leave its permissions empty.",
                "Copy the token and paste it here.",
                "Usher uses it to create one of its own. After that, you can delete the one you pasted.",
            ),
            pattern=r"^[0-9A-Za-z._~+/=-]{8,512}$",
        )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the operator's hosts, and the host and port of the hub's public URL."""
        origin = parse_origin(self._public)
        return (*self.settings.ide_hosts, f"{origin.shown_host}:{origin.port}")

    def allowed_url(self, url: str | None) -> str | None:
        """Also allow URLs on the users' own hosts. With ``subdomain_host``, they are below the hub's host."""
        home = connection.match_subdomain(url or "", self._public)
        return super().allowed_url(url) if home is None else connection.to_allowed_ide_url(url, home, ())

    def describe(self) -> Mapping[str, Any]:
        """Return the facts about the connection, including the hub's URLs."""
        return {
            **super().describe(),
            "api": self.api.root,
            "public_url": self._public,
            "templates": [template.name for template in self.settings.templates],
        }


def _to_id(name: ServerName) -> str:
    try:
        return name.remote_id
    except errors.NotFound:
        log_oddity("a server's name can't be part of an address")
        return ""


def _require_shown(access: Access, workspace: Workspace) -> ServerName:
    """Return a server's name. Raise NotFound for another user's server that isn't shared, as the hub does."""
    name = ServerName.from_id(workspace.remote_id)
    if name.user != access.username and workspace.is_own:
        raise errors.NotFound("there is no such server")
    return name


@dataclass(frozen=True, slots=True)
class Grants:
    """The scopes of a token, as the hub reports them, and the token's owner.

    Attributes:
        scopes: The scopes. Each has a filter (after ``!``) unless it applies to all users.
        username: The token owner's name.
        groups: The owner's groups, or None if the token isn't allowed to see them.
    """

    scopes: frozenset[str] = frozenset()
    username: str = ""
    groups: Sequence[object] | None = None

    def has_scope(self, name: str) -> bool:
        """Return whether the token has this scope for everything that its owner has, not just for a part."""
        covering = {name, *_WIDER_SCOPES.get(name, ()), *_WHOLE_SCOPES}
        return any(self._is_for_owner(scope) for scope in self.scopes if scope.partition("!")[0] in covering)

    def names(self, name: str) -> bool:
        """Return the same as ``has_scope``, but don't count broader scopes that include this one."""
        return any(self._is_for_owner(scope) for scope in self.scopes if scope.partition("!")[0] == name)

    def _is_for_owner(self, scope: str) -> bool:
        only = scope.partition("!")[2]
        kind, _, of_group = only.partition("group=")
        if not kind and of_group:
            return self.groups is None or of_group in self.groups
        return only in {"", "user", f"user={self.username}"}


def check_owner(owner: TokenOwner) -> tuple[str, Grants]:
    """Return the name of a token's owner, and the token's scopes.

    Raises Forbidden if the token belongs to a service, or doesn't have the scopes that Usher needs.
    """
    if owner.get("kind", "user") != "user":
        raise errors.Forbidden("This token belongs to a service, not to a person. Request one of your own.")
    username = require_text(owner, "name")
    if not username.isprintable():
        raise errors.BadAnswer("the answer's field name is no name")
    scopes, groups = owner.get("scopes"), owner.get("groups")
    if not isinstance(scopes, list):
        return username, Grants()
    texts = frozenset(scope for scope in scopes if isinstance(scope, str))
    granted = Grants(texts, username, groups if isinstance(groups, list) else None)
    lacking = [scope for scope in _REQUIRED_SCOPES if not granted.has_scope(scope)]
    if "start:servers" in lacking and owner.release < DISPLAY_NAMES_RELEASE:
        lacking = ["servers"]
    if lacking:
        raise errors.Forbidden(
            f"This token lacks {', '.join(lacking)}. Request a new one and leave its permissions empty."
        )
    return username, granted


async def _mint_own_token(
    api: ApiClient, pasted: Credential, username: str, owner: Mapping[str, Any], granted: Grants
) -> Credential:
    if not all(granted.has_scope(scope.removesuffix("!user")) for scope in SCOPES):
        return pasted
    ends_at, sees_shares = None, granted.names(SHARES_SCOPE)
    try:
        ends_at, seconds = await _read_token_end(api, username, find_text(owner, "token_id"))
        if seconds is None or seconds > MAX_TOKEN_SECONDS:
            return await mint_lasting(api, username, sees_shares=sees_shares)
        return await mint(api, username, seconds, sees_shares=sees_shares)
    except (errors.ProviderError, ValueError):
        # Keep the pasted token. It works just as well, but Usher must not revoke it.
        return replace(pasted, expires_at=ends_at)


async def mint(
    api: ApiClient, username: str, seconds: int | None, *, sees_shares: bool = False
) -> Credential:
    """Create a token for Usher that lasts ``seconds`` seconds or, with None, as long as the hub allows."""
    body = {
        "note": "Usher",
        "scopes": [*SCOPES, *([f"{SHARES_SCOPE}!user"] if sees_shares else [])],
        **({} if seconds is None else {"expires_in": seconds}),
    }
    response = await api.call("POST", "/users/{}/tokens", username, json_body=body, total=MINT_SECONDS)
    answer = response.json_object(unredacted=True)
    made = {TOKEN_ID: require_text(answer, "id"), **({SHARES_KEY: "1"} if sees_shares else {})}
    return Credential(
        SecretStr(require_text(answer, "token")), None, made, parse_time(answer.get("expires_at"))
    )


async def mint_lasting(api: ApiClient, username: str, *, sees_shares: bool = False) -> Credential:
    """Create a token for Usher that lasts a year or, failing that, as long as the hub allows."""
    try:
        minted = await mint(api, username, MAX_TOKEN_SECONDS, sees_shares=sees_shares)
    except errors.InvalidRequest:
        # A hub that limits lifetimes grants the maximum if no lifetime is requested.
        minted = await mint(api, username, None, sees_shares=sees_shares)
    return replace(minted, extra={**minted.extra, LASTING_KEY: "1"})


async def _read_token_end(
    api: ApiClient, username: str, token_id: str | None
) -> tuple[float | None, int | None]:
    """Return when the pasted token expires, and how many seconds are left. Both are None if it never expires.

    Hubs before 5.0 don't say which token was used. For such a hub, this is the earliest expiry among the
    tokens that were just used.
    """
    if token_id:
        response = await api.call("GET", "/users/{}/tokens/{}", username, token_id, total=MINT_SECONDS)
    else:
        response = await api.call("GET", "/users/{}/tokens", username, total=MINT_SECONDS)
    now = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    tokens = [response.json_object()] if token_id else _list_just_used(response, now)
    ends = [parse_time(token.get("expires_at")) for token in tokens]
    ends_at = min((end for end in ends if end is not None), default=None)
    if ends_at is None:
        return None, None
    # Usher's token must not outlast the pasted one. The header only has whole seconds, so subtract one.
    return ends_at, max(int(ends_at - now) - 1, 1)


def _list_just_used(response: Response, now: float) -> list[dict[str, Any]]:
    """Return the user's tokens that were just used, except for tokens of sessions."""
    own = [token for token in _list_tokens(response) if not token.get("session_id")]
    used = [token for token in own if (parse_time(token.get("last_activity")) or 0.0) >= now - USE_SECONDS]
    if not used:
        raise errors.BadAnswer("the list of tokens lacks the one that was used")
    return used


def _list_tokens(response: Response) -> list[dict[str, Any]]:
    tokens = response.json_object().get("api_tokens")
    return [token for token in tokens if isinstance(token, dict)] if isinstance(tokens, list) else []


@dataclass(frozen=True, slots=True)
class SignInClient(OAuthClient):
    """Usher as an OAuth client of the hub. ``public`` is the hub's URL for users, without ``/hub``."""

    api: ApiClient
    public: str
    client_id: str
    secret: SecretStr

    def authorization_url(self, redirect_uri: str, state: str, challenge: str) -> str:
        """Return the URL of the hub's page where a user signs in and, if the hub asks, consents."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.public}/hub/api/oauth2/authorize?{urlencode(query)}"

    async def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> Identity:
        """Exchange the code for a token, use it to create a token for Usher, and delete the first one."""
        response = await self._exchange(code, verifier, redirect_uri)
        if response.status == 401:
            raise errors.Untrusted("the hub doesn't accept the client id and secret", status=401)
        if response.status == 400:
            raise errors.CredentialRefused("the hub refuses the code", status=400)
        if not 200 <= response.status < 300:
            raise self.api.to_error(response, changes=True)
        granted = Credential(SecretStr(require_text(response.json_object(unredacted=True), "access_token")))
        api = self.api.acting_as(granted)
        owner = await read_token_owner(api)
        username, _ = check_owner(owner)
        try:
            own = await mint_lasting(api, username)
        except errors.InvalidRequest as error:
            raise errors.Forbidden(error.message, status=error.status) from None
        finally:
            await self._forget(api, username, owner)
        return Identity(username, replace(own, account_id=format_creation(owner.get("created"))))

    async def is_accepted(self) -> bool:
        """Return whether the hub knows Usher. The hub checks the client before it looks at the code."""
        response = await self._exchange(secrets.token_urlsafe(), secrets.token_urlsafe(32), "")
        if response.status == 401:
            return False
        if response.status != 400:
            raise self.api.to_error(response, changes=False)
        return True

    async def _forget(self, api: ApiClient, username: str, owner: TokenOwner) -> None:
        """Delete the token from the code exchange. It would otherwise last until the user's session ends."""
        with suppress(errors.ProviderError):
            for token_id in await self._list_granted(api, username, owner):
                await api.call("DELETE", "/users/{}/tokens/{}", username, token_id, total=FORGET_SECONDS)

    async def _list_granted(self, api: ApiClient, username: str, owner: TokenOwner) -> list[str]:
        """Return the token's id. On hubs before 5.0, return the ids of all Usher's tokens in the session."""
        token_id, session = find_text(owner, "token_id"), find_text(owner, "session_id")
        if token_id or not session:
            return [token_id] if token_id else []
        response = await api.call("GET", "/users/{}/tokens", username, total=FORGET_SECONDS)
        service = self.client_id.removeprefix("service-")
        mine = {"session_id": session, "oauth_client": f"JupyterHub service {service}"}
        return [
            require_text(token, "id") for token in _list_tokens(response) if mine.items() <= token.items()
        ]

    async def _exchange(self, code: str, verifier: str, redirect_uri: str) -> Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "client_secret": self.secret.get_secret_value(),
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        hides = (form["client_secret"], code, verifier)
        return await self.api.send("POST", "/oauth2/token", form=form, total=EXCHANGE_SECONDS, hides=hides)


def format_registration(client_id: str, redirect_uri: str, connection: str) -> str:
    """Return the ``jupyterhub_config.py`` lines that register Usher and say where to put its secret."""
    name = client_id.removeprefix("service-")
    scopes = "".join(f'\n            "{scope}",' for scope in SCOPES)
    return f"""\
Add to jupyterhub_config.py:
c.JupyterHub.services = [
    {{
        "name": "{name}",
        "oauth_client_id": "{client_id}",
        "api_token": "…",  # the client_secret: 64 random characters
        "oauth_redirect_uri": "{redirect_uri}",
        "oauth_client_allowed_scopes": [{scopes}
        ],
        "oauth_no_confirm": True,  # Usher asks on its own page
    }},
]
c.JupyterHub.load_roles = [
    {{"name": "user", "scopes": ["self", "access:services!service={name}"]}},
]
and the same secret to [connections.{connection}]: client_secret = "env:…"
"""
