"""Show the button that opens a running workspace: to its owner alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import lists, replies
from bot.blocks.buttons import open_buttons, start_button
from bot.blocks.cards import opening, wish_card
from bot.blocks.limits import Markup, fill
from bot.models import State
from bot.words import answers as words
from handlers.targets import linked, workspace_of
from handlers.wishes import not_there

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Answer with the address when there is one; never in a channel, also when asked to share it."""
    workspaces = request.services.workspaces
    workspace = await workspace_of(request)
    await linked(request, workspace.connection)
    if workspace.state is State.GONE:
        return not_there(request, workspace)
    facts = await workspaces.facts(workspace)
    if workspace.state is State.RUNNING:
        if facts.ide_url:
            sentence = f"{fill(words.OPENING, name=workspace.title)} {opening(facts)}"
            return replies.opening(facts, sentence)
        await workspaces.refresh(request.principal, workspace.id)
        return replies.told(opening(facts), open_buttons(facts))
    wish = await request.services.store.latest_wish(workspace.id)
    if wish is not None and wish.is_open:
        return wish_card(await workspaces.facts(workspace, wish))
    state, age = lists.state_words(facts.now, workspace)
    sentence = fill(words.NOT_RUNNING, name=workspace.title, state=Markup(state.lower()), age=Markup(age))
    return replies.problem(sentence, request.reference, [start_button(workspace)])
