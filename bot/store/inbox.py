"""The inbox: the interactions that took effect, so that a repeated delivery changes nothing."""

from bot.store import tables, transaction
from bot.store.transaction import Transaction


def first_sight(tx: Transaction, interaction: str, said_at: float | None = None) -> bool:
    """Write an inbox row; return whether it was new. An empty interaction is always new.

    ``said_at`` is when it was said, if that is known. Raises UsedTwice if the same request wrote it.
    """
    if not interaction:
        return True
    transaction.use(interaction)
    return tables.INBOX.add_new(tx, key=interaction, seen_at=tx.now(), result="", said_at=said_at)


def was_seen(tx: Transaction, interaction: str) -> bool:
    """Return whether an interaction has an inbox row."""
    return bool(interaction) and tables.INBOX.row(tx, key=interaction) is not None


def result_of(tx: Transaction, interaction: str) -> str:
    """Return the id of what an interaction created, "" if none was kept."""
    row = tables.INBOX.row(tx, key=interaction)
    return str(row["result"]) if row else ""


def keep_result(tx: Transaction, interaction: str, result: str) -> None:
    """Keep the id of what an interaction created, for repeated deliveries."""
    if interaction:
        tables.INBOX.change(tx, {"key": interaction}, result=result)
