"""The declaration of the feature home."""

from typing import Final

from bot.domain.people import Principal
from bot.features.feature import Feature
from bot.features.home import store
from bot.features.home.publishing import HomeViews
from bot.features.hooks import Hooks
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack.calls import AnySlack
from bot.slack.notifier.hooks import ViewSender
from bot.slack.notifier.timing import Timing
from bot.store.transaction import Transaction


class HomeHooks(Hooks):
    """An open Home is drawn again when something was done for its person."""

    def on_request_done(self, tx: Transaction, principal: Principal) -> None:
        store.request_redraw(tx, principal)

    def make_view_sender(
        self, context: Context, slack: AnySlack, gatherer: Gatherer, timing: Timing
    ) -> ViewSender:
        return HomeViews(context, slack, gatherer, timing)


FEATURE: Final = Feature(
    name="home",
    summary="Show everything of a person on one page in Slack.",
    page="commands#home",
    hooks=HomeHooks(),
)
