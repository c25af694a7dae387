"""Pauses that providers asked for, of one account or of everybody: for all processes, and after a restart."""

from __future__ import annotations

from collections.abc import Mapping

from bot.store.records import Calls, Pause
from bot.store.transaction import Transaction

#: How long a pause is kept after its end, in seconds: several people's within a minute are everybody's.
KEPT = 60.0


def note(tx: Transaction, connection: str, calls: Calls, seconds: Mapping[str, float]) -> None:
    """Write for how many seconds an account, or everybody (""), has to pause; the longer pause wins."""
    now = tx.now()
    tx.run("forget_pauses", now=now, before=now - KEPT)
    for who, wait in seconds.items():
        tx.run("note_pause", connection=connection, calls=calls, who=who, now=now, until=now + wait)


def current(tx: Transaction) -> list[Pause]:
    """Return the pauses of all connections that still matter."""
    now = tx.now()
    return [
        Pause(row["connection"], row["calls"], row["who"], now - row["noted_at"], row["until"] - now)
        for row in tx.all("pauses", now=now, before=now - KEPT)
    ]
