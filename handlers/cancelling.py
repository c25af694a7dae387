"""Cancel what is under way: a start or a creation of a workspace, or a run."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.domain.workspaces import Operation, OperationVerb
from bot.messages.blocks import kit, replies
from bot.messages.blocks.kit import Press
from bot.messages.blocks.limits import BUTTON, Markup, cut, fill, line
from bot.messages.texts import talk
from handlers import routes
from handlers.language.reading import Manner
from handlers.request import Request
from handlers.talking import nothing_to_undo
from handlers.workspace import offering
from handlers.workspace.operations import begin_for
from handlers.workspace.targets import workspace_of


@routes.verb("workspace", "cancel", does=routes.Does.ENDS)
async def cancel(request: Request) -> Answer:
    """Cancel a start or a run; what is running already is left as it is."""
    if request.target is None:
        return await _without_a_name(request)
    workspace = await workspace_of(request)
    latest = await request.services.store.latest_operation(workspace.id)
    if latest is None or not latest.is_open or not _can_be_cancelled(latest):
        return nothing_to_undo(request, workspace)
    if request.manner is Manner.ASKED:
        return await offering.one(request, workspace)
    return await begin_for(request, workspace, OperationVerb.STOP)


async def _without_a_name(request: Request) -> Answer:
    """Offer what can be cancelled: without a name it is a guess, even if there is only one."""
    store = request.services.store
    runs = [run for run in await store.runs(request.principal) if run.is_going]
    rows = {one.id: one for one in await store.workspaces(request.principal)}
    open_ones = await store.open_operations(request.principal)
    keys = [one.workspace_id for one in open_ones if _can_be_cancelled(one) and one.workspace_id in rows]
    made = [(rows[one].title, Press("cancel", one, rows[one].episode, mark=one)) for one in keys]
    made += [(run.name, Press("job_stop", run.id, mark=run.id)) for run in runs]
    if not made:
        return replies.hint(talk.NOTHING_UNDER_WAY)
    label = talk.DO_ONE["cancel"]
    buttons = [kit.button(cut(fill(label, name=Markup(line(name))), BUTTON), press) for name, press in made]
    return replies.hint(talk.CANCEL_WHICH if len(made) > 1 else talk.CANCEL_THIS, buttons[: replies.FEW])


def _can_be_cancelled(operation: Operation) -> bool:
    return operation.verb in {OperationVerb.START, OperationVerb.CREATE, OperationVerb.RESTART}
