"""Outages of connections: begun, reported and ended once, whichever process sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.notices import NewNotice
from bot.store.notices import add_notices
from bot.store.tables import OUTAGES
from bot.store.transaction import Transaction


def current(tx: Transaction) -> Mapping[str, float]:
    """Return the current outages: since when (epoch seconds), by connection."""
    return {row["connection"]: float(row["since"]) for row in tx.all("outages")}


def begin(tx: Transaction, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
    """Write an outage with its notices; return since when it has lasted.

    If another process has already written it, nothing is written. That one may have ended it just now.
    """
    if OUTAGES.add_new(tx, connection=connection, since=since):
        add_notices(tx, notices)
        return since
    return current(tx).get(connection, since)


def end(tx: Transaction, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
    """End an outage and write its notices; return False, nothing written, if it was already over."""
    if not OUTAGES.delete(tx, connection=connection):
        return False
    add_notices(tx, notices)
    return True
