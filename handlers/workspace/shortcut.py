"""The global shortcut *Start a workspace*: a form with the person's workspaces, wherever they are."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.notices import Answer
from bot.domain.workspaces import Surface
from bot.messages.blocks import forms as drawn
from bot.messages.blocks.kit import Press
from bot.messages.texts import cards, verbs
from handlers import routes
from handlers.dispatch import run_button
from handlers.payload import value_in
from handlers.request import Request
from handlers.workspace.targets import labels_of, nothing_yet, old_and_rows


@routes.shortcut("start_workspace")
async def start_workspace(request: Request) -> Answer:
    """Answer with the form; somebody without workspaces is told how to get one."""
    services = request.services
    # What waits for a link or a list is the list itself: a form can't be opened later.
    request = replace(request, verb="list", text="list")
    old, rows = await old_and_rows(request)
    if not rows:
        # An empty list says what Usher is: that need not be said again.
        await services.contacts.meet(request.principal)
        return await nothing_yet(request, old)
    if old:
        await services.workspaces.look(old)
    states = [cards.UNMADE if one.is_provisional else cards.STATES[one.state] for one in rows]
    view = drawn.start_view(rows, labels_of(rows, rows), states)
    return Answer(text=verbs.START_TITLE, view=view)


@routes.view("start_workspace")
async def chosen(request: Request) -> Answer:
    """Start what was chosen, as its button would; the form becomes the answer."""
    surface = Surface(kind="button", interaction=request.surface.interaction)
    press = Press("start", value_in(request.view, drawn.START_FIELD))
    return await run_button(request.services, request.principal, surface, press)
