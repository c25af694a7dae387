"""The declaration of the feature calendars."""

from collections.abc import Sequence
from typing import Final

from aiohttp.web import RouteDef

from bot.features.calendars.web import list_pages
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.web.feature_pages import PageContext


class CalendarsHooks(Hooks):
    """Calendar apps read addresses of the web server."""

    def list_pages(self, given: PageContext) -> Sequence[RouteDef]:
        return list_pages(given)


FEATURE: Final = Feature(
    name="calendars",
    summary="Show hours and lessons in a person's own calendar.",
    page="classes#calendars",
    needs=("hours", "courses"),
    hooks=CalendarsHooks(),
)
