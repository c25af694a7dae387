"""*Keep waiting* was pressed: a new deadline for the wish, never a new start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.blocks.limits import Markup, fill
from bot.words import answers as words
from bot.words import cards, times

if TYPE_CHECKING:
    from bot.models import Answer, Wish
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Wait on, or say how it ended meanwhile."""
    services = request.services
    wish_id = request.target or ""
    kept = await services.workspaces.keep_waiting(
        request.principal, wish_id, interaction=request.surface.interaction
    )
    if kept is None:
        ended = await services.workspaces.wish_of(request.principal, request.verb, wish_id)
        return too_late(request, ended)
    workspace = await services.workspaces.owned(request.principal, request.verb, kept.workspace_id)
    time = times.duration(services.workspaces.deadline_seconds)
    return replies.told(fill(words.KEPT_WAITING, name=workspace.title, time=Markup(time)))


def too_late(request: Request, wish: Wish) -> Answer:
    """Say honestly that the wish of an old button has ended, and how."""
    template = words.TOO_LATE[str(wish.outcome)]
    sentence = fill(
        template,
        verb=Markup(cards.NOUNS[wish.verb]),
        typed=Markup(words.TYPED[wish.verb]),
        command=request.command,
    )
    return replies.problem(sentence, request.reference)
