"""Propose what a text may mean."""

from collections.abc import Sequence

from bot.domain.notices import Answer
from bot.domain.workspaces import Workspace
from handlers import talking
from handlers.language.ranker import Rank
from handlers.language.reading import Reading
from handlers.request import Request


async def proposed(
    request: Request, reading: Reading, ranks: Sequence[Rank], rows: Sequence[Workspace]
) -> Answer:
    """Return what is proposed."""
    return talking.not_understood(request)
