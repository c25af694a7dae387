"""The outbox's way to Slack: each message once, within Slack's limits, urgent ones first.

Why: ``docs/rules.md``, "No notice is lost or sent twice".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.output import Board
from bot.slack.notifier.cards import CardUpdates
from bot.slack.notifier.outbox import Outbox
from bot.slack.notifier.outputs import Outputs
from bot.slack.notifier.replies import Replies
from bot.slack.notifier.timing import Timing
from bot.slack.notifier.web_api import WebApi
from bot.support.settings import SLACK_API_URL

if TYPE_CHECKING:
    from bot.services.gather import Gatherer
    from bot.slack.calls import PacedSlack
    from bot.store.store import Store
    from bot.support.clock import Clock, Ids
    from bot.support.http import Http
    from bot.support.pool import Pool

__all__ = ["Notifier", "Timing", "WebApi"]


class Notifier:
    """Send notices and keep cards up to date. Raises ValueError when a send may outlive its lease.

    ``http`` posts replies to the addresses that came with a command or a click, where those are of the Slack
    whose Web API is at ``api_url``. ``board`` is where the
    reconciler writes down the outputs that it follows; ``gatherer`` has the same one.
    """

    def __init__(
        self,
        store: Store,
        slack: PacedSlack,
        gatherer: Gatherer,
        clock: Clock,
        ids: Ids,
        http: Http,
        timing: Timing | None = None,
        board: Board | None = None,
        api_url: str = SLACK_API_URL,
    ) -> None:
        timing = timing or Timing()
        timing.check()
        board = board or Board(clock.monotonic)
        self._slack = slack
        replies = Replies(store, slack, http, timing, api_url)
        self._outbox = Outbox(store, slack, gatherer, replies, clock, ids, timing, board)
        self._cards = CardUpdates(store, slack, gatherer, ids, timing)
        self._outputs = Outputs(store, slack, gatherer, board, ids, timing)

    @property
    def shut_out(self) -> str | None:
        """Return Slack's word for why nothing can be sent at all; None when it can."""
        return self._slack.shut_out

    async def step_notices(self, pool: Pool | None = None) -> int:
        """Send the notices that are due and fit the budget; return how many were claimed."""
        return 0 if self._slack.is_shut else await self._outbox.step(pool)

    async def step_cards(self, pool: Pool | None = None) -> int:
        """Update the cards that owe it and fit the budget; return how many were claimed."""
        return 0 if self._slack.is_shut else await self._cards.step(pool)

    async def step_outputs(self, pool: Pool | None = None) -> int:
        """Update the messages that show outputs, and hand over files; return how many of both."""
        return 0 if self._slack.is_shut else await self._outputs.step(pool)
