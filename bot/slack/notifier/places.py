"""Where a notice belongs: to its person directly, or below the card of the run that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.domain.models import NoticeKind

if TYPE_CHECKING:
    from bot.domain.models import Notice
    from bot.store.store import Store

#: Notices that stand in the thread of a card.
THREADED: Final = frozenset({NoticeKind.JOB_OUTPUT, NoticeKind.JOB_FILE})
#: How long such a notice waits for a card that is still to be posted.
CARD_WAIT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """Name a conversation (a person's id stands for their direct message), and a thread in it or None."""

    channel: str
    thread_ts: str | None = None


class Places:
    """Find places.

    Output never goes to a channel, where not everybody is to see it and files may be refused: below a card
    that stands in one nothing is written, and the person has it in the direct message.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Notices whose thread Slack refused: they stand by themselves.
        self._alone: set[str] = set()

    async def of(self, notice: Notice) -> Place | None:
        """Return where a notice belongs; None while the card below which it belongs is not posted yet."""
        if notice.kind in {NoticeKind.CLASS_CARD, NoticeKind.CARD_UPDATE}:
            return Place(str(notice.body.get("channel_id") or ""))
        to_person = Place(notice.principal.user_id)
        if notice.kind not in THREADED or notice.id in self._alone:
            return to_person
        card = await self._store.card(notice.subject)
        if card is None:
            return to_person
        if card.channel_id is not None and card.message_ts is not None:
            is_direct = card.channel_id.startswith("D")
            return Place(card.channel_id, card.message_ts) if is_direct else to_person
        age = await self._store.now() - notice.created_at
        return None if age < CARD_WAIT else to_person

    def leave_thread(self, notice: Notice) -> None:
        """Note that a notice can't stand in its thread."""
        self._alone.add(notice.id)
