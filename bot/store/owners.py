"""Leases and the list of live processes. A lease ensures that only one process at a time does a job."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from bot.store.tables import OWNERS
from bot.store.transaction import Priority, Transaction, concerns, prioritize
from bot.support.release import RELEASE

#: How long a lease lasts without being renewed, in seconds. After that, another process may take it.
LEASE_SECONDS: Final = 10.0
#: The roles of processes. A live process owns a name that begins with its role, for example ``worker:…``.
ROLES: Final = ("serve", "web", "worker")
_WORKING_ROLES: Final = ("serve", "worker")
#: Prefix of names that announce encryption keys to other processes. A process owns one such name for each of
#: its keys. The key's fingerprint follows the prefix. Names with ``CONNECTION_PREFIX`` announce the process's
#: connections.
KEY_PREFIX: Final = "key:"
CONNECTION_PREFIX: Final = "connection:"


class Ownership(NamedTuple):
    """A name that a process owns, and the number of seconds left until its lease ends."""

    name: str
    owner: str
    seconds: float
    release: str

    @property
    def role(self) -> str:
        """Return the part of the name before ":". For a live process, that is its role."""
        return self.name.partition(":")[0]

    @property
    def works(self) -> bool:
        """Return whether this name belongs to a live process that does background work."""
        return self.role in _WORKING_ROLES


def own(tx: Transaction, owner: str, names: Sequence[str]) -> list[str]:
    """Take or renew the leases on names, except names that other processes own.

    Return the names that this owner now holds.
    """
    now = tx.now()
    given = {"owner": owner, "now": now, "until": now + LEASE_SECONDS, "release": RELEASE}
    return [name for name in names if tx.one("own", name=name, **given)]


@concerns(lambda owner: [f"owner {owner}"])
@prioritize(Priority.URGENT)
def renew_owned(tx: Transaction, owner: str) -> list[str]:
    """Renew all leases of an owner, and return their names."""
    return [row["name"] for row in tx.all("renew_owned", owner=owner, until=tx.now() + LEASE_SECONDS)]


def release(tx: Transaction, owner: str, names: Sequence[str]) -> None:
    """Release names, so that other processes can take them immediately."""
    for name in names:
        OWNERS.delete(tx, owner=owner, name=name)


@prioritize(Priority.URGENT)
def release_all(tx: Transaction, owner: str) -> None:
    """Release all names of an owner."""
    OWNERS.delete(tx, owner=owner)


@prioritize(Priority.STEADY)
def list_ownerships(tx: Transaction) -> list[Ownership]:
    """Return all names that are owned now, with their owners, sorted by name."""
    now = tx.now()
    return [
        Ownership(row["name"], row["owner"], row["until"] - now, row["release"])
        for row in tx.all("owned", now=now)
    ]


def list_processes(tx: Transaction) -> list[Ownership]:
    """Return the leases that stand for the live processes. Their names begin with the process's role."""
    return [one for one in list_ownerships(tx) if one.role in ROLES]


def list_announced(ownerships: Iterable[Ownership], prefix: str) -> frozenset[str]:
    """Return what processes have announced: encryption keys (``KEY_PREFIX``) or connections."""
    return frozenset(one.name.split(":")[1] for one in ownerships if one.name.startswith(prefix))
