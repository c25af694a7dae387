"""The declaration of the feature sentences."""

from typing import Final

from bot.features.feature import Feature

FEATURE: Final = Feature(
    name="sentences",
    summary="Understand requests in people's own words.",
)
