"""Owners: what one process at a time does for all, held by leases; and which processes live."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.store.tables import OWNERS
from bot.store.transaction import Priority, Transaction, concerns, prioritize
from bot.support.release import RELEASE

#: How many seconds something stays a process's without being renewed: who is dead is replaced after that.
LEASE_SECONDS: Final = 10.0
#: What the name of a process's presence begins with: its role.
ROLES: Final = ("serve", "web", "worker")


#: What the name begins with by which a process says that it has an encryption key; its fingerprint follows.
KEY_PREFIX: Final = "key:"


@dataclass(frozen=True, slots=True)
class Ownership:
    """The ownership of a task for all processes, and the seconds until its lease ends."""

    name: str
    owner: str
    seconds: float
    release: str


def own(tx: Transaction, owner: str, names: Sequence[str]) -> list[str]:
    """Take or renew the ownership of names that nobody else owns.

    Return which of the names are the owner's now.
    """
    now = tx.now()
    given = {"owner": owner, "now": now, "until": now + LEASE_SECONDS, "release": RELEASE}
    return [name for name in names if tx.one("own", name=name, **given)]


@concerns(lambda owner: [f"owner {owner}"])
@prioritize(Priority.URGENT)
def renew_owned(tx: Transaction, owner: str) -> list[str]:
    """Keep everything of an owner's for longer; return the names of what it was."""
    return [row["name"] for row in tx.all("renew_owned", owner=owner, until=tx.now() + LEASE_SECONDS)]


def release(tx: Transaction, owner: str, names: Sequence[str]) -> None:
    """Hand back the ownership of names, for others to take at once."""
    for name in names:
        OWNERS.delete(tx, owner=owner, name=name)


@prioritize(Priority.URGENT)
def release_all(tx: Transaction, owner: str) -> None:
    """Hand back everything of an owner's."""
    OWNERS.delete(tx, owner=owner)


@prioritize(Priority.STEADY)
def list_ownerships(tx: Transaction) -> list[Ownership]:
    """Return the ownerships of processes that live, by name."""
    now = tx.now()
    return [
        Ownership(row["name"], row["owner"], row["until"] - now, row["release"])
        for row in tx.all("owned", now=now)
    ]


def list_processes(tx: Transaction) -> list[Ownership]:
    """Return the processes that live, each as the presence that it owns."""
    return [one for one in list_ownerships(tx) if one.name.partition(":")[0] in ROLES]


@prioritize(Priority.STEADY)
def list_key_fingerprints(tx: Transaction) -> frozenset[str]:
    """Return the fingerprints of the encryption keys that living processes have."""
    return frozenset(row["name"].split(":")[1] for row in tx.all("keys_in_use", now=tx.now()))


@prioritize(Priority.STEADY)
def is_worked(tx: Transaction) -> bool:
    """Return whether a process lives that does the work in the background."""
    return tx.one("is_worked", now=tx.now()) is not None
