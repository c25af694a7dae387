"""Draw notices and cards from rows; a digest tells what is drawn, as the same isn't sent twice.

Failures are retried at growing intervals, then a plain text is sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bot.domain.facts import Facts, HeldFacts, RunFacts
from bot.domain.models import Answer, Card, Notice, NoticeKind, Shown
from bot.domain.plan import backoff
from bot.messages.blocks.notices import render
from bot.messages.blocks.past import redraw, still_so
from bot.messages.texts import notices as words
from bot.services.context import Context
from bot.services.gather import Gatherer
from bot.slack.calls import PacedSlack
from bot.slack.errors import Meaning, meaning
from bot.slack.methods import CHAT_UPDATE
from bot.slack.notifier.places import CARD_WAIT, Place, Places
from bot.slack.notifier.timing import Timing
from bot.support.errors import SlackPermanent, StoreError

log = structlog.get_logger(__name__)

#: How many seconds until something that can't be drawn yet is tried again.
NOT_READY: Final = 2.0
#: The longest pause between two attempts, in seconds.
LONGEST_PAUSE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold what to send, and where. ``is_plain``: a sentence replaces what can't be drawn."""

    place: Place
    answer: Answer
    output: Shown | None = None
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
            if notice.kind is NoticeKind.HELD and await self._store.hold_longer(notice):
                return None
            if notice.kind is NoticeKind.CARD and await self._store.is_end_sent(notice.subject):
                # It was held up until then; now it would come after what it is to announce.
                await self._store.notice_sent(notice.id, "", "")
                return None
            facts = await self._gatherer.of_notice(notice)
            if isinstance(facts, HeldFacts):
                facts = still_so(facts)
                if not facts.held:
                    # None of it is true any more, so nobody has to hear it.
                    await self._store.notice_sent(notice.id, "", "")
                    return None
            if place is None or _waits_for_output(notice, facts):
                await self._store.notice_retry(notice, NOT_READY, error="not ready")
                return None
            shown = facts.output if isinstance(facts, RunFacts) else None
            is_output = notice.kind is NoticeKind.JOB_OUTPUT
            return Drawing(place, render(notice.kind, facts), shown if is_output else None)
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
        text = words.NOT_DRAWN.format(reference=reference)
        is_update = notice.kind is NoticeKind.CARD_UPDATE
        place = Place(str(notice.body["channel_id"]) if is_update else notice.principal.user_id)
        return Drawing(place, Answer(text), is_plain=True)

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


async def edit(slack: PacedSlack, message: Mapping[str, Any], share: float = 1.0) -> None:
    """Replace a message as ``update`` says, by its text alone if Slack rejects its blocks.

    Raises SlackFailed. Repeating an edit does no harm.
    """
    try:
        await slack.call(CHAT_UPDATE, message, share=share)
    except SlackPermanent as error:
        if meaning(error) is not Meaning.BLOCKS or not message["blocks"]:
            raise
        log.warning("slack refused blocks", ts=message["ts"], problem=error.code)
        await slack.call(CHAT_UPDATE, {**message, "blocks": []}, share=share)


def _waits_for_output(notice: Notice, facts: Facts) -> bool:
    """Return whether a message about an output should wait: after a restart, the output is read again."""
    if notice.kind is not NoticeKind.JOB_OUTPUT or not isinstance(facts, RunFacts):
        return False
    is_missing = facts.output is None and facts.run.is_watched
    return is_missing and facts.now - notice.created_at < CARD_WAIT


def digest(message: Mapping[str, Any]) -> str:
    """Return what tells messages apart that don't show the same."""
    shown = {"text": message["text"], "blocks": message["blocks"]}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
