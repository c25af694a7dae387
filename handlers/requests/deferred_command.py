"""Deferred commands and clicks, which continue once a link, a list or a person is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.surfaces import Where

#: A response_url is valid for 30 minutes (docs/internals/slack.md, "Requests from Slack"), minus a minute for
#: delivery.
RESPONSE_SECONDS = 29 * 60


@dataclass(frozen=True, slots=True)
class DeferredCommand:
    """A command or a click that waits for a link, a list or a person, and where to answer it.

    It is stored as JSON. The task that runs it adds ``task``, which tells one run from the next, and
    ``problem``.
    """

    principal: str = ""
    text: str = ""
    #: The button that was pressed, if it wasn't a text (``Press.text``).
    press: str = ""
    folder: str = "workspace"
    interaction: str = ""
    channel_id: str | None = None
    thread_ts: str | None = None
    #: Where the answer would have been read.
    where: str = Where.CHANNEL
    response_url: str | None = None
    response_until: float = 0.0
    #: The id that Usher gave to the form that the answer fills.
    view: str | None = None
    #: The accounts whose lists were already read for the command.
    looked: tuple[str, ...] = ()
    #: The interaction whose answer promised this one and is then replaced by it.
    first: str = ""
    #: Whether that answer was already complete, so that this one only brings what has changed since.
    updates: bool = False
    #: The connection whose list it waits for.
    asked: str = ""
    #: Why the wait failed: a cause of ``bot.messages.texts.problems``.
    problem: str = ""
    #: The connection whose list couldn't be read, if it isn't the one that the command waits for now.
    unread: str = ""
    task: str = ""
    #: What its person used to ask for it, such as Slack's assistant.
    via: str = ""
    #: The connection to be linked first; the answer replaces the message with the link's page.
    linked: str = ""

    def as_body(self) -> dict[str, Any]:
        """Return the command as JSON-ready data."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> DeferredCommand:
        """Return the command of a stored body."""
        values = {name: value for name, value in body.items() if name in cls.__slots__}
        return cls(**values | {"looked": tuple(body.get("looked") or ())})


#: The value for a request that wasn't deferred.
NOT_DEFERRED: Final = DeferredCommand()
