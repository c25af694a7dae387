"""Outages of connections: begun once, told once, ended once, whichever process sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import notices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import NewNotice
    from bot.store.transaction import Transaction


def standing(tx: Transaction) -> Mapping[str, float]:
    """Return since when which connections do not answer."""
    return {row["connection"]: float(row["since"]) for row in tx.all("outages")}


def begin(tx: Transaction, connection: str, since: float, following: Sequence[NewNotice]) -> float:
    """Write an outage with its notices; return since when it stands, which another may have written."""
    if tx.run("begin_outage", connection=connection, since=since):
        notices.add(tx, following)
        return since
    return standing(tx)[connection]


def end(tx: Transaction, connection: str, following: Sequence[NewNotice]) -> bool:
    """End an outage and write its notices; False when another did."""
    if not tx.run("end_outage", connection=connection):
        return False
    notices.add(tx, following)
    return True
