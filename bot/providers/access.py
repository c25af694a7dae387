"""Access to an account, for one call, and the identity that a credential opens."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.providers.credentials import Credential
from bot.providers.requests import ApiClient


@dataclass(frozen=True, slots=True)
class Access:
    """A linked username with its credential: the identity for a call."""

    username: str
    credential: Credential
    #: What the call is sent with, for as long as it lasts (``Provider.bind_access``).
    bound_api: ApiClient | None = field(default=None, repr=False, compare=False)

    @property
    def api(self) -> ApiClient:
        """Return the client of the call, bound to the provider's API and to the secret that the verb uses."""
        assert self.bound_api is not None, "a verb of a provider that was built binds it"
        return self.bound_api


@dataclass(frozen=True, slots=True)
class Identity:
    """The account of a checked credential; ``username`` is empty if the server doesn't say."""

    username: str
    credential: Credential
