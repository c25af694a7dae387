"""When a start or a run is likely to be done: by how long it usually takes."""

from collections.abc import Sequence
from statistics import median

from bot.domain import policy
from bot.domain.notices import Answer
from bot.domain.runs import Run, RunState
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.kit import Markup
from bot.messages.texts import answers, times
from bot.messages.texts import runs as run_words
from bot.services import naming
from bot.services.workspaces import estimate_start
from bot.store import operations, workspaces
from bot.store import runs as run_rows
from handlers import routes
from handlers.hooks import RequestHooks
from handlers.job import find_run
from handlers.request import Request
from handlers.workspace.operations import show_current
from handlers.workspace.targets import read_workspace, require_by_name

policy.declare(policy.AccessRule(shows=True), "eta")


@routes.verb("workspace", "eta", effect=routes.Effect.SHOWS, accepts=("workspace", "run", "words"))
async def eta(request: Request) -> Answer:
    """Say when a workspace, or else a run, is likely to be ready; without a name, the one under way."""
    store, principal = request.services.store, request.principal
    rows, runs = (
        await store.perform(workspaces.read_workspaces, principal),
        await store.read(run_rows.list_runs, principal),
    )
    if request.target is not None:
        return await _of_start(request, await read_workspace(request))
    if request.name:
        connections = request.services.connections
        is_whole = naming.find_whole(request.name, rows, connections) is not None
        found = [] if is_whole else naming.find_runs(request.name, runs, connections, is_stop=False)
        return await (_of_run(request, found[0], runs) if found else _named(request))
    begun = {
        one.workspace_id
        for one in await store.read(operations.open_operations, principal)
        if not one.verb.brings_down
    }
    if starting := [one for one in rows if one.id in begun]:
        return await _of_start(request, starting[0])
    if going := [run for run in runs if run.is_going]:
        return await _of_run(request, going[0], runs)
    return await _find_wait(request) or replies.hint(run_words.NOTHING_GOING)


@routes.verb("job", "eta", effect=routes.Effect.SHOWS, accepts=("run",))
async def eta_of_run(request: Request) -> Answer:
    """Say when a run is likely to be done; without a name, the newest that goes on."""
    runs = await request.services.store.read(run_rows.list_runs, request.principal)
    going = [run for run in runs if run.is_going]
    is_open = request.target is None and not request.name
    return await _of_run(request, going[0] if is_open and going else await find_run(request), runs)


async def _find_wait(request: Request, workspace_id: str = "") -> Answer | None:
    """Answer with the event that a workspace waits for, if a feature knows one."""
    for hooks in RequestHooks.list_subscribers():
        if (answer := await hooks.find_turn(request, workspace_id)) is not None:
            return answer
    return None


async def _named(request: Request) -> Answer:
    return await _of_start(request, await require_by_name(request, request.name))


async def _of_start(request: Request, workspace: Workspace) -> Answer:
    """Answer with a workspace's state below its likely time, or with its place in line."""
    request.notes.note_workspaces([workspace])
    if (place := await _find_wait(request, workspace.id)) is not None:
        return place
    usual = await request.caller.read(estimate_start, workspace.id)
    operation = await request.services.store.read(operations.find_latest_operation, workspace.id)
    template, now = answers.USUAL_UNKNOWN if usual is None else answers.USUAL, request.services.clock.now()
    at = now
    if operation is not None and operation.is_open and not operation.verb.brings_down:
        usual = operation.usual_seconds or usual
        at = operation.created_at + (usual or 0.0)
        template = answers.USUAL_UNKNOWN if usual is None else _due(answers.USUAL_DUE, at, now)
    elif workspace.state is State.RUNNING and not workspace.is_unusable:
        template = answers.READY_ALREADY
    said = request.fill(template, workspace, **_said(usual, at, now))
    return await show_current(request.redirect("workspace", "status", ()), workspace, hint=said)


async def _of_run(request: Request, run: Run, runs: Sequence[Run]) -> Answer:
    """Answer how a run is, below when it is likely to be done."""
    same = [one for one in runs if (one.name, one.connection) == (run.name, run.connection)]
    run = next((one for one in same if one.is_going), run)
    request.notes.note_run(run.id)
    shown = lists.run_status(await request.services.gatherer.describe_run(run))
    if not run.is_going:
        return shown
    took = [
        one.finished_at - one.started_at
        for one in same
        if one.state is RunState.SUCCEEDED and one.started_at is not None and one.finished_at is not None
    ]
    now, usual = request.services.clock.now(), median(took) if took else None
    at = (run.started_at or now) + (usual or 0.0)
    template = run_words.USUAL_UNKNOWN
    if usual is not None:
        template = run_words.USUAL if run.started_at is None else _due(run_words.USUAL_DUE, at, now)
    said = request.fill(template, run, **_said(usual, at, now))
    return kit.with_blocks(shown, [kit.section(said), *shown.blocks])


def _due(templates: Sequence[str], at: float, now: float) -> str:
    return templates[at < now]


def _said(usual: float | None, at: float, now: float) -> dict[str, Markup]:
    return {"usual": Markup(times.roughly(usual or 0.0)), "at": kit.moment(at, now)}
