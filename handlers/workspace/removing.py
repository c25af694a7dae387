"""Remove a workspace for good: asked once, in a form in which its name is typed."""

from __future__ import annotations

from bot.domain.notices import Answer, Spoken
from bot.domain.workspaces import OperationVerb, State, Workspace
from bot.messages.blocks import lists, replies
from bot.messages.blocks.buttons import remove_button
from bot.messages.blocks.kit import AGREED
from bot.messages.blocks.limits import fill, line, safe
from bot.messages.texts import answers as words
from bot.services import naming
from bot.support.errors import Refused
from handlers import routes
from handlers.command_line import normalise
from handlers.language.reading import Manner
from handlers.linking.account import linked
from handlers.payload import value_in
from handlers.request import SILENT, AtFields, Request
from handlers.workspace.offering import typed_name
from handlers.workspace.operations import begin_for, not_there
from handlers.workspace.targets import workspace_of


@routes.verb("workspace", "remove", flags=(AGREED,), does=routes.Does.ENDS)
async def remove(request: Request) -> Answer:
    """Open the form, or answer with *Remove*, whose click opens it; ``--yes`` has answered it beforehand.

    A name is always required: none is guessed.
    """
    workspaces = request.services.workspaces
    workspace = await workspace_of(request)
    await linked(request, workspace.connection)
    if workspace.state is State.GONE:
        await workspaces.refresh(request.principal, workspace.id)
        return not_there(request, workspace)
    try:
        workspaces.check_possible(workspace, OperationVerb.REMOVE)
    except Refused as refusal:
        facts = await request.services.gatherer.of_workspace(workspace)
        return lists.status_answer(facts, workspace, remark=safe(refusal.text))
    is_named = naming.fold(request.name) in {naming.fold(workspace.title), naming.fold(workspace.name)}
    if AGREED in request.flags and request.manner is Manner.TYPED and is_named:
        return await begin_for(request, workspace, OperationVerb.REMOVE)
    return asked(
        request, workspace, is_form=request.target is not None or request.surface.trigger_id is not None
    )


def asked(request: Request, workspace: Workspace, *, is_form: bool) -> Answer:
    """Ask for confirmation, with the button; ``is_form`` opens the form where one can be opened."""
    title = request.services.title(workspace.connection)
    effect = fill(words.REMOVE_EFFECT, name=workspace.title, title=title)
    ask = fill(words.REMOVE_ASK, command=request.command, name=typed_name(workspace))
    answer = replies.answer(f"{effect} {ask}", [remove_button(workspace)])
    view = replies.remove_view(workspace, title) if is_form else None
    about = Spoken(workspaces=(workspace.id,), what="remove", takes_press=True)
    return Answer(text=answer.text, blocks=answer.blocks, view=view, about=about)


@routes.view("remove")
async def name_typed(request: Request) -> Answer:
    """Write the operation if the name is right; the card in the direct message reports the rest."""
    workspaces = request.services.workspaces
    workspace = await workspaces.owned(request.principal, "remove", request.carried)
    if normalise(value_in(request.view, "name")) != normalise(workspace.title):
        raise AtFields({"name": words.REMOVE_OTHER_NAME.format(name=line(workspace.title))})
    await workspaces.begin(
        request.principal,
        workspace.id,
        OperationVerb.REMOVE,
        interaction=request.surface.interaction,
        reference=request.reference,
    )
    return SILENT
