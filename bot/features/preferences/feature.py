"""The declaration of the feature preferences."""

from typing import Final

from bot.domain.notices import NewNotice
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.store import preferences
from bot.store.transaction import Transaction


class PreferencesHooks(Hooks):
    """Notices are sent only if their person wants them."""

    def should_send_notice(self, tx: Transaction, notice: NewNotice) -> bool:
        return preferences.wants(tx, notice)


FEATURE: Final = Feature(
    name="preferences",
    summary="Choose the messages that Usher sends.",
    hooks=PreferencesHooks(),
)
