"""Slack's own absence: since when it doesn't answer, in one row for all processes, as for a connection."""

import math
from typing import Final

import structlog

from bot.domain.people import SLACK
from bot.slack.calls import AnySlack, PacedSlack
from bot.store.store import Store
from bot.support.clock import Clock
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)

#: After so many seconds without any answer, also to who we are, Slack is absent.
ABSENT_AFTER: Final = 10.0
#: How often its answers are noted while all is well, in seconds.
NOTED_EVERY: Final = 10.0


class Absence:
    """Begin and end Slack's absence from what this process learns; each is one line of the log.

    A method that fails alone isn't one.
    """

    def __init__(self, store: Store, slack: AnySlack, clock: Clock) -> None:
        self._store = store
        self._slack = slack
        self._clock = clock
        #: Since when this process finds it absent.
        self.since: float | None = None
        self._noted_at = -math.inf

    async def step(self) -> None:
        """Note what calls have learned since the last step; ask Slack if none was answered for a while."""
        places = self._slack.all()
        answered_at = max((one.answered_at for one in places if one.answered_at is not None), default=None)
        silent = [(one.silent_since, one) for one in places if one.silent_since is not None]
        since, place = min(silent, default=(None, None), key=lambda one: one[0])
        try:
            if since is not None and place is not None and (answered_at is None or answered_at <= since):
                if await self._is_absent(since, place) and self.since is None:
                    self.since, is_new = await self._store.silent(SLACK, since, answered_at)
                    if is_new:
                        log.warning("slack doesn't answer", since=since)
            elif answered_at is not None:
                await self._answers(answered_at)
        except StoreError as error:
            log.warning("slack's absence not written", problem=error)

    async def _is_absent(self, since: float, place: PacedSlack) -> bool:
        """Return whether Slack hasn't answered for long, not even who we are."""
        if 0.0 <= self._clock.now() - since < ABSENT_AFTER:
            return False
        await place.ask()
        return place.is_away

    async def _answers(self, at: float) -> None:
        if self.since is None and 0.0 <= at - self._noted_at < NOTED_EVERY:
            return
        silent_since = await self._store.answered(SLACK, at)
        self.since, self._noted_at = None, at
        if silent_since is not None:
            log.warning("slack answers again", seconds=round(at - silent_since))
