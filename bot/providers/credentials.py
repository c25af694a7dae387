"""Credentials: the secrets that open a person's account, and their owners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

#: Owner of the secret that an account uses.
#: - ``person``: the person.
#: - ``admin``: the connection, for an approved username; if possible it gets that person's own token with its
#:   secret, and uses that.
#: - ``none``: the connection, as the provider has no user accounts.
CredentialOwner = Literal["person", "admin", "none"]


_ACTS = "acts"


@dataclass(frozen=True, slots=True)
class Credential:
    """The secrets of a person's account. They are decrypted in memory only (``bot.support.vault``).

    Attributes:
        token: The token.
        refresh_token: The token with which ``Renewal.refresh`` gets a new one.
        extra: More to store with it, such as the token's id there.
        expires_at: When it expires (epoch seconds) according to the provider; None if it never does, or the
            provider doesn't say. Rows store it.
        on_behalf_of: The credential of the person for whom the call is made, if that isn't the owner; its
            secrets must not come back either.
        account_id: The id of the account that it opens, from the provider or from the link; "" if it isn't
            known. Rows store it, and it is compared if an account is found by its name.
    """

    token: SecretStr
    refresh_token: SecretStr | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    expires_at: float | None = None
    on_behalf_of: Credential | None = None
    account_id: str = field(default="", compare=False)

    def secrets(self) -> tuple[str, ...]:
        """Return the secrets, which no response may repeat."""
        own = tuple(one.get_secret_value() for one in (self.token, self.refresh_token) if one is not None)
        return own if self.on_behalf_of is None else (*own, *self.on_behalf_of.secrets())

    @classmethod
    def for_connection(cls, owner: CredentialOwner) -> Credential:
        """Return the credential, without a secret, of an account that uses the connection's own secret."""
        return cls(SecretStr(""), extra={_ACTS: owner})

    @property
    def owner(self) -> CredentialOwner:
        """Return the owner of the secret that opens the account."""
        value = self.extra.get(_ACTS, "person")
        return "admin" if value == "admin" else "none" if value == "none" else "person"

    @property
    def is_renewable(self) -> bool:
        """Return whether the credential can be renewed without the person."""
        is_minted = self.owner == "admin" and bool(self.token.get_secret_value())
        return self.refresh_token is not None or is_minted

    def as_mapping(self) -> dict[str, str]:
        """Return the credential in plain text, for the vault to encrypt; store it nowhere else."""
        mapping = {
            "token": self.token.get_secret_value(),
            **{f"x_{key}": value for key, value in self.extra.items()},
        }
        if self.refresh_token is not None:
            mapping["refresh_token"] = self.refresh_token.get_secret_value()
        return mapping

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str]) -> Credential:
        """Restore a credential from the result of ``as_mapping``."""
        refresh = mapping.get("refresh_token")
        extra = {key[2:]: value for key, value in mapping.items() if key.startswith("x_")}
        return cls(SecretStr(mapping["token"]), SecretStr(refresh) if refresh else None, extra)
