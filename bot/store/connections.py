"""The titles of connections, remembered for messages about one that isn't set up any more."""

from collections.abc import Mapping

from bot.store.tables import CONNECTIONS
from bot.store.transaction import Transaction


def keep_titles(tx: Transaction, titles: Mapping[str, str]) -> dict[str, str]:
    """Write the titles of the current connections; return the titles of all connections there ever were."""
    for name, title in titles.items():
        CONNECTIONS.upsert(tx, name=name, title=title)
    return {row["name"]: row["title"] for row in tx.all("connections")}
