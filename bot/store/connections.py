"""Titles of connections, kept for messages about connections that are no longer configured."""

from collections.abc import Mapping

from bot.store.tables import CONNECTIONS
from bot.store.transaction import Transaction


def keep_titles(tx: Transaction, titles: Mapping[str, str]) -> dict[str, str]:
    """Save the titles of the current connections. Return the titles of all connections, past and present."""
    for name, title in titles.items():
        CONNECTIONS.upsert(tx, name=name, title=title)
    return {row["name"]: row["title"] for row in tx.all("connections")}
