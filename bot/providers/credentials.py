"""The secrets that give access to a user's account, and who owns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

#: The owner of the secret that Usher uses for calls on behalf of an account.
#: - ``person``: the user.
#: - ``admin``: the connection, for an approved username. If the provider allows it, Usher uses the
#:   connection's secret only to get a token for that user.
#: - ``none``: the connection, because the provider has no user accounts.
CredentialOwner = Literal["person", "admin", "none"]


_ACTS = "acts"


@dataclass(frozen=True, slots=True)
class Credential:
    """The secrets of a user's account, decrypted only in memory (``bot.support.vault``).

    Attributes:
        token: The token.
        refresh_token: The token that ``Renewal.refresh`` exchanges for a new one.
        extra: Additional data stored with the credential, such as the token's id on the provider.
        expires_at: When the credential expires, in epoch seconds, according to the provider; None if it never
            does or the provider doesn't say. Stored in the database.
        on_behalf_of: The credential of the user for whom the call is made, if someone else's is used.
            Responses must not contain its secrets either.
        account_id: The id of the account that the credential opens, from the provider or from the link; "" if
            unknown. Stored in the database, and compared when an account is looked up by name.
    """

    token: SecretStr
    refresh_token: SecretStr | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    expires_at: float | None = None
    on_behalf_of: Credential | None = None
    account_id: str = field(default="", compare=False)

    def secrets(self) -> tuple[str, ...]:
        """Return the credential's secrets, which must not appear in any response."""
        own = tuple(one.get_secret_value() for one in (self.token, self.refresh_token) if one is not None)
        return own if self.on_behalf_of is None else (*own, *self.on_behalf_of.secrets())

    @classmethod
    def for_connection(cls, owner: CredentialOwner) -> Credential:
        """Return a credential without a secret, for an account that uses the connection's secret."""
        return cls(SecretStr(""), extra={_ACTS: owner})

    @property
    def owner(self) -> CredentialOwner:
        """Return the owner of the secret that opens the account."""
        value = self.extra.get(_ACTS, "person")
        return "admin" if value == "admin" else "none" if value == "none" else "person"

    @property
    def is_renewable(self) -> bool:
        """Return whether the credential can be renewed without involving the user."""
        is_minted = self.owner == "admin" and bool(self.token.get_secret_value())
        return self.refresh_token is not None or is_minted

    def as_mapping(self) -> dict[str, str]:
        """Return the credential as plain text for the vault to encrypt; never store it anywhere else."""
        mapping = {
            "token": self.token.get_secret_value(),
            **{f"x_{key}": value for key, value in self.extra.items()},
        }
        if self.refresh_token is not None:
            mapping["refresh_token"] = self.refresh_token.get_secret_value()
        return mapping

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str]) -> Credential:
        """Restore a credential from a mapping returned by ``as_mapping``."""
        refresh = mapping.get("refresh_token")
        extra = {key[2:]: value for key, value in mapping.items() if key.startswith("x_")}
        return cls(SecretStr(mapping["token"]), SecretStr(refresh) if refresh else None, extra)
