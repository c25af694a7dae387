"""Places: the conversation where a message belongs."""

from dataclasses import dataclass
from typing import Final

from bot.domain.message_kinds import Mark
from bot.domain.notices import Notice
from bot.store import cards
from bot.store.store import Store
from bot.support.guards import guards

#: How long a notice waits for the card in whose thread it belongs, and that hasn't been posted yet.
CARD_WAIT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """Name a conversation (a person's id means their direct message), and a thread in it or None."""

    channel: str
    thread_ts: str | None = None


class Places:
    """Find the place of each notice. A thread is below a card, or below what was sent in its place.

    Output never goes to a channel, where not everybody should see it and files may be refused: if the card is
    in a channel, the output goes to the person's direct message instead.

    In memory: what Slack refused. Restart, and several processes: refused again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Notices whose thread Slack refused; they are sent on their own.
        self._alone: set[str] = set()

    @guards("Output is read again, not remembered")
    async def of(self, notice: Notice) -> Place | None:
        """Return where a notice belongs; None while the card above it hasn't been posted."""
        if Mark.IN_CHANNEL in notice.kind.marks:
            return Place(str(notice.body.get("channel_id") or ""))
        to_person = Place(notice.principal.user_id)
        if Mark.THREADED not in notice.kind.marks or notice.id in self._alone:
            return to_person
        card = await self._store.read(cards.head_of, notice.subject, notice.created_at)
        if card is None:
            return to_person
        if card.channel_id is not None and card.message_ts is not None:
            is_direct = card.channel_id.startswith("D")
            return Place(card.channel_id, card.message_ts) if is_direct else to_person
        age = await self._store.now() - notice.created_at
        return None if age < CARD_WAIT else to_person

    def leave_thread(self, notice: Notice) -> None:
        """Note that a notice can't go into its thread."""
        self._alone.add(notice.id)
