"""The declaration of the feature sentences."""

from typing import Final

from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.features.sentences import chat
from handlers.request import Request


class SentencesHooks(Hooks):
    """Help explains topics that people ask about."""

    def describe_topic(self, request: Request, topic: str) -> str:
        return chat.find_faq_answer(request, topic)


FEATURE: Final = Feature(
    name="sentences",
    summary="Understand requests in people's own words.",
    page="commands#sentences",
    needs=("hours",),
    hooks=SentencesHooks(),
)
