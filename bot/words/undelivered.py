"""What is said in a channel, to one person alone, when Slack lets no direct message through."""

from __future__ import annotations

from typing import Final

NEWS: Final = (
    "I have news for you, but Slack does not let me write to you directly. "
    "Open a conversation with me, then write `list` to see it."
)
