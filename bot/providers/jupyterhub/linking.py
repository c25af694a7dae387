"""Find out whose token it is, and replace it with one of our own; sign in at the hub (OAuth 2 with PKCE).

A token from a login ends with the logout, and one that a person made may be deleted along with others; so
Usher mints its own at once, with the permissions it needs and no more, for as long as the pasted one lasts.
Where Usher is registered as a service, the hub's OAuth token, which ends when its person logs out, is used
for that and deleted. Source: ``docs/providers/jupyterhub.md``, "Linking".
"""

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from bot.providers.base import Access, Credential, Identity, OAuthClient
from bot.providers.requests import Api, checks_token, error_of, moment, path_part, text_in, word_in
from bot.support import errors
from bot.support.http import Response

NOTE = "Usher"
#: What a person's token is used for: start, stop and read servers; probe their IDE; delete the token.
SCOPES = ("servers!user", "access:servers!user", "read:users:name!user", "tokens!user")
_NEEDED = ("start:servers", "read:servers", "delete:servers")
#: People wait for these responses, 10 s at most in all.
CHECK_SECONDS = 4.0
MINT_SECONDS = 2.5
#: Key in ``Credential.extra``: the id of a token that Usher minted itself.
TOKEN_ID = "token_id"  # noqa: S105 - a key's name, no secret


async def who_is(api: Api, credential: Credential) -> dict[str, Any]:
    """Return what the hub says about a token's owner; raise CredentialRefused if the token is worthless.

    The hub answers bad tokens with 403, like missing permissions; here it can only be the token.
    """
    with checks_token():
        response = await api.call("GET", "/user", credential, total=CHECK_SECONDS)
    return response.json_object()


async def confirm(api: Api, access: Access) -> None:
    """Check that a token is worth something, and still belongs to the name that was linked.

    Raises CredentialRefused, or Renamed: administrators can rename people, whose tokens stay theirs.
    """
    username = text_in(await who_is(api, access.credential), "name")
    if username != access.username:
        raise errors.Renamed(username)


async def check(api: Api, credential: Credential) -> Identity:
    """Return whose token it is, with a token of our own if the hub lets us mint one."""
    owner = await who_is(api, credential)
    username, granted = owner_in(owner)
    return Identity(username, await _own_token(api, credential, username, owner, granted))


