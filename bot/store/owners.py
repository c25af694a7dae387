"""Who owns what, where several processes share a database: leases by its clock (ADR 32)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.store.records import Owned
from bot.store.tables import OWNERS
from bot.store.transaction import Transaction

#: How many seconds something stays a process's without being renewed: who is dead is replaced after that.
LEASE: Final = 10.0


def own(tx: Transaction, owner: str, names: Sequence[str]) -> list[str]:
    """Take what nobody else owns, or keep it; return which of the names are the owner's now."""
    now = tx.now()
    return [name for name in names if tx.one("own", name=name, owner=owner, now=now, until=now + LEASE)]


def renew(tx: Transaction, owner: str) -> list[str]:
    """Keep everything of an owner's for longer; return the names of what it was."""
    return [row["name"] for row in tx.all("renew_owned", owner=owner, until=tx.now() + LEASE)]


def disown(tx: Transaction, owner: str, names: Sequence[str]) -> None:
    """Hand back what others may take at once."""
    for name in names:
        OWNERS.delete(tx, owner=owner, name=name)


def disown_all(tx: Transaction, owner: str) -> None:
    """Hand back everything of an owner's."""
    OWNERS.delete(tx, owner=owner)


def owned(tx: Transaction) -> list[Owned]:
    """Return what is owned by processes that live, by name."""
    now = tx.now()
    return [Owned(row["name"], row["owner"], row["until"] - now) for row in tx.all("owned", now=now)]


def is_worked(tx: Transaction) -> bool:
    """Return whether a process lives that does the work in the background."""
    return tx.one("is_worked", now=tx.now()) is not None
