"""Tells each person, in one message, what Usher has stopped doing for them because of an upgrade."""

from dataclasses import replace
from typing import Final

from bot.domain import timetable
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.upgrades import UpgradeLoss
from bot.services.caller import Caller
from bot.services.scheduled_work import CLAIM_LEASE_SECONDS, ScheduledWork
from bot.store import courses
from bot.store import upgrades as store
from bot.store.notices import add_notices
from bot.store.tables import CLASS_CARDS, UPGRADE_LOSSES
from bot.store.transaction import Transaction, from_json
from bot.support.release import RELEASE

_BATCH_SIZE: Final = 50


def tell_losses(tx: Transaction, caller: Caller, claimed: UpgradeLoss) -> None:
    """Write one message about everything that a person lost in the upgrade, unless there is one already."""
    found = UPGRADE_LOSSES.all(tx, "id", principal=caller.principal)
    UPGRADE_LOSSES.delete(tx, principal=caller.principal)
    kept = [one for one in found if one.what != "moved" or _restore_lessons(tx, one)]
    if kept:
        body = {
            "reader": caller.principal.key,
            "losses": [[one.what, one.subject, one.detail] for one in kept],
        }
        occasion = f"{RELEASE}:{claimed.id}"
        add_notices(
            tx,
            [NewNotice(caller.principal.key, NoticeKind.UPGRADE_LOSSES, occasion, caller.principal, body)],
        )


def _restore_lessons(tx: Transaction, loss: UpgradeLoss) -> bool:
    """Restore a course's end, but not its moved lessons. Return whether any of those were still to come."""
    card = courses.find_card(tx, loss.subject)
    if card is None or card.is_over(now := tx.now()):
        return False
    if loss.principal == card.principal:
        CLASS_CARDS.change(tx, {"id": card.id}, stops_at=timetable.get_last_end(card))
    today = card.day(now).isoformat()
    if not any(day >= today for day in from_json(loss.detail)):
        return False
    if loss.principal == card.principal:
        for key in sorted(card.co_teachers):
            other = replace(loss, id=f"{loss.id}:{key}", principal=Principal.from_key(key))
            UPGRADE_LOSSES.add_new(tx, other, due_at=tx.now())
    return True


UPGRADE_WORK: Final = ScheduledWork(
    name="upgrade_losses",
    claim=lambda tx, _: UPGRADE_LOSSES.parse_all(store.LOSS_QUEUE.take(tx, CLAIM_LEASE_SECONDS, _BATCH_SIZE)),
    carry_out=tell_losses,
)
