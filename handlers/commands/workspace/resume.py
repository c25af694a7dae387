"""Resume a suspended workspace: a start, for what is suspended only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import lists, replies
from bot.blocks.buttons import down_buttons
from bot.blocks.limits import Markup, fill
from bot.models import State, WishVerb
from bot.words import answers as words
from handlers.targets import linked, workspace_of
from handlers.wishes import wish_for

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request

#: Nothing that a resume would be something else for: what it is may be about to change, or is not known.
_RESUMED = frozenset({State.SUSPENDED, State.UNKNOWN, State.STARTING, State.STOPPING, State.GONE})


async def handle(request: Request) -> Answer:
    """Wish a start; what is down otherwise, or up, is said with what can be done instead."""
    workspaces = request.services.workspaces
    workspace = await workspace_of(request)
    if workspace.state in _RESUMED:
        return await wish_for(request, workspace, WishVerb.START)
    await linked(request, workspace.connection)
    await workspaces.refresh(request.principal, workspace.id)
    facts = await workspaces.facts(workspace)
    state, age = lists.state_words(facts.now, workspace)
    sentence = fill(words.NOT_SUSPENDED, name=workspace.title, state=Markup(state.lower()), age=Markup(age))
    buttons = [] if workspace.state is State.RUNNING else down_buttons(facts)
    return replies.problem(sentence, request.reference, buttons)
