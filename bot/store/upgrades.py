"""Features that people lost in an upgrade, and the former members of courses.

Each loss is stored until the person has been told about it.
"""

from typing import Final

from bot.domain.courses import FormerMember
from bot.domain.people import Principal
from bot.domain.upgrades import UpgradeLoss
from bot.store.queues import Queue, declare_queue
from bot.store.tables import FORMER_MEMBERS, UPGRADE_LOSSES
from bot.store.transaction import Transaction

_LOSS_QUEUE: Final = declare_queue(
    Queue(
        name="upgrade_losses", kind="upgrade_losses", is_scheduled=True, table="upgrade_losses", due="due_at"
    )
)


def claim_losses(tx: Transaction, limit: int, lease: float) -> list[UpgradeLoss]:
    """Claim losses (things that an upgrade took away) whose owners haven't been told yet."""
    return UPGRADE_LOSSES.parse_all(_LOSS_QUEUE.take(tx, lease, limit))


def take_losses(tx: Transaction, principal: Principal) -> list[UpgradeLoss]:
    """Delete a person's losses, and return them sorted by id."""
    found = sorted(UPGRADE_LOSSES.all(tx, principal=principal), key=lambda one: one.id)
    UPGRADE_LOSSES.delete(tx, principal=principal)
    return found


def add_loss(tx: Transaction, loss: UpgradeLoss) -> None:
    """Add a loss, so that its owner will be told about it."""
    UPGRADE_LOSSES.add_new(tx, loss, due_at=tx.now())


def take_former_members(tx: Transaction, card_id: str, limit: int) -> list[FormerMember]:
    """Delete some of a course's former members, and return them."""
    found = FORMER_MEMBERS.query(tx, "former_members", card_id=card_id, limit=limit)
    for one in found:
        FORMER_MEMBERS.delete(tx, id=one.id)
    return found
