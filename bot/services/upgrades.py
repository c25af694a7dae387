"""Losses from an upgrade: each affected person gets one message about what Usher no longer does for them."""

from dataclasses import replace
from typing import Any, Final

from bot.domain import timetable
from bot.domain.message_context import Facts
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.upgrades import LOST_OF_COURSES, DescribedLoss, UpgradeFacts, UpgradeLoss
from bot.services.caller import Caller
from bot.services.message_context import Gatherer, Message, kind_extensions
from bot.services.scheduled_work import CLAIM_LEASE_SECONDS, ScheduledWork
from bot.store import courses, workspaces
from bot.store import upgrades as store
from bot.store.notices import add_notices
from bot.store.tables import CLASS_CARDS
from bot.store.transaction import Transaction, from_json
from bot.support.release import RELEASE

#: Maximum number of upgrade losses that are claimed at a time.
_BATCH_SIZE: Final = 50


def tell_losses(tx: Transaction, caller: Caller, claimed: UpgradeLoss) -> None:
    """Write one message about everything that a person lost in the upgrade, unless there already is one."""
    found = store.take_losses(tx, caller.principal)
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
    """Restore a course's end, without moved lessons; return whether a moved lesson was still to come.

    The course's co-teachers are told, too.
    """
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
            store.add_loss(tx, other)
    return True


@kind_extensions(NoticeKind.UPGRADE_LOSSES)
async def _add_losses(gatherer: Gatherer, message: Message, facts: Facts) -> Facts:
    """Add the person's losses, with the names to show, to a message's facts."""
    found = [await _describe(gatherer, *one) for one in message.body.get("losses", ())]
    return UpgradeFacts(**facts.common(), losses=tuple(one for one in found if one is not None))


async def _describe(gatherer: Gatherer, what: str, subject: str, detail: str) -> DescribedLoss | None:
    """Describe a loss; return None if its subject no longer exists."""
    if what in LOST_OF_COURSES:
        card = await gatherer.store.read(courses.find_card, subject)
        return None if card is None else DescribedLoss(what, card.title, card=card, detail=from_json(detail))
    if what == "default_template":
        return DescribedLoss(what, detail, gatherer.title(subject))
    if what == "scheduled":
        asked: dict[str, Any] = from_json(detail)
        return DescribedLoss(what, asked["name"], gatherer.title(asked["connection"]))
    if what == "hours_moved":
        return DescribedLoss(what, detail=from_json(detail))
    said: dict[str, Any] = from_json(detail) if what in {"hours_unused", "limit_answer"} else {}
    workspace = await gatherer.store.read(workspaces.find_workspace, said.get("workspace", subject))
    if workspace is not None:
        return DescribedLoss(what, workspace.title, gatherer.title(workspace.connection), detail=said)
    # For the hours of an unlinked workspace, the detail is the workspace's name.
    return DescribedLoss(what, detail) if what == "hours_wait" and detail else None


UPGRADE_WORK: Final = ScheduledWork(
    name="upgrade_losses",
    claim=lambda tx, _: store.claim_losses(tx, _BATCH_SIZE, CLAIM_LEASE_SECONDS),
    carry_out=tell_losses,
)
