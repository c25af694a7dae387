"""Encrypts stored secrets with MultiFernet.

Fernet doesn't support associated data, so the key of the secret's row is encrypted along with the secret. A
secret moved to another row is therefore rejected. New secrets are encrypted with the newest encryption key.
Older keys only decrypt, until ``rotate`` has re-encrypted their secrets with the newest key.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.support.errors import SecretError

#: Takes the place of a row's key when a process proves that it has the encryption keys. Unlike every row's
#: key, it contains no colon, so a proof can't be passed off as a row's secret.
_PROOF: Final = "proof"


class Vault:
    """Encrypts and decrypts secrets, which are small mappings that contain credentials."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        #: Hashes that identify the encryption keys without revealing them.
        self.fingerprints = frozenset(sha256(key.encode()).hexdigest()[:16] for key in keys)

    def seal(self, row_key: str, secret: Mapping[str, str]) -> str:
        """Encrypt a secret so that it can be opened only for this row (see ``row_key`` and ``entry_key``)."""
        clear = json.dumps({"row": row_key, "secret": dict(secret)}).encode()
        return self._fernet.encrypt(clear).decode()

    def open(self, row_key: str, sealed: str) -> dict[str, str]:
        """Decrypt a row's secret. Raise SecretError if the keys are wrong or the secret is another row's."""
        try:
            content = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise SecretError("a stored secret does not open with the configured keys") from None
        if content.get("row") != row_key:
            raise SecretError("a stored secret belongs to another row")
        return {str(key): str(value) for key, value in content["secret"].items()}

    @staticmethod
    def find_sealing_time(sealed: str) -> float | None:
        """Return when a secret was encrypted, in epoch seconds, or None if its timestamp can't be read."""
        try:
            stamp = base64.urlsafe_b64decode(sealed.encode())[1:9]
        except ValueError:
            return None
        return float(int.from_bytes(stamp, "big")) if len(stamp) == 8 else None

    def prove(self, nonce: str) -> str:
        """Return a proof for a nonce, which only a holder of these keys can make."""
        return self.seal(_PROOF, {"nonce": nonce})

    def is_proof(self, nonce: str, answer: str) -> bool:
        """Return whether a proof for a nonce was made with one of these keys."""
        try:
            return self.open(_PROOF, answer)["nonce"] == nonce
        except SecretError:
            return False

    def rotate(self, sealed: str) -> str:
        """Re-encrypt a secret with the newest key. Raise SecretError if no key can decrypt it."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise SecretError("a stored secret does not open with the configured keys") from None


def row_key(principal_key: str, connection: str) -> str:
    """Return the row key for the secret of an account or link."""
    return f"{principal_key}/{connection}"


def entry_key(principal_key: str, connection: str, remote_id: str) -> str:
    """Return the row key for the secret that opens a workspace from Usher's page."""
    return f"{row_key(principal_key, connection)}/entry/{remote_id}"
