"""Snapshots: the latest answers from providers, kept until the next read."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.domain.row_times import Past

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class User:
    """A user at a provider, as shown in approval requests and by ``about``.

    Attributes:
        username: The username at the provider.
        is_active: Whether the account is in use.
        level: Its permissions, as text.
    """

    username: str
    is_active: bool
    level: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """Facts about a provider, for its administrators.

    Attributes:
        facts: Pairs of a label and a value, both strings.
        users: Its users, if the provider can list them.
    """

    facts: tuple[tuple[str, str], ...]
    users: tuple[User, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a limit at a provider a user has left.

    Attributes:
        unit: What is counted, such as ``hours`` or ``credits``.
        left: How much of it is left.
        limit: The limit; None if the provider doesn't report it.
        name: The limit's name, if there are several limits.
    """

    unit: str
    left: float
    limit: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Payload]):
    """A provider's answer. It was read at ``read_at``, and is shown until the next read.

    ``owner`` is the id of the account that was used to read it, or "" if everyone sees the same answer.
    ``kind`` is ``templates`` (the provider's own type, which forms are built from), ``runs`` (no payload,
    only the time when they were listed) or ``about``. Rows store the payload as JSON.
    """

    connection: str
    owner: str
    kind: str
    payload: Payload
    read_at: Past
