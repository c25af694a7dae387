"""The bot was mentioned in a channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handlers import interactions
from handlers.conversation import converse, is_said

if TYPE_CHECKING:
    from handlers.occurrence import Occurrence

_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>")


async def handle(occurrence: Occurrence) -> None:
    """Take the words after the mention as a command; only who wrote them sees the answer."""
    if not is_said(occurrence):
        return
    text = _MENTION.sub("", str(occurrence.event.get("text") or ""), count=1).strip() or "help"
    await converse(occurrence, interactions.of_message(occurrence.payload, is_direct=False), text)
