"""Surfaces: the places in Slack where requests are made and answered."""

from enum import StrEnum
from typing import Literal, NamedTuple


class Where(StrEnum):
    """Where an answer is displayed. This determines how commands are formatted, and what only cards show."""

    #: The answer appears where the user asked, among other people's messages, but only the user sees it.
    CHANNEL = "channel"
    #: The answer appears in the channel where the user mentioned the bot, but only the user sees it.
    MENTION = "mention"
    #: The answer appears in the user's direct messages with the bot, where their cards and notices also
    #: appear.
    DIRECT = "direct"
    #: The answer appears in the form that the user has open.
    FORM = "form"
    #: The answer appears in the user's Home tab, which is published again to show it.
    HOME = "home"


class Surface(NamedTuple):
    """Where a request came from, such as a form or the Home tab, and what is needed to answer it there."""

    kind: Literal["command", "button", "message", "shortcut", "form", "search", "assistant", "replay", "home"]
    where: Where = Where.CHANNEL
    channel_id: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    #: The key under which the inbox records the interaction, so that it takes effect only once even if Slack
    #: delivers it repeatedly.
    interaction: str = ""
    #: When the request was sent, in epoch seconds. Set only if Slack may have delivered it much later.
    sent_at: float | None = None
    #: Whether the typed text looks like a quotation.
    is_quoted: bool = False
    #: The assistant that sent the request on the user's behalf, or "" if they sent it themselves.
    via: str = ""
    #: Whether the request came from a button on a question, which the answer then replaces. For the list in a
    #: Home tab, whether an answer is shown above it. That answer may be a question, which an updated list
    #: must not remove.
    is_question: bool = False
    #: Whether the request came from a form that was opened in the Home tab.
    is_in_home: bool = False
    #: Slack's id of the form that sent the request or will show the answer. If Usher chose an id for the form
    #: itself, ``view_external_id`` is set instead.
    view_id: str | None = None
    view_hash: str | None = None
    view_external_id: str | None = None

    @property
    def is_in_conversation(self) -> bool:
        """Return whether the request came from a direct message, even one that the bot isn't part of."""
        return (self.channel_id or "").startswith("D")
