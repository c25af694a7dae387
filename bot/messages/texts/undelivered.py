"""What is said in place of a message: that can't be sent directly, or can't be put together."""

from __future__ import annotations

from typing import Final

NEWS: Final = (
    "I have news for you, but Slack does not let me write to you directly. "
    "Open a conversation with me, then write `list` to see it."
)
UNDRAWN: Final = (
    "I have news for you, but something broke while I put the message together. "
    "Write `list` to see where things stand. Reference {reference}"
)
