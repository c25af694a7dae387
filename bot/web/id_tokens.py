"""Checks the tokens that prove who signed in. Each must be signed by Slack and issued for our app."""

import warnings
from collections.abc import Iterable
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import GuestProtocol, KeySet, RSAKey

ISSUER: Final = "https://slack.com"
#: Maximum difference between Slack's clock and ours, in seconds.
LEEWAY: Final = 60


class IdTokens:
    """Verifies ID tokens for one client, with the keys that Slack publishes."""

    unknown_key: Final = InvalidKeyIdError
    #: Exceptions that joserfc, or a parser that it uses, raises for a malformed token or key.
    odd: Final = (JoseError, ValueError, TypeError, AttributeError, RecursionError)

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._keys = KeySet([])

    def take(self, published: Iterable[Any]) -> None:
        """From now on, use these keys. Invalid keys are ignored."""
        self._keys = KeySet(list(filter(None, map(self._public_key, published))))

    def read(self, token: str, now: int, nonce: str) -> dict[str, Any]:
        """Return a token's claims. It must be valid, issued by Slack, and meant for us and this sign-in.

        If the token names no known key, raise ``unknown_key``. If the token is invalid, raise one of ``odd``.
        """
        # Slack uses only this algorithm. If others were accepted, a token could use "none", or a symmetric
        # algorithm with the public key as its secret.
        claims = jwt.decode(token, self._keys_for, algorithms=["RS256"]).claims
        jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        return claims

    def _keys_for(self, token: GuestProtocol) -> KeySet:
        """Return all keys. The library picks the one that the token names.

        If the token names no key, raise InvalidKeyIdError.
        """
        if not token.headers().get("kid"):
            raise InvalidKeyIdError
        return self._keys

    def _public_key(self, given: Any) -> RSAKey | None:
        try:
            # If a key is too short, the library merely warns.
            with warnings.catch_warnings(action="error", category=SecurityWarning):
                return RSAKey.import_key(given) if given["kty"] == "RSA" else None
        except (*self.odd, KeyError, SecurityWarning):
            return None
