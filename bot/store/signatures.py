"""Signatures of recent requests from Slack, kept so that each request is accepted only once."""

from typing import Final

from bot.store.fan_out import FAN_OUT_BATCH_SIZE
from bot.store.tables import SIGNATURES
from bot.store.transaction import Priority, Transaction, prioritize

#: How long signatures are kept, in seconds. A repeat that arrives later is refused as too old.
RETENTION_SECONDS: Final = 600.0


# These rows depend on no others, so this function needn't run alone.
@prioritize(Priority.RECORDS)
def save_signatures(tx: Transaction, signatures: str) -> None:
    """Save new signatures, and delete some of those that are no longer needed."""
    now = tx.now()
    tx.run("forget_signatures", before=now - RETENTION_SECONDS, limit=FAN_OUT_BATCH_SIZE)
    SIGNATURES.add(tx, id=tx.ids.new("signatures"), seen_at=now, signatures=signatures)


def list_signatures(tx: Transaction, within: float = RETENTION_SECONDS) -> list[tuple[float, str]]:
    """Return the signatures from the last ``within`` seconds, oldest first, each with its age in seconds."""
    now = tx.now()
    rows = tx.all("signatures_since", since=now - within)
    return [(max(now - row["seen_at"], 0.0), row["signatures"]) for row in rows]