def owner_in(owner: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the name of a token's owner and the scopes that the token holds.

    Raises Forbidden if it belongs to a service, or lacks what Usher needs.
    """
    if owner.get("kind", "user") != "user":
        raise errors.Forbidden("This token belongs to a service, not to a person. Request one of your own.")
    username = text_in(owner, "name")
    if not username.isprintable():
        raise errors.BadAnswer("the answer's field name is no name")
    scopes = owner.get("scopes")
    if not isinstance(scopes, list):
        return username, []
    granted = [scope for scope in scopes if isinstance(scope, str)]
    lacking = [scope for scope in _NEEDED if not _covers(granted, scope, username)]
    if lacking:
        raise errors.Forbidden(
            f"This token lacks {', '.join(lacking)}. Request a new one and leave its permissions empty."
        )
    return username, granted


def _covers(granted: Iterable[str], scope: str, username: str) -> bool:
    """Say whether expanded scopes grant one for the person's own things; a narrower filter is not enough."""
    return any(have == scope or have in {f"{scope}!user={username}", f"{scope}!user"} for have in granted)


async def _own_token(
    api: Api, pasted: Credential, username: str, owner: Mapping[str, Any], granted: Iterable[str]
) -> Credential:
    names = {scope.removesuffix("!user") for scope in SCOPES}
    if not all(_covers(granted, name, username) for name in names):
        return pasted
    ends_at: float | None = None
    try:
        ends_at, seconds = await _end_of(api, pasted, username, text_in(owner, "token_id"))
        return await mint(api, pasted, username, seconds)
    except (errors.ProviderError, ValueError):
        # The pasted token works; it just isn't ours to revoke.
        return replace(pasted, ends_at=ends_at)


async def mint(api: Api, credential: Credential, username: str, seconds: int | None) -> Credential:
    """Make a token of our own that lasts for so many seconds, None for as long as the hub allows."""
    body = {"note": NOTE, "scopes": list(SCOPES), "expires_in": seconds}
    response = await api.call("POST", tokens_path(username), credential, json_body=body, total=MINT_SECONDS)
    answer = response.json_object(revealed=True)
    made = {TOKEN_ID: text_in(answer, "id")}
    return Credential(SecretStr(text_in(answer, "token")), None, made, moment(answer.get("expires_at")))


def tokens_path(username: str) -> str:
    """Return the path of a person's tokens."""
    return f"/users/{path_part(username)}/tokens"


async def _end_of(
    api: Api, pasted: Credential, username: str, token_id: str
) -> tuple[float | None, int | None]:
    """Return when the pasted token ends, and in how many seconds by the hub's own clock; None for never."""
    path = f"{tokens_path(username)}/{path_part(token_id)}"
    response = await api.call("GET", path, pasted, total=MINT_SECONDS)
    ends_at = moment(response.json_object().get("expires_at"))
    if ends_at is None:
        return None, None
    now = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    # The header has whole seconds only; our token ends before the pasted one, never after it.
    return ends_at, max(int(ends_at - now) - 1, 1)


async def revoke(api: Api, access: Access) -> None:
    """Delete the token that Usher minted, using that token itself: ids are reused after a deletion.

    While it still opens the account, its id can't have been reused. Other tokens stay.
    """
    minted = access.credential.extra.get(TOKEN_ID)
    if minted is None:
        return
    try:
        owner = await who_is(api, access.credential)
    except errors.CredentialRefused:
        return
    token_id = word_in(owner, "token_id") or minted
    path = f"{tokens_path(text_in(owner, 'name'))}/{path_part(token_id)}"
    try:
        await api.call("DELETE", path, access.credential)
    except errors.NotFound:
        return


CLIENT_ID = "service-usher"
#: For how long a token of ours lasts, where the hub doesn't limit that further; seconds.
LASTS = 365 * 86_400
#: A person waits for these, 10 s at most in all.
EXCHANGE_SECONDS = 2.5
FORGET_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class SignInClient(OAuthClient):
    """Be the hub's OAuth client. ``public`` is the hub's address for people, in front of ``/hub``."""

    api: Api
    public: str
    client_id: str
    secret: SecretStr

    def page(self, back: str, state: str, challenge: str) -> str:
        """Return the hub's page on which a person signs in, and agrees unless it doesn't ask for that."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": back,
            "scope": " ".join(SCOPES),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.public}/hub/api/oauth2/authorize?{urlencode(query)}"

    async def finish(self, code: str, verifier: str, back: str) -> Identity:
        """Exchange the code, mint a token of our own, and delete the one that the exchange brought."""
        response = await self._exchange(code, verifier, back)
        if response.status == 401:
            raise errors.Untrusted("the hub doesn't accept the client id and secret", status=401)
        if response.status == 400:
            raise errors.CredentialRefused("the hub refuses the code", status=400)
        if not 200 <= response.status < 300:
            raise error_of(response, changes=True)
        granted = Credential(SecretStr(text_in(response.json_object(revealed=True), "access_token")))
        owner = await who_is(self.api, granted)
        username, _ = owner_in(owner)
        try:
            own = await self._own(granted, username)
        finally:
            await self._forget(granted, username, word_in(owner, "token_id"))
        return Identity(username, own)

    async def is_known(self) -> bool:
        """Ask for nothing with a code that is none: a client is checked first."""
        response = await self._exchange(secrets.token_urlsafe(), secrets.token_urlsafe(32), "")
        if response.status == 401:
            return False
        if response.status != 400:
            raise error_of(response, changes=False)
        return True

    async def _own(self, granted: Credential, username: str) -> Credential:
        try:
            try:
                return await mint(self.api, granted, username, LASTS)
            except errors.InvalidRequest:
                # A hub that limits how long tokens last gives as long as it can when not asked for a time.
                return await mint(self.api, granted, username, None)
        except errors.InvalidRequest as error:
            raise errors.Forbidden(error.message, status=error.status) from None

    async def _forget(self, granted: Credential, username: str, token_id: str | None) -> None:
        """Delete the token that the exchange brought: by itself it ends only with the person's session."""
        if token_id is not None:
            with suppress(errors.ProviderError):
                path = f"{tokens_path(username)}/{path_part(token_id)}"
                await self.api.call("DELETE", path, granted, total=FORGET_SECONDS)

    async def _exchange(self, code: str, verifier: str, back: str) -> Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "client_secret": self.secret.get_secret_value(),
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        return await self.api.http.request(
            "POST",
            f"{self.api.root}/oauth2/token",
            headers={"Accept": "application/json"},
            form=form,
            total=EXCHANGE_SECONDS,
            hides=(form["client_secret"], code, verifier),
        )


def registration(client_id: str, back: str, connection: str) -> str:
    """Return the lines of ``jupyterhub_config.py`` that register Usher, and where its secret goes."""
    name = client_id.removeprefix("service-")
    scopes = "".join(f'\n            "{scope}",' for scope in SCOPES)
    return f"""\
Add to jupyterhub_config.py:
c.JupyterHub.services = [
    {{
        "name": "{name}",
        "oauth_client_id": "{client_id}",
        "api_token": "…",  # the client_secret: 64 random characters
        "oauth_redirect_uri": "{back}",
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
