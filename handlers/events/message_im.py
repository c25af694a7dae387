"""A direct message to the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers import interactions
from handlers.conversation import converse, is_said

if TYPE_CHECKING:
    from handlers.occurrence import Occurrence


async def handle(occurrence: Occurrence) -> None:
    """Take the words as a command; what nobody said is passed over."""
    if not is_said(occurrence):
        return
    text = str(occurrence.event.get("text") or "").strip() or "help"
    await converse(occurrence, interactions.of_message(occurrence.payload, is_direct=True), text)
