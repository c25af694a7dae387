"""Moments of the notifier at which features may act."""

from typing import Protocol

from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack.calls import AnySlack
from bot.slack.notifier.timing import Timing
from bot.support.declarations import LayerHooks
from bot.support.pool import Pool


class ViewSender(Protocol):
    """A sender of views, which aren't messages."""

    async def step(self, pool: Pool | None = None) -> int:
        """Publish the views that are due; return their number."""
        ...


class NotifierHooks(LayerHooks):
    """The moments of the notifier."""

    def make_view_sender(
        self, context: Context, slack: AnySlack, gatherer: Gatherer, timing: Timing
    ) -> ViewSender | None:
        """Return a sender of views, None if the feature has none."""
        return None
