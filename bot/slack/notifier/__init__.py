"""The notifier, which sends each message to Slack once, within Slack's limits. Urgent messages go first.

See ``docs/internals/rules.md``, "No notice is lost or sent twice".
"""

from typing import Final

import structlog

from bot.domain.transcript import Board
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack.installed import AnySlack
from bot.slack.notifier.cards import CardUpdates
from bot.slack.notifier.outbox import Outbox
from bot.slack.notifier.outputs import Outputs
from bot.slack.notifier.replies import Replies
from bot.slack.notifier.results import Results
from bot.slack.notifier.timing import Timing
from bot.support.http import Http
from bot.support.pool import Pool
from bot.support.settings.core import SLACK_API_URL

__all__ = ["Notifier", "Timing"]

log = structlog.get_logger(__name__)
#: Slack is considered down once calls have gone unanswered for this many seconds.
MIN_ABSENCE_SECONDS: Final = 10.0
#: Slack is no longer considered down this many seconds after the last unanswered call.
FORGET_ABSENCE_SECONDS: Final = 120.0


class Notifier:
    """Sends notices and card updates. Raises ValueError if a send could take longer than its lease.

    ``http`` posts replies to the URLs that Slack sent with a command or a click, but only if they belong to
    the same Slack as its Web API (``api_url``). The reconciler puts the outputs of runs on the ``board``.
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
        self._store, self._clock = context.store, context.clock
        gatherer = Gatherer(context, board)
        self._results = Results(context, timing)
        replies = Replies(context.store, slack, http, self._results, timing, api_url)
        self._outbox = Outbox(context, slack, gatherer, replies, self._results, timing)
        self._cards = CardUpdates(context, slack, gatherer, self._results, timing)
        self._outputs = Outputs(context, slack, gatherer, timing, board)

    @property
    def lockout_code(self) -> str | None:
        """Return Slack's error code if Slack has locked the app out everywhere, otherwise None."""
        return self._slack.lockout_code

    @property
    def is_sending(self) -> bool:
        """Return whether Slack is responding and hasn't locked the app out."""
        return self.lockout_code is None and self._slack.answering.row_since is None

    def is_restless(self) -> bool:
        """Return whether the notifier has something to do that no due row shows."""
        is_waiting = self._results.is_waiting or self._slack.answering.is_restless
        return is_waiting or any(client.is_restless for client in self._slack.list_clients())

    async def step_notices(self, pool: Pool | None = None) -> int:
        """Send the due notices that the budget allows, and return how many were claimed."""
        await self._results.repeat()
        await self._note_absence()
        return 0 if self._slack.is_locked_out else await self._outbox.step(pool)

    async def _note_absence(self) -> None:
        """Record and log when Slack stops responding and when it responds again.

        A single unanswered call isn't an outage. Usher retries pending messages, so if no call has failed for
        a while, nothing is pending. In that case, the outage is forgotten, whether or not it is over.
        """
        answering, event = self._slack.answering, "slack answers again"
        before, failed_at = answering.row_since, answering.failed_at
        if answering.silent_since is not None and self._clock.now() - failed_at > FORGET_ABSENCE_SECONDS:
            answering.record_answer(failed_at)
            event = "slack isn't called any more"
        since = answering.silent_since
        if since is not None and failed_at - since < MIN_ABSENCE_SECONDS:
            return
        if await answering.write(self._store):
            log.warning(event if since is None else "slack doesn't answer", since=since or before)

    async def step_cards(self, pool: Pool | None = None) -> int:
        """Update the dirty cards that the budget allows, and return how many were claimed."""
        return 0 if self._slack.is_locked_out else await self._cards.step(pool)

    async def step_outputs(self, pool: Pool | None = None) -> int:
        """Upload the outputs of ended runs as files, and return how many were uploaded."""
        return 0 if self._slack.is_locked_out else await self._outputs.step(pool)
