"""Whose call it is, and with which secret: credentials, and the access of a verb to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import SecretStr

if TYPE_CHECKING:
    from bot.providers.requests import Api

T = TypeVar("T")


class Listing(list[T]):
    """Hold the entries of a list, in the server's order.

    It is not whole if an entry couldn't even be identified: then nothing follows from what is missing.
    """

    def __init__(self, entries: Iterable[T] = (), *, is_whole: bool = True) -> None:
        super().__init__(entries)
        self.is_whole = is_whole


@dataclass(frozen=True, slots=True)
class Carries:
    """Declare where a request has its credential: in this header, or in a parameter of its address.

    ``scheme`` is the word before it, "" if it stands there alone.
    """

    name: str = "Authorization"
    scheme: str = "Bearer"
    in_query: bool = False


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Limit when a status read may be sent: not after ``until`` on the injected monotonic clock."""

    until: float


#: Whose secret an account uses: the person's own, or the connection's, for a username that was approved
#: (``admin``; if possible through that person's own token, which the connection's secret can get) or
#: if the provider has no user accounts (``none``).
Acts = Literal["person", "admin", "none"]
_ACTS = "acts"


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold what opens a person's account; only ever in memory, encrypted at rest (``bot.support.vault``)."""

    token: SecretStr
    refresh_token: SecretStr | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    #: When it ends (epoch seconds) as its provider said, None if it never does or nobody said. Rows keep it.
    ends_at: float | None = None
    #: Whose call it is, if not its owner's: their secrets must not come back either.
    made_for: Credential | None = None

    def secrets(self) -> tuple[str, ...]:
        """Return what must not come back in a response."""
        own = tuple(one.get_secret_value() for one in (self.token, self.refresh_token) if one is not None)
        return own if self.made_for is None else (*own, *self.made_for.secrets())

    @classmethod
    def of_connection(cls, acts: Acts) -> Credential:
        """Return the credential of an account that uses the connection's own secret: it contains none."""
        return cls(SecretStr(""), extra={_ACTS: acts})

    @property
    def acts(self) -> Acts:
        """Return whose secret opens the account."""
        value = self.extra.get(_ACTS, "person")
        return "admin" if value == "admin" else "none" if value == "none" else "person"

    @property
    def is_renewable(self) -> bool:
        """Return whether it can be renewed without the person, because it came with what that takes."""
        is_minted = self.acts == "admin" and bool(self.token.get_secret_value())
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


@dataclass(frozen=True, slots=True)
class Access:
    """Pair a linked username with its credential: the identity for a call."""

    username: str
    credential: Credential
    #: What the call is sent with, for as long as it lasts (``Provider.bound``).
    bound: Api | None = field(default=None, repr=False, compare=False)

    @property
    def api(self) -> Api:
        """Return the client of the call, bound to the provider's API and to the secret that the verb uses."""
        assert self.bound is not None, "a verb of a provider that was built binds it"
        return self.bound


@dataclass(frozen=True, slots=True)
class Identity:
    """Say whose account a checked credential opens; ``username`` is empty if the server doesn't say."""

    username: str
    credential: Credential
