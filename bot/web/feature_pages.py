"""Pages of features: everything that they are built from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp.web import RouteDef

from bot.services.context import Context
from bot.support.declarations import LayerHooks
from bot.support.settings import Settings
from bot.web.front import Front
from handlers.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """Everything that pages are built from.

    ``make_front`` makes the check of requests to an address of Slack's, None where Slack calls no address.
    """

    context: Context
    services: Services
    settings: Settings
    make_front: Callable[..., Front] | None


class WebHooks(LayerHooks):
    """The moment at which the routes of the web server are put together."""

    def list_pages(self, given: PageContext) -> Sequence[RouteDef]:
        """Return the routes of the feature's pages."""
        return ()
