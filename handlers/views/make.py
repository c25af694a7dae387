"""A form was submitted for something new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.making import submitted

if TYPE_CHECKING:
    from handlers.submission import Submission


async def handle(submission: Submission) -> dict[str, Any]:
    """Write it down; the card in the direct message tells the rest."""
    return await submitted(submission)
