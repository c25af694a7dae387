"""Credentials: the secrets with which a person's account is opened, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

#: Whose secret an account uses.
#: - ``person``: the person's own.
#: - ``admin``: the connection's, for a username that was approved; if possible through that person's own
#:   token, which the connection's secret can get.
#: - ``none``: the connection's, as the provider has no user accounts.
CredentialOwner = Literal["person", "admin", "none"]


_ACTS = "acts"


@dataclass(frozen=True, slots=True)
class Credential:
    """The secrets of a person's account; only ever in memory, encrypted at rest (``bot.support.vault``).

    Attributes:
        token: The token.
        refresh_token: The token by which ``Renewal.refresh`` gets a new one.
        extra: More to keep with it, such as its id there.
        expires_at: When it ends (epoch seconds) as its provider said, None if it never does or nobody said.
            Rows keep it.
        on_behalf_of: Whose call it is, if not its owner's: their secrets must not come back either.
        account_id: The id of the account that it opens, as the provider gave it with the credential, or as it
            was linked; "" if it isn't known. Rows keep it, and it is compared where an account is found by
            its name.
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
        """Return the credential of an account that uses the connection's own secret: it contains none."""
        return cls(SecretStr(""), extra={_ACTS: owner})

    @property
    def owner(self) -> CredentialOwner:
        """Return the owner of the secret that opens the account."""
        value = self.extra.get(_ACTS, "person")
        return "admin" if value == "admin" else "none" if value == "none" else "person"

    @property
    def is_renewable(self) -> bool:
        """Return whether it can be renewed without the person."""
        is_minted = self.owner == "admin" and bool(self.token.get_secret_value())
        return self.refresh_token is not None or is_minted

    def as_mapping(self) -> dict[str, str]:
        """Return it in plain text for the vault to seal; store it nowhere else."""
        mapping = {
            "token": self.token.get_secret_value(),
            **{f"x_{key}": value for key, value in self.extra.items()},
        }
        if self.refresh_token is not None:
            mapping["refresh_token"] = self.refresh_token.get_secret_value()
        return mapping

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str]) -> Credential:
        """Restore it from the result of ``as_mapping``."""
        refresh = mapping.get("refresh_token")
        extra = {key[2:]: value for key, value in mapping.items() if key.startswith("x_")}
        return cls(SecretStr(mapping["token"]), SecretStr(refresh) if refresh else None, extra)
