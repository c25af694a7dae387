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
    """Checks ID tokens for one client, using the keys that Slack publishes."""

    unknown_key: Final = InvalidKeyIdError
    #: Exceptions raised for malformed tokens and keys by the library, or by a parser that it uses.
    odd: Final = (JoseError, ValueError, TypeError, AttributeError, RecursionError)

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._keys = KeySet([])

    def take(self, published: Iterable[Any]) -> None:
        """Use these keys from now on, ignoring invalid ones."""
        self._keys = KeySet(list(filter(None, map(self._public_key, published))))

    def verify_signature(self, token: str) -> dict[str, Any]:
        """Return the claims of a token signed with one of the keys.

        Raise ``unknown_key`` if the token names no known key, or one of ``odd`` if the token is invalid.
        """
        # Slack uses only this algorithm. Accepting others would allow "none", or a symmetric algorithm with a
        # public key.
        return jwt.decode(token, self._keys_for, algorithms=["RS256"]).claims

    def check(self, claims: dict[str, Any], now: int, nonce: str) -> None:
        """Raise one of ``odd`` unless Slack made these claims for us and this sign-in, and they are valid."""
        jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)

    def _keys_for(self, token: GuestProtocol) -> KeySet:
        """Return all keys, for the library to pick the one that the token names.

        Reject tokens that name none.
        """
        if not token.headers().get("kid"):
            raise InvalidKeyIdError
        return self._keys

    def _public_key(self, given: Any) -> RSAKey | None:
        try:
            # For shorter keys, the library only warns.
            with warnings.catch_warnings(action="error", category=SecurityWarning):
                return RSAKey.import_key(given) if given["kty"] == "RSA" else None
        except (*self.odd, KeyError, SecurityWarning):
            return None
