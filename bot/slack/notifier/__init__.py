"""Sends the outbox to Slack: each message once, within Slack's limits, urgent ones first.

Why: ``docs/rules.md``, "No notice is lost or sent twice".
"""

from bot.output.transcript import Board
from bot.services.context import Context
from bot.services.gather import Gatherer
from bot.slack.calls import AnySlack
from bot.slack.notifier.absence import Absence
from bot.slack.notifier.drawing import Timing
from bot.slack.notifier.outbox import Outbox, Replies
from bot.slack.notifier.redrawing import CardUpdates, HomeViews, Outputs
from bot.support.http import Http
from bot.support.pool import Pool
from bot.support.settings import SLACK_API_URL

__all__ = ["Notifier", "Timing"]


class Notifier:
    """Send notices and keep cards up to date. Raises ValueError if a send could outlive its lease.

    ``http`` posts replies to the addresses that came with a command or a click, if they belong to the Slack
    whose Web API is at ``api_url``. The reconciler puts the outputs that it follows
    on the ``board``.
    """

    def __init__(
        self,
        context: Context,
        slack: AnySlack,
        http: Http,
        board: Board,
        timing: Timing | None = None,
        api_url: str = SLACK_API_URL,
    ) -> None:
        timing = timing or Timing()
        timing.check()
        self._slack = slack
        self._absence = Absence(context.store, slack, context.clock)
        gatherer = Gatherer(context, board)
        replies = Replies(context.store, slack, http, timing, api_url)
        self._outbox = Outbox(context, slack, gatherer, replies, timing, board)
        self._cards = CardUpdates(context, slack, gatherer, timing)
        self._homes = HomeViews(context, slack, gatherer, timing)
        self._outputs = Outputs(context, slack, gatherer, timing, board)

    @property
    def shut_out(self) -> str | None:
        """Return Slack's error code for why nothing can be sent at all; None if it can."""
        return self._slack.shut_out

    @property
    def is_sending(self) -> bool:
        """Return whether Slack answers, and lets the app in."""
        return self.shut_out is None and self._absence.since is None

    async def step_notices(self, pool: Pool | None = None) -> int:
        """Send the notices that are due and fit the budget; return how many were claimed."""
        return 0 if self._slack.is_shut else await self._outbox.step(pool)

    async def step_absence(self, pool: Pool | None = None) -> int:  # noqa: ARG002 - every loop hands one over
        """Note whether Slack answers; return 0, as nobody has more to do for it."""
        await self._absence.step()
        return 0

    async def step_cards(self, pool: Pool | None = None) -> int:
        """Update the dirty cards that fit the budget; return how many were claimed."""
        return 0 if self._slack.is_shut else await self._cards.step(pool)

    async def step_homes(self, pool: Pool | None = None) -> int:
        """Publish the Homes that people wait for, or those that changed; return how many were claimed."""
        return 0 if self._slack.is_shut else await self._homes.step(pool)

    async def step_outputs(self, pool: Pool | None = None) -> int:
        """Update the messages that show outputs, and upload files; return how many of both."""
        return 0 if self._slack.is_shut else await self._outputs.step(pool)
