"""Cancel what is under way: a start or a creation of a workspace, or a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import OperationVerb
from bot.messages.blocks import offers, replies
from bot.messages.texts import talk
from bot.services import naming
from handlers import routes
from handlers.command_line import Quoted, written
from handlers.job.stopping import ended, offered
from handlers.language.names import choose
from handlers.language.verbs import Manner
from handlers.workspace import offering
from handlers.workspace.operations import begin_for
from handlers.workspace.targets import workspace_of

if TYPE_CHECKING:
    from bot.domain.models import Answer, Operation, Run
    from handlers.request import Request


@routes.verb("workspace", "cancel", does=routes.Does.ENDS)
async def cancel(request: Request) -> Answer:
    """Cancel a start or a run; what is running already is left as it is."""
    services = request.services
    if request.target is not None:
        return await _cancelled(request, may_act=True)
    runs = [run for run in await services.store.runs(request.principal) if run.is_going]
    under_way = {
        one.workspace_id: one
        for one in await services.store.open_operations(request.principal)
        if _can_be_cancelled(one)
    }
    rows = await services.store.workspaces(request.principal)
    choice = choose(request.arguments, rows, services.connections)
    if choice.kind in {"none", "all"}:
        return await _without_a_name(request, list(under_way), runs)
    named = [run for run in runs if naming.fold(run.name) == naming.fold(choice.name)]
    if choice.kind == "near" and named:
        if len(named) == 1:
            is_typed = request.manner is Manner.TYPED
            return await ended(request, named[0], force=False) if is_typed else offered(request, named[0])
        return replies.hint(
            talk.CANCEL_WHICH, offers.command_buttons([f"job stop {run.id}" for run in named])
        )
    return await _cancelled(request, may_act=offering.may_act(request, choice))


async def _cancelled(request: Request, *, may_act: bool) -> Answer:
    """Cancel what is under way for one workspace, or offer it."""
    workspace = await workspace_of(request, asks=True)
    latest = await request.services.store.latest_operation(workspace.id)
    if latest is None or not latest.is_open or not _can_be_cancelled(latest):
        now = request.services.clock.now()
        return replies.hint(offers.in_its_state(now, workspace, talk.NOTHING_TO_CANCEL))
    if not may_act:
        return await offering.one(request, workspace)
    return await begin_for(request, workspace, OperationVerb.STOP)


async def _without_a_name(request: Request, workspaces: list[str], runs: list[Run]) -> Answer:
    """Offer what can be cancelled: without a name it is a guess, even if there is only one."""
    rows = {one.id: one for one in await request.services.store.workspaces(request.principal)}
    commands = [written(("cancel", Quoted(rows[key].title))) for key in workspaces if key in rows]
    commands += [f"job stop {written((Quoted(run.name),))}" for run in runs]
    if not commands:
        return replies.hint(talk.NOTHING_UNDER_WAY)
    buttons = offers.command_buttons(commands[: replies.FEW])
    return replies.hint(talk.CANCEL_WHICH if len(commands) > 1 else talk.CANCEL_THIS, buttons)


def _can_be_cancelled(operation: Operation) -> bool:
    return operation.verb in {OperationVerb.START, OperationVerb.CREATE, OperationVerb.RESTART}
