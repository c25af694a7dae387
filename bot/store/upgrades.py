"""Features that people lost in an upgrade. Each loss is stored until the person has been told about it."""

from typing import Final

from bot.domain.upgrades import UpgradeLoss
from bot.store.queues import Queue, declare_queue
from bot.store.tables import UPGRADE_LOSSES
from bot.store.transaction import Transaction

_LOSS_QUEUE: Final = declare_queue(
    Queue(
        name="upgrade_losses", kind="upgrade_losses", is_scheduled=True, table="upgrade_losses", due="due_at"
    )
)


def claim_losses(tx: Transaction, limit: int, lease: float) -> list[UpgradeLoss]:
    """Claim losses (things that an upgrade took away) whose owners haven't been told yet."""
    return UPGRADE_LOSSES.parse_all(_LOSS_QUEUE.take(tx, lease, limit))
