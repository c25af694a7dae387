"""Surfaces: where in Slack a request came from, and where people read its answer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Where(StrEnum):
    """Places where an answer is read. They decide how it writes commands and what it leaves to a card."""

    #: Where the person asked, perhaps among other people's messages. Only they see the answer.
    CHANNEL = "channel"
    #: The same, after they mentioned the bot there.
    MENTION = "mention"
    #: In the person's direct messages with the bot, which also have their cards and notices.
    DIRECT = "direct"
    #: In the form that is open.
    FORM = "form"
    #: In the person's Home, which is published again with the answer.
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Surface:
    """The origin of a request, with what is needed to answer it there."""

    kind: Literal["command", "button", "message", "shortcut", "form", "search", "assistant", "replay", "home"]
    where: Where = Where.CHANNEL
    channel_id: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    #: The inbox key. An interaction takes effect once, however often Slack delivers it.
    interaction: str = ""
    #: When it was sent (epoch seconds), if that may be long ago because Slack couldn't deliver it.
    sent_at: float | None = None
    #: Whether the typed text looks like a quotation.
    is_quoted: bool = False
    #: The assistant that sent it for the person, "" if they did it themself.
    via: str = ""
    #: Whether the button of a question was pressed. The answer then takes the question's place.
    is_question: bool = False
    #: Whether it came from a form that was opened in Home.
    is_in_home: bool = False
    #: The form that the request came from, or that the answer fills: Slack's id, or Usher's external id.
    view_id: str | None = None
    view_hash: str | None = None
    view_external_id: str | None = None

    @property
    def is_in_conversation(self) -> bool:
        """Return whether the request came from a direct message, even one with somebody else."""
        return (self.channel_id or "").startswith("D")
