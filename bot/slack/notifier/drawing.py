"""Draw notices and cards from rows. What can't be drawn is tried less and less often, then said plainly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from bot.domain.models import Answer, NoticeKind
from bot.domain.plan import backoff
from bot.messages.blocks.cards import operation_card
from bot.messages.blocks.classes import class_card
from bot.messages.blocks.job_notices import job_facts
from bot.messages.blocks.jobs import job_asked, job_card
from bot.messages.blocks.notices import asked, render
from bot.messages.texts import undelivered
from bot.slack.notifier.places import CARD_WAIT, Place
from bot.store.cards import ASKED
from bot.support.errors import StoreError

if TYPE_CHECKING:
    from bot.domain.models import Notice
    from bot.messages.blocks.facts import Facts
    from bot.output.board import Shown
    from bot.services.context import Context
    from bot.services.gather import Gatherer
    from bot.slack.notifier.places import Places
    from bot.slack.notifier.timing import Timing
    from bot.store.store import Store

log = structlog.get_logger(__name__)

#: How the ids of classes begin.
CLASS_ID: Final = "class_"
#: What can't be drawn yet is looked at again after so many seconds.
NOT_READY: Final = 2.0
#: The longest pause between two tries, in seconds.
LONGEST_PAUSE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold what to send where. ``is_plain``: a sentence stands in for what can't be drawn."""

    place: Place
    answer: Answer
    output: Shown | None = None
    is_plain: bool = False


class Drawings:
    """Draw notices; one that is not ready goes back for later."""

    def __init__(self, context: Context, places: Places, gatherer: Gatherer, timing: Timing) -> None:
        self._store = context.store
        self._places = places
        self._gatherer = gatherer
        self._ids = context.ids
        self._timing = timing

    async def of(self, notice: Notice) -> Drawing | None:
        """Return what to send; None when the notice was put back."""
        try:
            place = await self._places.of(notice)
            if notice.kind is NoticeKind.CARD_UPDATE and place is not None:
                return await self._update(notice, place)
            facts = await self._gatherer.of_notice(notice)
            if place is None or _waits_for_output(notice, facts):
                await self._store.notice_retry(notice.id, NOT_READY, error="not ready")
                return None
            shown = facts.output if notice.kind is NoticeKind.JOB_OUTPUT else None
            return Drawing(place, render(notice.kind, facts), shown)
        except StoreError:
            raise
        except Exception:
            reference = self._ids.reference()
            log.exception("notice not drawn", notice=notice.id, kind=str(notice.kind), reference=reference)
        if await self._store.now() - notice.created_at < self._timing.draws_for:
            # Nothing was sent: there is nothing to look up.
            wait = backoff(notice.attempts, 0.5, longest=LONGEST_PAUSE)
            await self._store.notice_retry(notice.id, wait, error="undrawable")
            return None
        text = undelivered.UNDRAWN.format(reference=reference)
        is_update = notice.kind is NoticeKind.CARD_UPDATE
        place = Place(str(notice.body["channel_id"]) if is_update else notice.principal.user_id)
        return Drawing(place, Answer(text), is_plain=True)

    async def _update(self, notice: Notice, place: Place) -> Drawing | None:
        answer = await draw_card(self._store, self._gatherer, notice.subject)
        if answer is None:  # What it is about was deleted: the message stays as it is.
            await self._store.notice_sent(notice.id, place.channel, notice.body["message_ts"])
            return None
        return Drawing(place, answer)


async def draw_card(store: Store, gatherer: Gatherer, card_id: str) -> Answer | None:
    """Draw the card of an operation, a run or a class, or a question about one; None when that is gone."""
    if card_id.startswith(CLASS_ID):
        found = await store.class_card(card_id)
        return None if found is None else class_card(await gatherer.of_class(found))
    is_asked = card_id.endswith(ASKED)
    subject = card_id.removesuffix(ASKED)
    operation = await store.operation(subject)
    if operation is not None:
        facts = await gatherer.of_operation(operation)
        return asked(facts) if is_asked else operation_card(facts)
    job = await store.job(subject)
    if job is None:
        return None
    draw = job_asked if is_asked else job_card
    return draw(job, job_facts(await gatherer.of_job(job)))


def update(channel_id: str, message_ts: str, answer: Answer) -> dict[str, Any]:
    """Return what is sent to put an answer in the place of a message: without blocks those are taken away."""
    return {
        "channel": channel_id,
        "ts": message_ts,
        "text": answer.text,
        "blocks": list(answer.blocks),
        "link_names": False,
    }


def _waits_for_output(notice: Notice, facts: Facts) -> bool:
    """Say of a message about an output whether it is to wait: after a restart the output is read again."""
    if notice.kind is not NoticeKind.JOB_OUTPUT or facts.output is not None:
        return False
    is_followed = facts.job is not None and facts.job.is_watched
    return is_followed and facts.now - notice.created_at < CARD_WAIT
