"""Leases: how long a process keeps a row that it has claimed, and how the rows of dead processes are freed.

A process claims a row by setting a time until which no other process works on the row. Only the process that
holds a SQLite file's serving lock serves from the file, so it can free all earlier claims immediately. A call
or message that a dead process may already have sent isn't repeated until a read or a search has shown whether
it was sent.
"""

from collections.abc import Mapping
from typing import Final

from bot.store.transaction import Transaction

#: Maps each column whose time marks a row as claimed to the statement that frees such claims.
LEASES: Final[Mapping[str, str]] = {
    "operations.leased_until": "free_operations",
    "operations.next_step_at": "free_operations",
    "runs.leased_until": "free_runs",
    "runs.next_step_at": "free_runs",
    "notices.due_at": "free_notices",
    "cards.leased_until": "free_cards",
    "tasks.due_at": "free_tasks",
    "installations.renewing_until": "free_installations",
    "owners.until": "free_owners",
    "workspaces.stop_check_at": "free_timers",
    "rules.next_check_at": "free_rules",
    "participants.due_at": "free_lessons",
    "upgrade_losses.due_at": "free_upgrade_losses",
}
#: Columns that limit how often work is done. A claim sets each to a later time. These times don't lock rows,
#: so freeing claims doesn't reset them.
PACES: Final = frozenset(
    {
        "class_cards.next_check_at",
        "gates.next_check_at",
        "gates.due_at",
        "waitlist_entries.next_at",
        "accounts.remind_at",
        "usage_mondays.due_at",
        "workspaces.provider_end_check_at",
        "workspaces.idle_check_at",
    }
)
#: Maximum duration of a claim on scheduled work, in seconds. Until the claim ends, no other process does that
#: work.
MAX_CLAIM_SECONDS: Final = 60.0


def free(tx: Transaction, settles: float) -> None:
    """Free all claimed rows, because the processes that claimed them are known to be dead.

    A message that was being sent may have reached Slack, so Usher searches for it after ``settles`` seconds.
    """
    now = tx.now()
    for query in dict.fromkeys(LEASES.values()):
        tx.run(query, now=now, settled=now + settles, longest=MAX_CLAIM_SECONDS)
