"""Surfaces: where in Slack a request came from, and where its answer is read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Where(StrEnum):
    """Places in which an answer is read: they decide its names of commands, and its parts left to a card."""

    #: By its person alone where they asked, perhaps among messages of others.
    CHANNEL = "channel"
    #: The same, after the bot was mentioned there.
    MENTION = "mention"
    #: In the person's direct message with the bot, where cards and notices come, too.
    DIRECT = "direct"
    #: In the form that is open.
    FORM = "form"
    #: In the person's Home, which is published again with it.
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Surface:
    """The origin of a request, to which the answer can be sent."""

    kind: Literal["command", "button", "message", "shortcut", "form", "search", "assistant", "replay", "home"]
    where: Where = Where.CHANNEL
    channel_id: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    #: The inbox key: an interaction takes effect once, however often it is delivered.
    interaction: str = ""
    #: When it was said (epoch seconds), where that may be long ago: what Slack couldn't deliver comes later.
    sent_at: float | None = None
    #: Whether what was typed looks like a quotation.
    is_quoted: bool = False
    #: Through what its person asks for it; "" for themself.
    via: str = ""
    #: Whether the button of a question was pressed, whose place the answer takes.
    is_question: bool = False
    #: Whether it is a form that was opened in a Home.
    is_in_home: bool = False
    #: The form that the request came from or that the answer fills: Slack's id, or Usher's external id.
    view_id: str | None = None
    view_hash: str | None = None
    view_external_id: str | None = None

    @property
    def is_in_conversation(self) -> bool:
        """Return whether the request came from a direct message; a slash command can be typed in any."""
        return (self.channel_id or "").startswith("D")
