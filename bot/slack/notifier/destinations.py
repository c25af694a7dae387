"""Finds the conversation and thread for each notice."""

from typing import Final, NamedTuple

from bot.domain.notices import Mark, Notice
from bot.store import cards
from bot.store.store import Store

#: How long, in seconds, a notice for a card's thread waits for the card to be posted.
MAX_CARD_WAIT_SECONDS: Final = 120.0


class Destination(NamedTuple):
    """A conversation (for a direct message, the person's id is enough), and possibly a thread in it."""

    channel: str
    thread_ts: str | None = None


class Destinations:
    """Finds out where to send each notice. A thread reply goes below its card or the card's replacement.

    Output is never sent to a channel, where others would see it. If a run's card is in a channel, Usher sends
    the output as a direct message.

    If Slack refuses a thread, this process remembers that in memory.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Ids of notices that are sent outside their thread because Slack refused the thread.
        self._alone: set[str] = set()

    # guards: After a crash, output is read again from the beginning
    async def find(self, notice: Notice) -> Destination | None:
        """Return where to send a notice, or None if it has to wait until its card is posted."""
        if Mark.IN_CHANNEL in notice.kind.marks:
            return Destination(str(notice.body.get("channel_id") or ""))
        to_person = Destination(notice.principal.user_id)
        if Mark.THREADED not in notice.kind.marks or notice.id in self._alone:
            return to_person
        card = await self._store.read(cards.find_output_head, notice.subject, notice.created_at)
        if card is None:
            return to_person
        if card.channel_id is not None and card.message_ts is not None:
            is_direct = card.channel_id.startswith("D")
            return Destination(card.channel_id, card.message_ts) if is_direct else to_person
        age = await self._store.now() - notice.created_at
        return None if age < MAX_CARD_WAIT_SECONDS else to_person

    def leave_thread(self, notice: Notice) -> None:
        """Remember that a notice has to be sent outside its thread."""
        self._alone.add(notice.id)
