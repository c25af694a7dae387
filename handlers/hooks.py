"""Moments of requests from Slack at which features may act."""

from bot.domain.notices import Answer
from bot.support.declarations import LayerHooks
from handlers.request import Request


class RequestHooks(LayerHooks):
    """The moments of requests; each method does nothing unless a feature's subclass has its own."""

    def finish_answer(self, request: Request, answer: Answer) -> Answer:
        """Return the answer to a verb or a button with additions."""
        return answer

    def describe_topic(self, request: Request, topic: str) -> str:
        """Return the sentence about a topic of help that is no verb, "" for an unknown topic."""
        return ""

    async def request_link(self, request: Request, connection: str, username: str) -> Answer | None:
        """Ask for a link to a username that was typed; None if the form does that."""
        return None

    async def find_turn(self, request: Request, workspace_id: str = "") -> Answer | None:
        """Answer with the place in line of a workspace, or of any with ""; None if there is none."""
        return None
