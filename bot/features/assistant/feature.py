"""The declaration of the feature assistant."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from aiohttp import web

from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.slack.manifest import ASSISTANT_PATH
from bot.web.feature_pages import PageContext
from bot.web.shapes import read_call


class AssistantHooks(Hooks):
    """Slack's assistant calls an address of the web server."""

    def list_pages(self, given: PageContext) -> Sequence[web.RouteDef]:
        if given.make_front is None or not given.settings.assistant:
            return []
        from handlers.assistant.web import answer, may_repeat  # noqa: PLC0415 - the protocol's types take long

        front = given.make_front(parse=read_call, repeats=may_repeat)
        return [web.route("*", ASSISTANT_PATH, front.guard(partial(answer, given.services)))]


FEATURE: Final = Feature(
    name="assistant",
    summary="Let Slack's assistant act for a person.",
    page="slack-app#slacks-assistant",
    needs=("preferences", "hours"),
    hooks=AssistantHooks(),
)
