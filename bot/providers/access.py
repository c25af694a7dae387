"""Accounts and their credentials: which account a call is made for, and which account a credential opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from bot.providers.credentials import Credential
from bot.providers.requests import ApiClient


@dataclass(frozen=True, slots=True)
class Access:
    """A linked username with its credential: the identity used for a call.

    Attributes:
        username: The person's username on the provider, as it was linked.
        credential: Their secret.
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
        account_id: The account's id at the provider, or "" if the provider didn't send one. If the provider
            has no ids, facts that don't change when the account is renamed, as ``key=value`` separated by
            spaces, such as ``created=1764387403.990914``.
        username: The account's name at the provider.
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
        credential: The checked credential, with what the server said about it.
    """

    username: str
    credential: Credential
