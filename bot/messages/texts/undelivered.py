"""What is said in place of a message: that can't be sent directly, or can't be put together."""

from __future__ import annotations

from typing import Final

NEWS: Final = (
    "I have a message for you, but Slack doesn't let me send you direct messages. "
    "Open a conversation with me, then type `list` to see where things stand."
)
UNDRAWN: Final = (
    "I have a message for you, but something broke while I was putting it together. "
    "Type `list` to see where things stand. Reference {reference}"
)
