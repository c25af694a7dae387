"""The identity used for a provider call, and accounts as providers report them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from bot.providers.credentials import Credential
from bot.providers.requests import ApiClient


@dataclass(frozen=True, slots=True)
class Access:
    """A linked username with its credential: the identity used for a call.

    Attributes:
        username: The person's username on the provider, as linked.
        credential: The person's credential.
        api: The client for the call, bound to the provider's API and to the secret that the call uses. It is
            set only when the methods of a built provider are called (``Provider.bind_access``).
    """

    username: str
    credential: Credential
    api: ApiClient = field(default=cast("ApiClient", None), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """An account as the provider currently reports it.

    Attributes:
        account_id: The account's id on the provider, or "" if the provider didn't send one. If the provider
            doesn't use ids, this holds facts that survive a rename, such as ``created=1764387403.990914``,
            separated by spaces.
        username: The account's name on the provider.
        email: The account's e-mail address, if the provider gives it.
    """

    account_id: str
    username: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The account that a checked credential belongs to.

    Attributes:
        username: The account's name; "" if the server doesn't say.
        credential: The checked credential, with the details that the server gave.
    """

    username: str
    credential: Credential
