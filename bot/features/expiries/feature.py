"""The declaration of the feature expiries."""

from typing import Final

from bot.features.feature import Feature

FEATURE: Final = Feature(
    name="expiries",
    summary="Remind people before a link ends, and renew credentials.",
)
