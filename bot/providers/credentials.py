"""In whose name calls to providers are made: credentials, and the accounts that they open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Whose secret an account acts with: the person's own, or the connection's, for a username that was approved
#: (``admin``; where it can be had, with a token of that person's own that the connection's secret brings) or
#: where there are no people at the provider (``none``).
Acts = Literal["person", "admin", "none"]
_ACTS = "acts"


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold what opens a person's account; only ever in memory, encrypted at rest (``bot.support.vault``)."""

    token: SecretStr
    refresh_token: SecretStr | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    #: Whose call it is made for, where it is not its owner's: their secrets must not come back either.
    made_for: Credential | None = None

    def secrets(self) -> tuple[str, ...]:
        """Return what must not come back in an answer."""
        own = tuple(one.get_secret_value() for one in (self.token, self.refresh_token) if one is not None)
        return own if self.made_for is None else (*own, *self.made_for.secrets())

    @classmethod
    def of_connection(cls, acts: Acts) -> Credential:
        """Return the credential of an account that acts with the connection's own secret: it holds none."""
        return cls(SecretStr(""), extra={_ACTS: acts})

    @property
    def acts(self) -> Acts:
        """Say whose secret opens the account."""
        value = self.extra.get(_ACTS, "person")
        return "admin" if value == "admin" else "none" if value == "none" else "person"

    @property
    def is_renewable(self) -> bool:
        """Return whether a fresh one may be had without the person: it came with what brings another one."""
        is_minted = self.acts == "admin" and bool(self.token.get_secret_value())
        return self.refresh_token is not None or is_minted

    def as_mapping(self) -> dict[str, str]:
        """Return it in clear, for the vault to seal; keep it nowhere else."""
        mapping = {
            "token": self.token.get_secret_value(),
            **{f"x_{key}": value for key, value in self.extra.items()},
        }
        if self.refresh_token is not None:
            mapping["refresh_token"] = self.refresh_token.get_secret_value()
        return mapping

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str]) -> Credential:
        """Read back what ``as_mapping`` gave."""
        refresh = mapping.get("refresh_token")
        extra = {key[2:]: value for key, value in mapping.items() if key.startswith("x_")}
        return cls(SecretStr(mapping["token"]), SecretStr(refresh) if refresh else None, extra)


@dataclass(frozen=True, slots=True)
class Access:
    """Pair a linked username with its credential: in whose name a call is made."""

    username: str
    credential: Credential


@dataclass(frozen=True, slots=True)
class Identity:
    """Say whose account a checked credential opens; ``username`` is empty where the server tells none."""

    username: str
    credential: Credential
