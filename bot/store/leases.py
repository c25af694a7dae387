"""Leases: how long a claim keeps other processes away, and how leases of dead processes are freed.

The process that has the serving lock of a SQLite file knows that no other serves from it, so all earlier
claims are freed at once. As always, what may have been called or sent is read or looked for first.
"""

from collections.abc import Mapping
from typing import Final

from bot.store.transaction import Transaction

#: The columns that a claim moves into the future to keep others away, and the statements that free them.
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
#: The columns that a claim moves because work is done only so often, by any process; these aren't freed.
PACES: Final = frozenset(
    {
        "class_cards.next_check_at",
        "gates.next_check_at",
        "gates.due_at",
        "waitlist_entries.next_at",
        "accounts.remind_at",
        "preferences.weekly_at",
        "workspaces.provider_end_check_at",
        "workspaces.idle_check_at",
    }
)
#: The longest that a claim of scheduled work keeps others away, in seconds.
MAX_CLAIM_SECONDS: Final = 60.0


def free(tx: Transaction, settles: float) -> None:
    """Free all claimed rows, as the processes that claimed them are known to be dead.

    A message that was being sent may have been sent just now, so it is looked for in ``settles`` seconds.
    """
    now = tx.now()
    for query in dict.fromkeys(LEASES.values()):
        tx.run(query, now=now, settled=now + settles, longest=MAX_CLAIM_SECONDS)
