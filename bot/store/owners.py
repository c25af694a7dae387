"""Jobs that only one process may do at a time, which leases enforce, and the list of live processes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.store.tables import OWNERS
from bot.store.transaction import Priority, Transaction, concerns, prioritize
from bot.support.release import RELEASE

#: A process that doesn't renew a lease for this many seconds loses it, and another process may take over.
LEASE_SECONDS: Final = 10.0
#: The roles of processes. A live process owns a name that begins with its role, such as ``worker:…``.
ROLES: Final = ("serve", "web", "worker")
#: The roles of processes that do the background work.
_WORKING_ROLES: Final = ("serve", "worker")
#: Prefix of the names under which a process announces its encryption keys, by fingerprint.
#: ``CONNECTION_PREFIX`` is the prefix for its connections.
KEY_PREFIX: Final = "key:"
CONNECTION_PREFIX: Final = "connection:"


@dataclass(frozen=True, slots=True)
class Ownership:
    """A name owned by a process, and the number of seconds left of its lease."""

    name: str
    owner: str
    seconds: float
    release: str

    @property
    def role(self) -> str:
        """Return the part of the name before ":"; in the name of a live process, that is its role."""
        return self.name.partition(":")[0]

    @property
    def works(self) -> bool:
        """Return whether this ownership belongs to a live process that does the background work."""
        return self.role in _WORKING_ROLES


def own(tx: Transaction, owner: str, names: Sequence[str]) -> list[str]:
    """Take or renew the lease of each name that no other process owns.

    Return the names that ``owner`` now owns.
    """
    now = tx.now()
    given = {"owner": owner, "now": now, "until": now + LEASE_SECONDS, "release": RELEASE}
    return [name for name in names if tx.one("own", name=name, **given)]


@concerns(lambda owner: [f"owner {owner}"])
@prioritize(Priority.URGENT)
def renew_owned(tx: Transaction, owner: str) -> list[str]:
    """Renew all leases of an owner; return their names."""
    return [row["name"] for row in tx.all("renew_owned", owner=owner, until=tx.now() + LEASE_SECONDS)]


def release(tx: Transaction, owner: str, names: Sequence[str]) -> None:
    """Release names so that other processes can take them immediately."""
    for name in names:
        OWNERS.delete(tx, owner=owner, name=name)


@prioritize(Priority.URGENT)
def release_all(tx: Transaction, owner: str) -> None:
    """Release all names of an owner."""
    OWNERS.delete(tx, owner=owner)


@prioritize(Priority.STEADY)
def list_ownerships(tx: Transaction) -> list[Ownership]:
    """Return the ownerships whose leases haven't ended, sorted by name."""
    now = tx.now()
    return [
        Ownership(row["name"], row["owner"], row["until"] - now, row["release"])
        for row in tx.all("owned", now=now)
    ]


def list_processes(tx: Transaction) -> list[Ownership]:
    """Return the live processes, each represented by its lease on the name that begins with its role."""
    return [one for one in list_ownerships(tx) if one.role in ROLES]


def list_announced(ownerships: Iterable[Ownership], prefix: str) -> frozenset[str]:
    """Return the encryption keys or connections that processes have announced under a prefix."""
    return frozenset(one.name.split(":")[1] for one in ownerships if one.name.startswith(prefix))
