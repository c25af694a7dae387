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

from bot.domain.facts import Facts, HeldFacts, WorkspaceFacts
from bot.domain.notices import Answer, Card, Notice, NoticeKind
from bot.domain.plan import backoff
from bot.messages.blocks.notices import owed, redraw
from bot.messages.texts import notices
from bot.services.context import Context
from bot.services.gather import Gatherer
from bot.slack import methods
from bot.slack.calls import PacedSlack
from bot.slack.errors import Meaning, meaning
from bot.slack.notifier.places import Place, Places
from bot.slack.notifier.timing import Timing
from bot.store.notices import SILENCE, TO_BE_READ, TOO_BUSY
from bot.support.errors import SlackPermanent, StoreError

log = structlog.get_logger(__name__)


#: For so many seconds an operation's card waits while more edits wait than Slack takes in a minute: it
#: would make more of them. Most operations have ended by then, and their end says it all.
BUSY_WAIT: Final = 120.0
_A_MINUTE: Final = methods.METHODS[methods.CHAT_UPDATE].per_minute or 0
#: How many seconds until something that can't be drawn yet is tried again.
NOT_READY: Final = 2.0
#: The longest pause between two attempts, in seconds.
LONGEST_PAUSE: Final = 300.0
#: What is sent with every message: no preview of an address, and no name that becomes a mention.
AS_WRITTEN: Final = {"unfurl_links": False, "unfurl_media": False, "link_names": False}


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
            if notice.kind is NoticeKind.CARD and await self._is_too_busy(notice):
                await self._store.notice_retry(notice, BUSY_WAIT / 4, error=TOO_BUSY)
                return None
            facts = await self._gatherer.owed(notice)
            if await self._is_end_sent(notice, facts):
                # It was held up until then; now it would come after what it is to announce.
                await self._store.notice_sent(notice.id, "", "")
                return None
            if place is None:
                await self._store.notice_retry(notice, NOT_READY, error="not ready")
                return None
            if await self._is_read_first(notice, facts):
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

    async def _is_end_sent(self, card: Notice, facts: Facts) -> bool:
        """Return whether a first card would come after the message about the end."""
        if card.kind is NoticeKind.CARD and isinstance(facts, WorkspaceFacts):
            return facts.is_end_sent
        return bool(card.body.get("waits")) and await self._store.is_end_sent(card.subject)

    async def _is_read_first(self, notice: Notice, facts: Facts) -> bool:
        """Put back what has waited through a silence until its workspaces were read again, a minute at most.

        Only a read that left after this counts. If the message can't be sent then, it waits for another read.
        """
        found = [one for _, one in facts.held] if isinstance(facts, HeldFacts) else [facts]
        waits, _, at = (notice.error or "").partition(":")
        since = float(at) if waits == TO_BE_READ else facts.now
        if facts.now - since >= SILENCE or all(facts.now - one.written_at < SILENCE for one in found):
            return False
        rows = [one.workspace for one in found if isinstance(one, WorkspaceFacts) and not one.is_refused]
        unread = [row.id for row in rows if row is not None and (row.observed_at or 0.0) < since]
        for workspace_id in unread if waits != TO_BE_READ else ():
            await self._store.make_due(workspace_id)
        if unread:
            await self._store.notice_retry(notice, NOT_READY, error=f"{TO_BE_READ}:{since}")
        return bool(unread)

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
        await slack.call(methods.CHAT_UPDATE, message)
    except SlackPermanent as error:
        if meaning(error) is not Meaning.BLOCKS or not message["blocks"]:
            raise
        log.warning("slack refused blocks", ts=message["ts"], problem=error.code)
        await slack.call(methods.CHAT_UPDATE, {**message, "blocks": []})


def digest(message: Mapping[str, Any]) -> str:
    """Return what tells messages apart that don't show the same."""
    shown = {"text": message["text"], "blocks": message["blocks"]}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
