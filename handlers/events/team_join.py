"""Somebody joined the Slack workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.events import user_change

if TYPE_CHECKING:
    from handlers.occurrence import Occurrence


async def handle(occurrence: Occurrence) -> None:
    """Write the person down, as a change does: whether it is a guest, and whose."""
    await user_change.handle(occurrence)
