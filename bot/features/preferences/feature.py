"""The declaration of the feature preferences."""

from typing import Final

from bot.domain.notices import NewNotice
from bot.domain.people import Principal
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.store import preferences as store
from bot.store.transaction import Transaction
from handlers.defaults import Defaults
from handlers.request import Request
from handlers.workspace.preferences import find_defaults


class PreferencesHooks(Hooks):
    """Notices are sent only if their person wants them."""

    def should_send_notice(self, tx: Transaction, notice: NewNotice) -> bool:
        return store.should_send_notice(tx, notice)

    def is_assistant_allowed(self, tx: Transaction, principal: Principal, level: str) -> bool:
        return store.allows_assistant(tx, principal, level)

    async def find_defaults(self, request: Request) -> Defaults:
        return await find_defaults(request)


FEATURE: Final = Feature(
    name="preferences",
    summary="Choose the messages that Usher sends.",
    page="commands#preferences",
    hooks=PreferencesHooks(),
)
