"""Draw notices and cards from rows, where each belongs.

What was written down is only who is owed the truth about which rows: it is drawn from them as they are then,
and what nobody is owed any more ends unsent, as sent nowhere. What can't be drawn is tried again at growing
intervals, then a plain text is sent. A digest tells what is drawn, as the same isn't sent twice.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bot.domain.notices import Answer, Card, Mark, Notice, NoticeKind
from bot.domain.plan import backoff
from bot.messages.blocks.notices import owed, redraw
from bot.messages.texts import notices
from bot.services.context import Context
from bot.services.gather import Gatherer
from bot.slack import calls
from bot.slack.calls import Meaning, PacedSlack, meaning
from bot.store.notices import TOO_BUSY
from bot.store.store import Store
from bot.support.errors import SlackPermanent, StoreError
from bot.support.guards import guards

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Hold the notifier's parameters; times in seconds.

    ``settles``: how long to wait for a message of unknown outcome to appear before looking for it.
    ``looks_back``: how long before the attempt the search begins, by Slack's time.
    """

    lease: float = 60.0
    send_timeout: float = 10.0
    settles: float = 15.0
    looks_back: float = 120.0
    reply_lives: float = 60.0
    card_interval: float = 15.0
    #: What Slack hasn't accepted after this long is given up, and reported by doctor.
    gives_up_after: float = 86_400.0
    #: The same where it is refused in a channel with a code that nobody knows: a class waits for it.
    gives_up_in_channel: float = 3_600.0
    #: What can't be drawn after this long is sent as a plain text.
    draws_for: float = 300.0
    batch: int = 20

    def check(self) -> None:
        """Raise ValueError if a send could outlast its lease: it would be sent twice."""
        if self.send_timeout >= self.lease:
            raise ValueError("the time-out of a send must be shorter than the lease of a notice")

    @property
    def last_start(self) -> float:
        """Return how long after its claim a send may start, so that it ends within the lease."""
        return self.lease - self.send_timeout - min(5.0, (self.lease - self.send_timeout) / 2)


#: How long a notice waits for the card in whose thread it belongs, and that hasn't been posted yet.
CARD_WAIT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """Name a conversation (a person's id means their direct message), and a thread in it or None."""

    channel: str
    thread_ts: str | None = None


class Places:
    """Find the place of each notice.

    Output never goes to a channel, where not everybody should see it and files may be refused: if the card is
    in a channel, the output goes to the person's direct message instead.
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
        card = await self._store.card(notice.subject)
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


#: For so many seconds an operation's card waits while more edits wait than Slack takes in a minute: it
#: would make more of them. Most operations have ended by then, and their end says it all.
BUSY_WAIT: Final = 120.0
_A_MINUTE: Final = calls.METHODS[calls.CHAT_UPDATE].per_minute or 0
#: How many seconds until something that can't be drawn yet is tried again.
NOT_READY: Final = 2.0
#: The longest pause between two attempts, in seconds.
LONGEST_PAUSE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold what to send, and where. ``is_plain``: a sentence replaces what can't be drawn."""

    place: Place
    answer: Answer
    is_plain: bool = False


class Drawings:
    """Draw notices; one that isn't ready is put back for later."""

    def __init__(self, context: Context, places: Places, gatherer: Gatherer, timing: Timing) -> None:
        self._store = context.store
        self._places = places
        self._gatherer = gatherer
        self._ids = context.ids
        self._timing = timing

    async def of(self, notice: Notice) -> Drawing | None:
        """Return what to send; None if the notice was put back."""
        try:
            place = await self._places.of(notice)
            if notice.kind is NoticeKind.CARD_UPDATE and place is not None:
                return await self._update(notice, place)
            if notice.kind is NoticeKind.CARD and await self._store.is_end_sent(notice.subject):
                # It was held up until then; now it would come after what it is to announce.
                await self._store.notice_sent(notice.id, "", "")
                return None
            if notice.kind is NoticeKind.CARD and await self._is_too_busy(notice):
                await self._store.notice_retry(notice, BUSY_WAIT / 4, error=TOO_BUSY)
                return None
            facts = await self._gatherer.owed(notice)
            if place is None:
                await self._store.notice_retry(notice, NOT_READY, error="not ready")
                return None
            answer = owed(notice.kind, facts)
            if answer is None:
                await self._store.notice_sent(notice.id, "", "")
                return None
            return Drawing(place, answer)
        except StoreError:
            raise
        except Exception:
            reference = self._ids.reference()
            log.exception("notice not drawn", notice=notice.id, kind=str(notice.kind), reference=reference)
        if await self._store.now() - notice.created_at < self._timing.draws_for:
            # Nothing was sent, so there is nothing to look up.
            wait = backoff(notice.attempts, 0.5, longest=LONGEST_PAUSE)
            await self._store.notice_retry(notice, wait, error="undrawable")
            return None
        text = notices.NOT_DRAWN.format(reference=reference)
        is_update = notice.kind is NoticeKind.CARD_UPDATE
        place = Place(str(notice.body["channel_id"]) if is_update else notice.principal.user_id)
        return Drawing(place, Answer(text), is_plain=True)

    async def _is_too_busy(self, card: Notice) -> bool:
        """Return whether a card would make edits that Slack has no room for."""
        if card.body.get("becomes") or await self._store.now() - card.created_at >= BUSY_WAIT:
            return False
        return await self._store.are_edits_waiting(_A_MINUTE)

    async def _update(self, notice: Notice, place: Place) -> Drawing | None:
        card = await self._store.card(notice.subject)
        answer = None if card is None else await draw_card(self._gatherer, card)
        if answer is None:  # Its subject was deleted: the message stays as it is.
            await self._store.notice_sent(notice.id, place.channel, notice.body["message_ts"])
            return None
        return Drawing(place, answer)


async def draw_card(gatherer: Gatherer, card: Card) -> Answer | None:
    """Draw a message again; return None if what it shows is gone."""
    facts = await gatherer.of_message(card)
    return None if facts is None else redraw(card.kind, facts, is_closing=card.stage != "live")


def update(channel_id: str, message_ts: str, answer: Answer) -> dict[str, Any]:
    """Return the arguments that replace a message with an answer; an answer without blocks removes them."""
    return {
        "channel": channel_id,
        "ts": message_ts,
        "text": answer.text,
        "blocks": list(answer.blocks),
        "link_names": False,
    }


async def edit(slack: PacedSlack, message: Mapping[str, Any]) -> None:
    """Replace a message as ``update`` says, by its text alone if Slack rejects its blocks.

    Raises SlackFailed. Repeating an edit does no harm.
    """
    try:
        await slack.call(calls.CHAT_UPDATE, message)
    except SlackPermanent as error:
        if meaning(error) is not Meaning.BLOCKS or not message["blocks"]:
            raise
        log.warning("slack refused blocks", ts=message["ts"], problem=error.code)
        await slack.call(calls.CHAT_UPDATE, {**message, "blocks": []})


def digest(message: Mapping[str, Any]) -> str:
    """Return what tells messages apart that don't show the same."""
    shown = {"text": message["text"], "blocks": message["blocks"]}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
