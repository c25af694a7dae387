"""*Post again* was pressed by the poster of a card of which it is not known whether it has appeared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.words import classes as words

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Send the card once more, unless it is known where it stands."""
    again = await request.services.classes.post_again(
        request.principal, request.target or "", interaction=request.surface.interaction
    )
    return replies.told(words.POSTED_AGAIN if again else words.STANDS_ALREADY, replaces=True)
