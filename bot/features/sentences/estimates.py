"""Estimates of the end of a start or a run, from their usual lengths."""

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
from bot.messages.verb import Effect, Verb
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


@routes.verb(
    Verb(
        usage="eta [NAME]",
        summary="say when a start or a run is likely to be done",
        order=180,
        effect=Effect.SHOWS,
        accepts=("workspace", "run", "words"),
        does="When is {rest} done?",
    )
)
async def show_eta(request: Request) -> Answer:
    """Say when a workspace, or else a run, is likely to be ready; without a name, the one under way."""
    store, principal = request.services.store, request.principal
    rows, runs = (
        await store.perform(workspaces.read_workspaces, principal),
        await store.read(run_rows.list_runs, principal),
    )
    if request.target is not None:
        return await _describe_start(request, await read_workspace(request))
    if request.name:
        connections = request.services.connections
        is_whole = naming.find_whole(request.name, rows, connections) is not None
        matching = [] if is_whole else naming.find_runs(request.name, runs, connections, is_stop=False)
        return await (
            _describe_run(request, matching[0], runs) if matching else _describe_named_start(request)
        )
    begun = {
        workspace.workspace_id
        for workspace in await store.read(operations.open_operations, principal)
        if not workspace.verb.brings_down
    }
    if starting := [workspace for workspace in rows if workspace.id in begun]:
        return await _describe_start(request, starting[0])
    if going := [run for run in runs if run.is_going]:
        return await _describe_run(request, going[0], runs)
    return await _find_wait(request) or replies.hint(run_words.NOTHING_GOING)


@routes.verb(
    Verb(
        command="job",
        usage="eta [NAME]",
        summary="say when a run is likely to be done",
        order=50,
        effect=Effect.SHOWS,
        accepts=("run",),
    )
)
async def show_run_eta(request: Request) -> Answer:
    """Say when a run is likely to be done; without a name, the newest that goes on."""
    runs = await request.services.store.read(run_rows.list_runs, request.principal)
    going = [run for run in runs if run.is_going]
    is_open = request.target is None and not request.name
    return await _describe_run(request, going[0] if is_open and going else await find_run(request), runs)


async def _find_wait(request: Request, workspace_id: str = "") -> Answer | None:
    """Answer with the event that a workspace waits for, if a feature knows one."""
    for hooks in RequestHooks.list_subscribers():
        if (answer := await hooks.find_turn(request, workspace_id)) is not None:
            return answer
    return None


async def _describe_named_start(request: Request) -> Answer:
    return await _describe_start(request, await require_by_name(request, request.name))


async def _describe_start(request: Request, workspace: Workspace) -> Answer:
    """Answer with a workspace's state below its likely time, or with its place in line."""
    request.notes.note_workspaces([workspace])
    if (turn := await _find_wait(request, workspace.id)) is not None:
        return turn
    usual = await request.caller.read(estimate_start, workspace.id)
    operation = await request.services.store.read(operations.find_latest_operation, workspace.id)
    template, now = answers.USUAL_UNKNOWN if usual is None else answers.USUAL, request.services.clock.now()
    at = now
    if operation is not None and operation.is_open and not operation.verb.brings_down:
        usual = operation.usual_seconds or usual
        at = operation.created_at + (usual or 0.0)
        template = answers.USUAL_UNKNOWN if usual is None else _choose_template(answers.USUAL_DUE, at, now)
    elif workspace.state is State.RUNNING and not workspace.is_unusable:
        template = answers.READY_ALREADY
    sentence = request.fill(template, workspace, **_format_estimate(usual, at, now))
    return await show_current(request.redirect("workspace", "status", ()), workspace, hint=sentence)


async def _describe_run(request: Request, run: Run, runs: Sequence[Run]) -> Answer:
    """Answer with a run's state below its likely end."""
    same = [
        same_run for same_run in runs if (same_run.name, same_run.connection) == (run.name, run.connection)
    ]
    run = next((same_run for same_run in same if same_run.is_going), run)
    request.notes.note_run(run.id)
    status = lists.run_status(await request.services.gatherer.describe_run(run))
    if not run.is_going:
        return status
    took = [
        same_run.finished_at - same_run.started_at
        for same_run in same
        if same_run.state is RunState.SUCCEEDED
        and same_run.started_at is not None
        and same_run.finished_at is not None
    ]
    now, usual = request.services.clock.now(), median(took) if took else None
    at = (run.started_at or now) + (usual or 0.0)
    template = run_words.USUAL_UNKNOWN
    if usual is not None:
        template = (
            run_words.USUAL if run.started_at is None else _choose_template(run_words.USUAL_DUE, at, now)
        )
    sentence = request.fill(template, run, **_format_estimate(usual, at, now))
    return kit.with_blocks(status, [kit.section(sentence), *status.blocks])


def _choose_template(templates: Sequence[str], at: float, now: float) -> str:
    return templates[at < now]


def _format_estimate(usual: float | None, at: float, now: float) -> dict[str, Markup]:
    return {"usual": Markup(times.format_roughly(usual or 0.0)), "at": kit.moment(at, now)}
