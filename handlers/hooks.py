"""Moments of requests from Slack at which features may act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING

from bot.domain.notices import Answer
from bot.support.declarations import LayerHooks
from handlers.request import Request

if TYPE_CHECKING:
    # These modules call the hooks.
    from handlers.defaults import Defaults
    from handlers.intents import Intent, Order
    from handlers.names import Entity


class RequestHooks(LayerHooks):
    """The moments of requests; each method does nothing unless a feature's subclass has its own."""

    def finish_answer(self, request: Request, answer: Answer) -> Answer:
        """Return the answer to a verb or a button with additions."""
        return answer

    def describe_topic(self, request: Request, topic: str) -> str:
        """Return the sentence about a topic of help that is no verb, "" for an unknown topic."""
        return ""

    async def read_intent(self, request: Request) -> Intent | None:
        """Read a request's words as an intent about the feature's own things; None for anything else."""
        return None

    def read_order(self, words: Sequence[str], find_names: Callable[[], Collection[int]]) -> Order | None:
        """Read words as an order without a verb of its own, given a function for the places of names."""
        return None

    async def list_entities(self, request: Request) -> Sequence[Entity]:
        """Return the feature's things that a person's words can name."""
        return ()

    async def find_defaults(self, request: Request) -> Defaults | None:
        """Return a person's defaults, None if the feature knows none."""
        return None

    async def undo_action(
        self, request: Request, action_id: str, or_else: Callable[[], Awaitable[Answer]] | None
    ) -> tuple[Answer, bool] | None:
        """Undo an act, or the last one with ""; return the answer, and whether all is as before the act.

        ``or_else`` answers where there is no act.
        """
        return None

    async def request_link(self, request: Request, connection: str, username: str) -> Answer | None:
        """Ask for a link to a username that was typed; None if the form does that."""
        return None

    async def find_turn(self, request: Request, workspace_id: str = "") -> Answer | None:
        """Answer with the place in line of a workspace, or of any with ""; None if there is none."""
        return None
