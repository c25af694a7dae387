"""Migrates course members stored by releases up to 0.4.1.

Those releases stored what each member had agreed to and which days they skipped. Members who agreed to only
some of a course's lessons, or who skip lessons after the next one, are removed. A course does nothing for its
members until ``settle`` has checked all of them.
"""

from typing import Final

from bot.domain import timetable
from bot.domain.audit import AuditEntry
from bot.domain.courses import ClassCard, FormerMember
from bot.domain.notices import NewNotice, NoticeKind
from bot.store import cards, timers
from bot.store import courses as store
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.tables import FORMER_MEMBERS
from bot.store.transaction import Row, Transaction

MEMBERS_PER_TRANSACTION: Final = 20


def settle(tx: Transaction, card: ClassCard) -> bool:
    """Compare a batch of former members with their course. Return whether there may be more members."""
    found = FORMER_MEMBERS.query(tx, "former_members", card_id=card.id, limit=MEMBERS_PER_TRANSACTION)
    for former in found:
        FORMER_MEMBERS.delete(tx, id=former.id)
        _settle_member(tx, card, former)
    return len(found) == MEMBERS_PER_TRANSACTION


def _settle_member(tx: Transaction, card: ClassCard, former: FormerMember) -> None:
    """Keep a member and close the lessons that they skipped, or end their membership and tell them."""
    member, now = store.find_participant(tx, card.id, former.principal), tx.now()
    if member is None or member.consented_at != former.consented_at or card.is_over(now):
        # The member has left or rejoined in the meantime, which takes precedence.
        return
    beyond, skipped = timetable.list_days_beyond(card, former, now)
    if beyond or skipped:
        body: Row = {"connection": card.connection, "skipped": [] if beyond else skipped}
        store.leave(tx, card.id, former.principal)
        if member.workspace_id is not None:
            timers.decide(tx, member.workspace_id)
            cards.queue_messages(tx, member.workspace_id, changed=True)
        notice = NewNotice(card.id, NoticeKind.COURSE_LEFT, former.principal.key, former.principal, body)
        add_notices(tx, [notice])
        detail = {"card": card.id, "teacher": card.principal.key, "because": "upgrade"}
        target = f"{card.connection}/{card.title}"
        append_audit(tx, [AuditEntry(former.principal.key, "class.leave", target, "accepted", detail)])
        return
    last = timetable.find_last_lesson(card, now)
    if last is not None and (former.paused or last.local[:10] in former.skipped):
        store.close_lesson(tx, member, last)
    if (coming := timetable.find_skipped_next(card, former, now)) is not None:
        store.close_lesson(tx, member, coming)
