"""Signing in at a hub where Usher is registered as a service: OAuth 2 with PKCE, then a token of our own.

The hub's own OAuth token ends when its person logs out, so it is used to mint one that doesn't, and deleted.
Source: ``docs/providers/jupyterhub.md``, "Linking".
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import SecretStr

from bot.providers.base import Credential, Identity
from bot.providers.facets import OAuthClient
from bot.providers.jupyterhub.linking import SCOPES, mint, owner_in, tokens_path, who_is
from bot.providers.reading import text_in, word_in
from bot.providers.requests import Api, error_of, path_part
from bot.support.errors import CredentialRefused, Forbidden, InvalidRequest, ProviderError, Untrusted
from bot.support.responses import Response

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
            raise Untrusted("the hub doesn't accept the client id and secret", status=401)
        if response.status == 400:
            raise CredentialRefused("the hub refuses the code", status=400)
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
            except InvalidRequest:
                # A hub that limits how long tokens last gives as long as it can when not asked for a time.
                return await mint(self.api, granted, username, None)
        except InvalidRequest as error:
            raise Forbidden(error.message, status=error.status) from None

    async def _forget(self, granted: Credential, username: str, token_id: str | None) -> None:
        """Delete the token that the exchange brought: by itself it ends only with the person's session."""
        if token_id is not None:
            with suppress(ProviderError):
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
