"""Commands and clicks that wait until an account is linked, a list has been read, or the user is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.surfaces import Where

#: How long a response_url is used, in seconds. Slack accepts it for 30 minutes (docs/internals/slack.md,
#: "Requests from Slack"), of which one is set aside for delivery.
RESPONSE_SECONDS = 29 * 60
#: How long people expect an answer to appear where they made their request, in seconds.
ANSWER_EXPECTED_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class DeferredCommand:
    """A command or click that waits for a link, a list or a person, and where its answer is to be sent.

    It is stored as JSON. The task that runs it adds ``problem``, and ``task``, which tells its runs apart.
    """

    principal: str = ""
    text: str = ""
    #: The button that was clicked (``Press.text``); "" if the command was typed.
    press: str = ""
    folder: str = "workspace"
    interaction: str = ""
    channel_id: str | None = None
    thread_ts: str | None = None
    #: Where the user expected to read the answer.
    where: str = Where.CHANNEL
    response_url: str | None = None
    response_until: float = 0.0
    #: The id that Usher gave to the open form where the answer will appear.
    view: str | None = None
    #: The accounts whose lists have already been read for this command.
    looked: tuple[str, ...] = ()
    #: An earlier interaction whose answer promised this answer, which replaces it once it is known.
    first: str = ""
    #: Whether an earlier answer was already complete, so that this answer reports only what has changed
    #: since.
    updates: bool = False
    #: The connection whose list this command is waiting for.
    asked: str = ""
    #: Why the wait failed: a cause from ``bot.messages.texts.problems``.
    problem: str = ""
    #: The connection whose list couldn't be read, if the command is now waiting for another connection's
    #: list.
    unread: str = ""
    task: str = ""
    #: How the command was given, for example through Slack's assistant.
    via: str = ""
    #: The connection that has to be linked first. The answer replaces the message with the link page.
    linked: str = ""

    def is_late(self, now: float) -> bool:
        """Return whether it is too late to answer in the place where the command was given."""
        return now - (self.response_until - RESPONSE_SECONDS) > ANSWER_EXPECTED_SECONDS

    def as_body(self) -> dict[str, Any]:
        """Return the command as data that can be serialised to JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> DeferredCommand:
        """Return the command stored in a body."""
        values = {name: value for name, value in body.items() if name in cls.__slots__}
        return cls(**values | {"looked": tuple(body.get("looked") or ())})


#: Stands for a request that wasn't deferred.
NOT_DEFERRED: Final = DeferredCommand()
