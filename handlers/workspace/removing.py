"""Remove a workspace for good: confirmed twice, the second time by typing its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.domain.models import Answer, OperationVerb, State
from bot.messages.blocks import replies
from bot.messages.blocks.buttons import remove_button
from bot.messages.blocks.limits import fill, line
from bot.messages.texts import answers as words
from handlers import routes
from handlers.command_line import normalise
from handlers.linking.account import linked
from handlers.workspace.operations import not_there
from handlers.workspace.targets import workspace_of

if TYPE_CHECKING:
    from bot.domain.models import Workspace
    from handlers.request import Request
    from handlers.submission import Submission


@routes.verb("workspace", "remove")
async def remove(request: Request) -> Answer:
    """Answer with *Remove*; its click opens the form. A name is always required: none is guessed."""
    workspaces = request.services.workspaces
    workspace = await workspace_of(request, guesses=False)
    await linked(request, workspace.connection)
    if workspace.state is State.GONE:
        await workspaces.refresh(request.principal, workspace.id)
        return not_there(request, workspace)
    workspaces.check_possible(workspace, OperationVerb.REMOVE)
    return asked(request, workspace, is_form=request.target is not None)


def asked(request: Request, workspace: Workspace, *, is_form: bool) -> Answer:
    """Ask for confirmation, with the button; ``is_form`` opens the form where one can be opened."""
    title = request.services.title(workspace.connection)
    sentence = fill(words.REMOVE_ASK, name=workspace.title, title=title)
    answer = replies.answer(sentence, [remove_button(workspace)])
    view = replies.remove_view(workspace, title) if is_form else None
    return Answer(text=answer.text, blocks=answer.blocks, view=view)


@routes.view("remove")
async def name_typed(submission: Submission) -> dict[str, Any]:
    """Write the operation if the name is right; the card in the direct message reports the rest."""
    workspaces = submission.services.workspaces
    key = str(submission.view.get("private_metadata") or "")
    workspace = await workspaces.owned(submission.principal, "remove", key)
    if normalise(submission.value("name")) != normalise(workspace.title):
        sentence = words.REMOVE_OTHER_NAME.format(name=line(workspace.title))
        return submission.error("name", sentence)
    await workspaces.begin(
        submission.principal,
        workspace.id,
        OperationVerb.REMOVE,
        interaction=submission.interaction,
        reference=submission.reference,
    )
    return {"response_action": "clear"}
