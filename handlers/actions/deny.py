"""*Deny* was pressed by an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.approving import decided

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Deny what the button showed; its person is told."""
    return await decided(request, approve=False)
