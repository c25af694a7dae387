"""What people lose in an upgrade, kept until they have been told; and the former members of courses."""

from typing import Final

from bot.domain.courses import FormerMember
from bot.domain.people import Principal
from bot.domain.row_times import make_due
from bot.domain.upgrades import UpgradeLoss
from bot.store.queues import Queue, declare_queue
from bot.store.tables import Table, register_table
from bot.store.transaction import Transaction

_LOSSES: Final = register_table(
    Table("upgrade_losses", UpgradeLoss, "id", "principal", due_at=make_due(60.0))
)
_FORMER_MEMBERS: Final = register_table(Table("former_members", FormerMember, "id", "card_id"))
_LOSS_QUEUE: Final = declare_queue(
    Queue(
        name="upgrade_losses", kind="upgrade_losses", is_scheduled=True, table="upgrade_losses", due="due_at"
    )
)


def claim_losses(tx: Transaction, limit: int, lease: float) -> list[UpgradeLoss]:
    """Claim losses that people haven't been told about."""
    return _LOSSES.parse_all(_LOSS_QUEUE.take(tx, lease, limit))


def take_losses(tx: Transaction, principal: Principal) -> list[UpgradeLoss]:
    """Delete a person's losses and return them in the order of their keys."""
    found = sorted(_LOSSES.all(tx, principal=principal), key=lambda one: one.id)
    _LOSSES.delete(tx, principal=principal)
    return found


def add_loss(tx: Transaction, loss: UpgradeLoss) -> None:
    """Add a loss, to be reported to the person later."""
    _LOSSES.add_new(tx, loss, due_at=tx.now())


def take_former_members(tx: Transaction, card_id: str, limit: int) -> list[FormerMember]:
    """Delete and return some of a course's former members."""
    found = _FORMER_MEMBERS.query(tx, "former_members", card_id=card_id, limit=limit)
    for one in found:
        _FORMER_MEMBERS.delete(tx, id=one.id)
    return found
