"""A fake Slack that signs in the person whom the test names, with a token that can contain false claims."""

import base64
import json
from functools import cache
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from tests.rigs.clock import FakeClock

CLIENT_ID, CLIENT_SECRET = "1.2", "client-secret-of-the-tests"


@cache
def key(name: str) -> RSAPrivateKey:
    """Return the key with a name, made once a run. The one named weak is too short."""
    return generate_private_key(public_exponent=65537, key_size=1024 if name == "weak" else 2048)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """A server with endpoints for authorization, tokens and keys.

    ``person`` is the person who is signing in. None means that they press Cancel.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.person: tuple[str, str] | None = ("T0HOME", "U0ALICE")
        #: Claims and header fields that replace the honest ones. None removes one.
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.signed_by = "published"
        self.published = ["published"]
        self.answer: web.Response | None = None
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self.app = web.Application()
        self.app.router.add_get("/openid/connect/authorize", self._authorize)
        self.app.router.add_post("/api/openid.connect.token", self._token)
        self.app.router.add_get("/openid/connect/keys", self._keys)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        assert query["scope"] == "openid"
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert "code_challenge" not in query
        self.asked.append(query["team"])
        back = f"{query['redirect_uri']}?state={query['state']}&"
        if self.person is None:
            return web.Response(status=302, headers={"Location": back + "error=access_denied"})
        code = f"code-{len(self._codes)}"
        self._codes[code] = query
        return web.Response(status=302, headers={"Location": f"{back}code={code}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if self.answer is not None:
            return self.answer
        query = self._codes.pop(str(form["code"]), None)
        if query is None or (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"ok": False, "error": "invalid_code"})
        if "code_verifier" in form:
            return web.json_response({"ok": False, "error": "internal_error"})
        if form["redirect_uri"] != query["redirect_uri"]:
            return web.json_response({"ok": False, "error": "invalid_grant"})
        return web.json_response(
            {"ok": True, "access_token": "xoxp-1", "id_token": self.token(query["nonce"])}
        )

    def token(self, nonce: str) -> str:
        """Return a token for the person at the browser, with the false claims that the test has set."""
        assert self.person is not None
        now = int(self.clock.now())
        claims = {
            "iss": "https://slack.com",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "sub": self.person[1],
            "https://slack.com/team_id": self.person[0],
            "https://slack.com/user_id": self.person[1],
            **self.claims,
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": "published", **self.header}
        body = ".".join(
            encoded(json.dumps({name: value for name, value in part.items() if value is not None}).encode())
            for part in (header, claims)
        )
        if header["alg"] == "none":
            return body + "."
        return f"{body}.{encoded(key(self.signed_by).sign(body.encode(), PKCS1v15(), SHA256()))}"

    async def _keys(self, _request: web.Request) -> web.Response:
        self.asked.append("keys")
        keys: list[Any] = [
            None,
            {"kty": "EC", "kid": "curve"},
            {"kty": "RSA", "kid": "odd", "n": "!", "e": "AQAB"},
        ]
        for name in self.published:
            numbers = key(name).public_key().public_numbers()
            modulus = encoded(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))
            use = "enc" if name == "sealing" else "sig"
            keys.append({"kty": "RSA", "use": use, "kid": name, "n": modulus, "e": "AQAB"})
        return web.json_response({"keys": keys})
