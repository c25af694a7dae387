"""Draw a notice from rows. What can't be drawn is tried less and less often, then said plainly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from bot.blocks.notices import render
from bot.errors import StoreError
from bot.models import Answer, NoticeKind
from bot.notifier.places import CARD_WAIT, Place
from bot.plan import backoff
from bot.words import undelivered

if TYPE_CHECKING:
    from bot.blocks.facts import Facts
    from bot.clock import Ids
    from bot.gather import Gatherer
    from bot.models import Notice
    from bot.notifier.places import Places
    from bot.notifier.timing import Timing
    from bot.output.board import Shown
    from bot.store.base import Store

log = structlog.get_logger(__name__)

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

    def __init__(self, store: Store, places: Places, gatherer: Gatherer, ids: Ids, timing: Timing) -> None:
        self._store = store
        self._places = places
        self._gatherer = gatherer
        self._ids = ids
        self._timing = timing

    async def of(self, notice: Notice) -> Drawing | None:
        """Return what to send; None when the notice was put back."""
        try:
            place = await self._places.of(notice)
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
        return Drawing(Place(notice.principal.user_id), Answer(text), is_plain=True)


def _waits_for_output(notice: Notice, facts: Facts) -> bool:
    """Say of a message about an output whether it is to wait: after a restart the output is read again."""
    if notice.kind is not NoticeKind.JOB_OUTPUT or facts.output is not None:
        return False
    is_followed = facts.job is not None and facts.job.is_watched
    return is_followed and facts.now - notice.created_at < CARD_WAIT
