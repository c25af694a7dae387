"""Moments of requests from Slack at which features may act."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bot.domain.notices import Answer
from bot.support.declarations import LayerHooks
from handlers.request import Request

if TYPE_CHECKING:
    # These modules call the hooks.
    from handlers.defaults import Defaults


@runtime_checkable
class Entity(Protocol):
    """A thing of a feature that words can name, such as a course."""

    @property
    def id(self) -> str:
        """Return its key."""

    @property
    def title(self) -> str:
        """Return its name."""


class RequestHooks(LayerHooks):
    """The moments of requests; each method does nothing unless a feature's subclass has its own."""

    def finish_answer(self, request: Request, answer: Answer) -> Answer:
        """Return the answer to a verb or a button with additions."""
        return answer

    async def list_entities(self, request: Request) -> Sequence[Entity]:
        """Return the feature's things that a person's words can name."""
        return ()

    async def find_defaults(self, request: Request) -> Defaults | None:
        """Return a person's defaults, None if the feature knows none."""
        return None

    async def request_link(self, request: Request, connection: str, username: str) -> Answer | None:
        """Ask for a link to a username that was typed; None if the form does that."""
        return None

    async def find_turn(self, request: Request, workspace_id: str = "") -> Answer | None:
        """Answer with the place in line of a workspace, or of any with ""; None if there is none."""
        return None
