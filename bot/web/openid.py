"""Sign in with Slack: OpenID Connect with the scope ``openid`` alone, state, nonce and PKCE.

Source: ``docs/slack.md``, "Sign in with Slack". The authorize page and the keys lie at the origin of the
Web API's address; the issuer is always Slack, so that a local Slack signs as Slack does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from bot.errors import ProviderError, SlackFailed
from bot.linking import Proven
from bot.slack_methods import OPENID_CONNECT_TOKEN

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.clock import Clock
    from bot.http import Http

ISSUER = "https://slack.com"
SCOPE = "openid"
#: How long Slack may take to answer; the person waits.
TOTAL_SECONDS = 10.0
#: How far Slack's clock may lie from ours, and how soon unknown keys are looked up again; seconds.
LEEWAY = 60.0
KEYS_AGAIN = 60.0
SMALLEST_KEY = 2048

_CLAIM = "https://slack.com/"


@dataclass(frozen=True, slots=True)
class Flow:
    """Hold what one sign-in must come back with; it lives in the browser's cookie alone."""

    state: str
    nonce: str
    verifier: str


class SlackSignIn:
    """Send a person to Slack, and read from the answer who they are."""

    def __init__(
        self,
        *,
        http: Http,
        clock: Clock,
        api_url: str,
        client_id: str,
        client_secret: SecretStr,
        redirect_url: str,
    ) -> None:
        self._http = http
        self._clock = clock
        self._api_url = api_url
        parts = urlsplit(api_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = redirect_url
        self._keys: dict[str, RSAPublicKey] = {}
        self._keys_asked_at: float | None = None

    def begin(self, team_id: str) -> tuple[str, Flow]:
        """Return the address at Slack for somebody of this workspace, and what must come back."""
        flow = Flow(*(secrets.token_urlsafe(32) for _ in range(3)))
        challenge = _unpadded(hashlib.sha256(flow.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "scope": SCOPE,
            "client_id": self._client_id,
            "redirect_uri": self._redirect_url,
            "state": flow.state,
            "nonce": flow.nonce,
            "team": team_id,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._origin}/openid/connect/authorize?{urlencode(query)}", flow

    async def finish(self, code: str, flow: Flow) -> Proven:
        """Exchange a code for who signed in; raises SlackFailed when that proves nothing."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_url,
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
            "code_verifier": flow.verifier,
        }
        answer = await self._ask("POST", f"{self._api_url}{OPENID_CONNECT_TOKEN}", form)
        if answer.get("ok") is not True:
            raise _failed(str(answer.get("error", "not ok"))[:60])
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _failed("no id_token")
        return _proven(await self._claims(token, flow.nonce))

    async def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, form=form, total=TOTAL_SECONDS)
            return answer.json_object()
        except ProviderError as error:
            raise _failed(type(error).__name__) from None

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of a token that Slack signed for us, now, for this sign-in."""
        pieces = token.split(".")
        if len(pieces) != 3:
            raise _failed("id_token: form")
        header = _json(pieces[0])
        # The one algorithm that Slack uses: no "none", no symmetric one keyed with a public key.
        if header.get("alg") != "RS256":
            raise _failed("id_token: algorithm")
        key = await self._key(header.get("kid"))
        try:
            key.verify(_bytes(pieces[2]), f"{pieces[0]}.{pieces[1]}".encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            raise _failed("id_token: signature") from None
        claims = _json(pieces[1])
        now = self._clock.now()
        if claims.get("iss") != ISSUER:
            raise _failed("id_token: issuer")
        if claims.get("aud") not in (self._client_id, [self._client_id]):
            raise _failed("id_token: audience")
        if not _is_number(claims.get("exp")) or claims["exp"] <= now - LEEWAY:
            raise _failed("id_token: expired")
        if not _is_number(claims.get("iat")) or claims["iat"] > now + LEEWAY:
            raise _failed("id_token: issued later")
        given = claims.get("nonce")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise _failed("id_token: nonce")
        return claims

    async def _key(self, kid: object) -> RSAPublicKey:
        if not isinstance(kid, str):
            raise _failed("id_token: key")
        now = self._clock.monotonic()
        if kid not in self._keys and (self._keys_asked_at is None or now - self._keys_asked_at >= KEYS_AGAIN):
            found = (await self._ask("GET", f"{self._origin}/openid/connect/keys")).get("keys")
            if not isinstance(found, list):
                raise _failed("no keys")
            # Only an answer counts: after a failure the next who signs in asks again.
            self._keys_asked_at = now
            self._keys = dict(filter(None, map(_public_key, found)))
        if kid not in self._keys:
            raise _failed("id_token: key")
        return self._keys[kid]


def _proven(claims: dict[str, Any]) -> Proven:
    team, user = claims.get(f"{_CLAIM}team_id"), claims.get(f"{_CLAIM}user_id")
    enterprise = claims.get(f"{_CLAIM}enterprise_id")
    if not (isinstance(team, str) and isinstance(user, str) and team and user):
        raise _failed("id_token: nobody")
    return Proven(enterprise if isinstance(enterprise, str) and enterprise else None, team, user)


def _public_key(given: object) -> tuple[str, RSAPublicKey] | None:
    """Read one key of the published set; None for what is no RSA key for signatures of at least 2048 bits."""
    if not isinstance(given, dict) or given.get("kty") != "RSA" or given.get("use", "sig") != "sig":
        return None
    kid, modulus, exponent = given.get("kid"), given.get("n"), given.get("e")
    if not (isinstance(kid, str) and isinstance(modulus, str) and isinstance(exponent, str)):
        return None
    try:
        numbers = RSAPublicNumbers(
            int.from_bytes(_bytes(exponent), "big"), int.from_bytes(_bytes(modulus), "big")
        )
        key = numbers.public_key()
    except (SlackFailed, ValueError):
        return None
    return (kid, key) if key.key_size >= SMALLEST_KEY else None


def _failed(code: str) -> SlackFailed:
    return SlackFailed(OPENID_CONNECT_TOKEN, code)


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _failed("id_token: encoding") from None


def _json(piece: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(piece))
    except (ValueError, RecursionError):
        raise _failed("id_token: encoding") from None
    if not isinstance(value, dict):
        raise _failed("id_token: form")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
