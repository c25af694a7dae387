"""The declaration of the feature calendars."""

from typing import Final

from bot.features.calendars.web import list_pages
from bot.features.feature import Feature

FEATURE: Final = Feature(
    name="calendars",
    summary="Show hours and lessons in a person's own calendar.",
    needs=("hours", "courses"),
    pages=(list_pages,),
)
