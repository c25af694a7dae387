"""*Link* was pressed: answer with a fresh link, for the presser only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Make the link; the command that the button carried waits for it and runs with the presser's rights."""
    connection, _, text = (request.target or "").partition(" ")
    waiting = request.waiting(text) if text else None
    accounts = request.services.accounts
    url = await accounts.invite(request.principal, connection, waiting)
    return replies.invitation(url, request.services.title(connection), code_comes=not accounts.sign_in)
