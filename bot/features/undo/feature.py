"""The declaration of the feature undo."""

from typing import Final

from bot.features.feature import Feature

FEATURE: Final = Feature(
    name="undo",
    summary="Take back the last request, and list those of a day.",
    needs=("hours", "courses"),
)
