"""Connections: what people call them, remembered for when one isn't set up any more."""

from collections.abc import Mapping

from bot.store.tables import CONNECTIONS
from bot.store.transaction import Transaction


def keep_titles(tx: Transaction, titles: Mapping[str, str]) -> dict[str, str]:
    """Write the titles of the connections that are set up; return those of all that ever were."""
    for name, title in titles.items():
        CONNECTIONS.upsert(tx, name=name, title=title)
    return {row["name"]: row["title"] for row in tx.all("connections")}
