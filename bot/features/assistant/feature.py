"""The declaration of the feature assistant."""

from typing import Final

from bot.features.feature import Feature

FEATURE: Final = Feature(
    name="assistant",
    summary="Let Slack's assistant act for a person.",
    needs=("sentences", "hours"),
)
