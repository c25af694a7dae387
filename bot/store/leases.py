"""Leases: for how long a claim keeps others away, and who is free of them at once.

Whoever takes the serving lock of a file knows that nobody else serves from it: what was claimed before is in
nobody's hands. It is free at once; what may have been called or sent is read or looked for first, as ever.
"""

from collections.abc import Mapping
from typing import Final

from bot.store.transaction import Transaction

#: Each column that a claim moves ahead so that others leave a row alone, by the statement that frees it.
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
#: What claims move because something is done no more often than so, whoever does it: that stays.
PACES: Final = frozenset(
    {
        "class_cards.next_check_at",
        "gates.next_check_at",
        "gates.due_at",
        "waitlist_entries.next_at",
        "accounts.remind_at",
        "workspaces.provider_end_check_at",
        "workspaces.idle_check_at",
    }
)
#: No claim of what time does keeps others away for longer, in seconds.
MAX_CLAIM_SECONDS: Final = 60.0


def free(tx: Transaction, settles: float) -> None:
    """Free all claimed rows, as each process that claimed them is known to be dead.

    A message that was in hand may have been sent until now: it is looked for in ``settles`` seconds.
    """
    now = tx.now()
    for query in dict.fromkeys(LEASES.values()):
        tx.run(query, now=now, settled=now + settles, longest=MAX_CLAIM_SECONDS)
