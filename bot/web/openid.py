"""Sign in with Slack: OpenID Connect with the scope ``openid`` alone, state, nonce and the client's secret.

Source: ``docs/slack.md``, "Sign in with Slack", which also says why there is no PKCE. The authorize page and
the keys are at the origin of the Web API's address; the issuer is always Slack, so that a local Slack signs
as Slack does.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import GuestProtocol, KeySet, RSAKey
from pydantic import SecretStr

from bot.domain.models import Principal
from bot.services.context import PeopleBook
from bot.slack.methods import OPENID_CONNECT_TOKEN
from bot.support.clock import Clock
from bot.support.errors import ProviderError, Refused, SlackFailed
from bot.support.http import Http

ISSUER = "https://slack.com"
SCOPE = "openid"
#: How long Slack may take to answer while the person waits.
TOTAL_SECONDS = 10.0
#: How far Slack's clock may differ from ours, and how soon unknown keys are looked up again; seconds.
LEEWAY = 60
KEYS_AGAIN = 60.0
#: What the library raises for malformed tokens and keys: its own errors, and those of the parsers it uses.
_ODD = (JoseError, ValueError, TypeError, AttributeError, RecursionError)

log = structlog.get_logger(__name__)

_CLAIM = "https://slack.com/"


@dataclass(frozen=True, slots=True)
class Flow:
    """Hold what one sign-in must come back with; it is stored in the browser's cookie only.

    Slack puts the nonce into its token. The verifier of PKCE is for providers; Slack gets none.
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def fresh(cls) -> Flow:
        """Return one that nobody can guess."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def challenge(self) -> str:
        """Return the S256 challenge of PKCE."""
        return _unpadded(hashlib.sha256(self.verifier.encode()).digest())


class SlackSignIn:
    """Send a person to Slack, and verify who they are from the answer."""

    def __init__(
        self,
        *,
        http: Http,
        clock: Clock,
        people: PeopleBook,
        api_url: str,
        client_id: str,
        client_secret: SecretStr,
        redirect_url: str,
    ) -> None:
        self._http = http
        self._clock = clock
        self._people = people
        self._api_url = api_url
        parts = urlsplit(api_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = redirect_url
        self._keys = KeySet([])
        self._keys_asked_at: float | None = None

    def begin(self, team_id: str) -> tuple[str, Flow]:
        """Return Slack's address for somebody of this workspace ("" if unknown), and what must come back."""
        flow = Flow.fresh()
        query = {
            "response_type": "code",
            "scope": SCOPE,
            "client_id": self._client_id,
            "redirect_uri": self._redirect_url,
            "state": flow.state,
            "nonce": flow.nonce,
        }
        if team_id.startswith("T"):
            query["team"] = team_id
        return f"{self._origin}/openid/connect/authorize?{urlencode(query)}", flow

    async def finish(self, code: str, flow: Flow) -> Principal:
        """Exchange a code for who signed in; raises SlackFailed if that proves nothing."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_url,
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
        }
        answer = await self._ask("POST", f"{self._api_url}{OPENID_CONNECT_TOKEN}", form)
        if answer.get("ok") is not True:
            raise _failed(str(answer.get("error", "not ok"))[:60])
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _failed("no id_token")
        return await self._people.with_enterprise(_proven(await self._claims(token, flow.nonce)))

    async def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, form=form, total=TOTAL_SECONDS)
            return answer.json_object()
        except ProviderError as error:
            raise _failed(type(error).__name__) from None

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of a token that Slack signed for us, now, for this sign-in."""
        checks = jwt.JWTClaimsRegistry(
            now=int(self._clock.now()),
            leeway=LEEWAY,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                claims = self._signed(token)
            except InvalidKeyIdError:
                await self._look_up_keys()
                claims = self._signed(token)
            checks.validate(claims)
        except _ODD as error:
            raise _failed(f"id_token: {type(error).__name__}") from None
        if isinstance(claims["aud"], list) and len(claims["aud"]) != 1:
            # The library is satisfied if we are one of several audiences.
            raise _failed("id_token: audience")
        return claims

    def _signed(self, token: str) -> dict[str, Any]:
        # The only algorithm that Slack uses: no "none", no symmetric one keyed with a public key.
        return jwt.decode(token, self._keys_for, algorithms=["RS256"]).claims

    def _keys_for(self, token: GuestProtocol) -> KeySet:
        """Return the keys in which the library finds the one that the token names; it must name one."""
        if not token.headers().get("kid"):
            raise InvalidKeyIdError
        return self._keys

    async def _look_up_keys(self) -> None:
        now = self._clock.monotonic()
        if self._keys_asked_at is not None and now - self._keys_asked_at < KEYS_AGAIN:
            return
        found = (await self._ask("GET", f"{self._origin}/openid/connect/keys")).get("keys")
        if not isinstance(found, list):
            raise _failed("no keys")
        # Only a successful answer counts: after a failure, the next sign-in asks again.
        self._keys_asked_at = now
        self._keys = KeySet(list(filter(None, map(_public_key, found))))


def _proven(claims: dict[str, Any]) -> Principal:
    team, user = claims.get(f"{_CLAIM}team_id"), claims.get(f"{_CLAIM}user_id")
    enterprise = claims.get(f"{_CLAIM}enterprise_id")
    if not (isinstance(team, str) and isinstance(user, str) and team and user):
        raise _failed("id_token: nobody")
    return Principal(enterprise if isinstance(enterprise, str) and enterprise else None, team, user)


def _public_key(given: Any) -> RSAKey | None:
    """Read one published key; None unless it is an RSA key of at least 2048 bits."""
    try:
        # The library only warns about shorter ones.
        with warnings.catch_warnings(action="error", category=SecurityWarning):
            return RSAKey.import_key(given) if given["kty"] == "RSA" else None
    except (*_ODD, KeyError, SecurityWarning):
        return None


async def proven(
    sign_in: SlackSignIn | None, flow: Flow | None, query: Mapping[str, str], words: ModuleType
) -> Principal:
    """Return whom Slack's redirect proves; raises Refused (``sign_in.…``) in the ``words`` of its page."""
    if sign_in is None or flow is None:
        raise Refused("sign_in.expired", words.sign_in_expired())
    code = query.get("code", "")[:1000]
    if query.get("error") or not code:
        raise Refused("sign_in.cancelled", words.sign_in_cancelled())
    try:
        return await sign_in.finish(code, flow)
    except SlackFailed as failed:
        log.warning("sign_in_failed", problem=failed.code)
        raise Refused("sign_in.failed", words.sign_in_failed()) from None


def _failed(code: str) -> SlackFailed:
    return SlackFailed(OPENID_CONNECT_TOKEN, code)


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
