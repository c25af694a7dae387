"""Outages of connections: begun once, told once, ended once, whichever process sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.notices import add_notices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.models import NewNotice
    from bot.store.transaction import Transaction


def current(tx: Transaction) -> Mapping[str, float]:
    """Return since when (epoch seconds) which connections do not answer."""
    return {row["connection"]: float(row["since"]) for row in tx.all("outages")}


def begin(tx: Transaction, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
    """Write an outage with its notices; return since when it stands.

    When another process wrote it before, nothing is written.
    """
    if tx.run("begin_outage", connection=connection, since=since):
        add_notices(tx, notices)
        return since
    return current(tx)[connection]


def end(tx: Transaction, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
    """End an outage and write its notices; False, nothing written, when it was over already."""
    if not tx.run("end_outage", connection=connection):
        return False
    add_notices(tx, notices)
    return True
