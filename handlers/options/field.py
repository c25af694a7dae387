"""Complete what a field of a form offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.making import choices

if TYPE_CHECKING:
    from handlers.request import Request


async def handle(request: Request) -> list[dict[str, Any]]:
    """Return what fits the letters typed so far, from what the provider said last."""
    return await choices(request)
