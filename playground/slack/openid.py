"""*Sign in with Slack* and the installation of the app: pages for browsers, codes, keys and tokens."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from playground.slack import tabs
from playground.slack.records import Json, Person
from playground.slack.state import State
from playground.slack.tabs import page

ISSUER = "https://slack.com"
CODE_SECONDS = 600.0
TOKEN_SECONDS = 300
SIGN_IN_SCOPES = {"openid", "email", "profile"}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code grants; ``flow`` is openid or install."""

    flow: str
    user: str
    scopes: tuple[str, ...]
    redirect_uri: str
    redirect_was_sent: bool
    made: float
    nonce: str | None = None
    has_challenge: bool = False


def base64url(data: bytes) -> str:
    """Encode as base64url without padding, as in JSON Web Tokens."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Refused(Exception):
    """Raised if the authorize page can't continue. Slack then shows the reason and doesn't redirect."""


class OpenId:
    """Issues and stores codes, and holds the key that signs tokens."""

    def __init__(self, state: State, wall: Callable[[], float]) -> None:
        self.grants: dict[str, Grant] = {}
        self._state = state
        self._wall = wall

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _key_id(self) -> str:
        return base64url(
            hashlib.sha256(str(self._key.public_key().public_numbers().n).encode()).digest()[:16]
        )

    def install(self, app: web.Application) -> None:
        """Add the routes on Slack's own origin."""
        tabs.install(app, self._state)
        app.router.add_get("/openid/connect/authorize", self._authorize_openid)
        app.router.add_get("/oauth/v2/authorize", self._authorize_install)
        app.router.add_get("/openid/connect/keys", self._keys)
        app.router.add_get("/.well-known/openid-configuration", self._configuration)

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.public_key]})

    @property
    def public_key(self) -> Json:
        """Return the public key for checking id_tokens."""
        numbers = self._key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self._key_id,
            "e": base64url(numbers.e.to_bytes(3, "big")),
            "n": base64url(numbers.n.to_bytes(size, "big")),
        }

    async def _configuration(self, _request: web.Request) -> web.Response:
        base = self._state.base_url
        return web.json_response(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{base}/openid/connect/authorize",
                "token_endpoint": f"{base}/api/openid.connect.token",
                "userinfo_endpoint": f"{base}/api/openid.connect.userInfo",
                "jwks_uri": f"{base}/openid/connect/keys",
                "scopes_supported": sorted(SIGN_IN_SCOPES),
                "response_types_supported": ["code"],
                "response_modes_supported": ["form_post"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "claims_supported": ["sub", "auth_time", "iss"],
                "claims_parameter_supported": False,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": True,
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            }
        )

    async def _authorize_openid(self, request: web.Request) -> web.StreamResponse:
        return self.authorize(request, "openid")

    async def _authorize_install(self, request: web.Request) -> web.StreamResponse:
        return self.authorize(request, "install")

    def authorize(self, request: web.Request, flow: str) -> web.StreamResponse:
        """Redirect to the app with a code if the person at the browser is known; otherwise ask who it is."""
        query = request.query
        try:
            scopes, redirect_uri = self._scopes(request, flow), self._redirect_uri(request)
            person = self._person(request)
        except Refused as refusal:
            return page("Something went wrong", f"<p>{html.escape(str(refusal))}</p>", 400)
        if query.get("deny"):
            return self._back(redirect_uri, {"error": "access_denied", "state": query.get("state", "")})
        if person is None:
            return self._ask(request, flow)
        code = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
        self.grants[code] = Grant(
            flow,
            person.id,
            scopes,
            redirect_uri,
            "redirect_uri" in query,
            self._state.clock.now(),
            query.get("nonce"),
            "code_challenge" in query,
        )
        return self._back(redirect_uri, {"code": code, "state": query.get("state", "")})

    @staticmethod
    def _back(redirect_uri: str, parameters: dict[str, str]) -> web.Response:
        joint = "&" if urlsplit(redirect_uri).query else "?"
        return web.Response(status=302, headers={"Location": f"{redirect_uri}{joint}{urlencode(parameters)}"})

    def _scopes(self, request: web.Request, flow: str) -> tuple[str, ...]:
        query, app = request.query, self._state.app
        if query.get("client_id") != app.client_id:
            raise Refused("Invalid client_id parameter")
        if flow == "openid" and query.get("response_type") != "code":
            raise Refused("Invalid response_type parameter: it must be code")
        scopes = tuple(query.get("scope", "").replace(",", " ").split())
        if flow == "openid":
            if "openid" not in scopes or set(scopes) - SIGN_IN_SCOPES:
                raise Refused("Invalid permissions requested: openid, with email and profile at most")
            if app.user_scopes is not None and set(scopes) - set(app.user_scopes):
                raise Refused("Invalid permissions requested: the app's manifest does not name them")
            return scopes
        asked = {*scopes, *query.get("user_scope", "").replace(",", " ").split()}
        if asked & SIGN_IN_SCOPES:
            raise Refused("Sign in with Slack scopes can't be mixed with the scopes of an installation")
        if not scopes:
            raise Refused("Invalid permissions requested: no scopes")
        return scopes

    def _redirect_uri(self, request: web.Request) -> str:
        """Check the redirect_uri against those of the app. If the app has none, any is accepted."""
        allowed, given = self._state.app.redirect_urls, request.query.get("redirect_uri")
        if given is None:
            if len(allowed) != 1:
                raise Refused("redirect_uri is missing")
            return allowed[0]
        if allowed and given not in allowed:
            raise Refused("redirect_uri did not match any configured URIs")
        return given

    def _person(self, request: web.Request) -> Person | None:
        """Return the person at the browser, as chosen on the page or set by a test, or None if unknown."""
        user = request.query.get("as") or self._state.signed_in
        if not user:
            return None
        person = self._state.people.get(user)
        if person is None or person.is_bot:
            raise Refused("Nobody is signed in under that id")
        if person.deleted:
            raise Refused("This account has been deactivated")
        return person

    def _ask(self, request: web.Request, flow: str) -> web.Response:
        rows = []
        for person in self._state.people.values():
            if person.is_bot or person.deleted or person.role == "bot":
                continue
            target = html.escape(str(request.rel_url.update_query({"as": person.id})), quote=True)
            home = self._state.teams.get(person.team_id)
            team = html.escape(home.name if home else person.team_id)
            name, role = html.escape(person.real_name), html.escape(person.role)
            rows.append(f'<li><a href="{target}"><b>{name}</b><span>{role}, {team}</span></a></li>')
        deny = html.escape(str(request.rel_url.update_query({"deny": "1"})), quote=True)
        app = html.escape(self._state.app.name)
        what = f"Sign in to {app} with Slack" if flow == "openid" else f"Install {app}"
        body = f'<p>Who is at this browser?</p><ul>{"".join(rows)}</ul><p><a href="{deny}">Cancel</a></p>'
        return page(what, body)

    def identity(self, person: Person, scopes: Sequence[str]) -> Json:
        """Return the details about a person that the scopes of a sign-in allow.

        Slack doesn't have to name the enterprise, so this server never does.
        """
        team = self._state.teams.get(person.team_id)
        shown: Json = {
            "sub": person.id,
            "https://slack.com/user_id": person.id,
            "https://slack.com/team_id": person.team_id,
        }
        if "email" in scopes:
            shown |= {"email": person.email, "email_verified": True, "date_email_verified": person.updated}
        if "profile" in scopes:
            first, _, last = person.real_name.partition(" ")
            shown |= {
                "name": person.real_name,
                "given_name": first,
                "family_name": last,
                "locale": person.locale,
            }
            if team is not None:
                shown |= {
                    "https://slack.com/team_name": team.name,
                    "https://slack.com/team_domain": team.domain,
                }
        return shown

    def claims(self, person: Person, grant: Grant) -> Json:
        """Return the claims of an id_token."""
        now = int(self._wall())
        shown = {
            **self.identity(person, grant.scopes),
            "iss": ISSUER,
            "aud": self._state.app.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": now,
        }
        if grant.nonce is not None:
            shown["nonce"] = grant.nonce
        return shown

    def sign(self, claims: Json) -> str:
        """Return the claims as a JSON Web Token signed with RS256."""
        header = {"typ": "JWT", "alg": "RS256", "kid": self._key_id}
        parts = [base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
        signature = self._key.sign(".".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
        return ".".join([*parts, base64url(signature)])
