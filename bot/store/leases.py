"""Leases: how long a process keeps a row that it has claimed, and how the rows of dead processes are freed.

A process claims a row by setting a time until which no other process works on the row. Only the process that
holds a SQLite file's serving lock serves from the file, so it can free all earlier claims immediately. A call
or message that a dead process may already have sent isn't repeated until a read or a search has shown whether
it was sent.
"""

from typing import Final

from bot.store.transaction import Transaction

#: Statements that free the claims of dead processes.
FREEING: Final = (
    *("free_operations", "free_runs", "free_notices", "free_cards", "free_tasks", "free_installations"),
    *("free_owners", "free_timers", "free_rules", "free_lessons", "free_upgrade_losses"),
)
#: Maximum duration of a claim on scheduled work, in seconds. Until the claim ends, no other process does that
#: work.
MAX_CLAIM_SECONDS: Final = 60.0


def free(tx: Transaction, settles: float) -> None:
    """Free all claimed rows, because the processes that claimed them are known to be dead.

    A message that was being sent may have reached Slack, so Usher searches for it after ``settles`` seconds.
    """
    now = tx.now()
    for query in FREEING:
        tx.run(query, now=now, settled=now + settles, longest=MAX_CLAIM_SECONDS)
