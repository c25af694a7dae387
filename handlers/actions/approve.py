"""*Approve as …* was pressed by an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.approving import decided

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Approve what the button showed; the check at the provider follows."""
    return await decided(request, approve=True)
