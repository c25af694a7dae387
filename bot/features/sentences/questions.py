"""Answers to questions about one's own workspaces, runs and connections, which are never changed."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from bot.domain.conversations import Referents
from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import Answer
from bot.domain.operations import Operation, OperationVerb
from bot.domain.outages import Reached
from bot.domain.runs import Run, RunState
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State, Workspace
from bot.features.sentences import chat
from bot.features.sentences.reading import Reading
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.cards import VERB_FORMS
from bot.messages.blocks.kit import Markup, fill, safe
from bot.messages.texts import answers, problems, talk, times
from bot.store import operations as operation_rows
from bot.store import outages, undoable_actions
from bot.store import runs as run_rows
from handlers import routes, vocabulary
from handlers.command_line import fold_word, join_words
from handlers.linking import require_links
from handlers.request import Request, format_typed_name
from handlers.workspace import targets
from handlers.workspace.operations import show_current

_UP_STATES: Final = frozenset({State.RUNNING, State.STARTING})
#: The questions about one workspace beyond its state.
_DETAIL_QUESTIONS: Final = frozenset({"why", "since", "until", "length"})
#: Of these, the questions about running workspaces.
_RUNNING_QUESTIONS: Final = frozenset({"until", "length"})
_FAILED_OUTCOMES: Final = frozenset({Outcome.FAILED, Outcome.REFUSED})
#: The number of workspaces that are searched for the last act.
_MAX_CHECKED_WORKSPACES: Final = 20


async def answer_question(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    """Answer a question about things, which are never changed."""
    which = reading.which
    named = which.named
    if which.is_theirs:
        return chat.refuse_others_workspace(request, named)
    if which.connections and named:
        named = [workspace for workspace in named if workspace.connection in which.connections] or named
    runs = list(which.runs)
    if not named and not runs and not which.quoted:
        named, runs = await _find_subjects(request, reading, rows)
    is_of_run = reading.what in {"result", "output"} and not named
    if runs or is_of_run:
        return await _answer_about_runs(request, reading, runs)
    if named:
        request.notes.note_workspaces(named)
        return await _answer_about_workspaces(request, reading, named)
    if which.connections and reading.what == "health":
        request.notes.about = Referents(connection=which.connections[0])
        return await answer_health(request, which.connections[0])
    if which.quoted:
        old, rows = await targets.read_stale_and_rows(request)
        return await targets.answer_unknown_name(
            request.redirect("workspace", "status", ()), which.quoted, rows, old
        )
    await require_links(request, which.connections)
    is_state = bool(which.state) and reading.what == "list"
    if (
        is_state
        and not which.connections
        and not any(targets.is_in(workspace, which.state) for workspace in rows)
    ):
        runs = await request.services.store.read(run_rows.list_runs, request.principal)
        if any(run.state == which.state for run in runs):
            return await routes.run(request.redirect("job", "list", (which.state,)))
    narrowed = [which.state] if is_state else []
    narrowed += [join_words((connection,)) for connection in which.connections]
    return await routes.run(request.redirect("workspace", "list", tuple(narrowed)))


async def _find_subjects(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> tuple[list[Workspace], list[Run]]:
    """Return the subjects of a question without a name: the conversation's referents, if it has a pronoun."""
    which = reading.which
    is_open = reading.what in _DETAIL_QUESTIONS
    points = bool(which.points or which.place)
    is_about_all = not points and (bool(which.connections) or not is_open)
    if is_about_all or (which.state and not which.points) or which.unknown:
        return [], []
    recent = await chat.read_recent_referents(request, rows)
    workspaces, runs = recent.resolve(which, rows), recent.runs
    if is_open and len(workspaces) > 1 and not points:
        workspaces = []
    if workspaces or runs:
        return workspaces, [] if workspaces else runs
    if len(rows) == 1 and is_open:
        return list(rows), []
    if reading.what in _RUNNING_QUESTIONS:
        return [workspace for workspace in rows if workspace.state in _UP_STATES], []
    is_result = points and not vocabulary.RESULT_WORDS.isdisjoint(
        map(fold_word, request.typed_words or request.arguments)
    )
    return await _find_last(request, rows, is_failed=reading.what == "why") if is_result else ([], [])


async def _find_last(
    request: Request, rows: Sequence[Workspace], *, is_failed: bool
) -> tuple[list[Workspace], list[Run]]:
    """Return the workspace or run of the last request, or of the last failure, in place of referents."""
    store = request.services.store
    used = sorted(rows, key=lambda one: -(one.used_at or 0.0))[:_MAX_CHECKED_WORKSPACES]
    latest = [(await store.read(operation_rows.find_latest_operation, one.id), one) for one in used]
    runs = await store.read(run_rows.list_runs, request.principal)
    operations = [(one.created_at, one.outcome, workspace) for one, workspace in latest if one is not None]
    last = max(
        (operation for operation in operations if not is_failed or operation[1] in _FAILED_OUTCOMES),
        default=None,
        key=itemgetter(0),
    )
    ended = (
        run
        for run in runs
        if not is_failed or run.state is RunState.FAILED or run.outcome in _FAILED_OUTCOMES
    )
    run = max(ended, default=None, key=lambda one: one.created_at)
    if last is not None and (run is None or run.created_at < last[0]):
        return [last[2]], []
    return [], [] if run is None else [run]


async def _answer_about_workspaces(request: Request, reading: Reading, named: Sequence[Workspace]) -> Answer:
    if len(named) > 1:
        return await answer_list(request, named)
    (workspace,) = named
    about = request.redirect("workspace", "status", request.arguments, workspace.id)
    if reading.what not in _DETAIL_QUESTIONS:
        return await routes.run(about)
    services = request.services
    latest = await services.store.read(operation_rows.find_latest_operation, workspace.id)
    if reading.what == "why":
        by = "" if latest is None else await services.store.read(undoable_actions.find_initiator, latest)
        details = _explain_state(request, workspace, latest, talk.DONE_BY.get(by, talk.DONE_BY[""]))
    elif reading.what == "until":
        facts = await services.gatherer.describe_workspace(workspace, latest)
        details = _describe_end(request, workspace, latest, facts)
    else:
        details = _describe_since(request, workspace, latest)
    return await show_current(about, workspace, more=details)


async def answer_list(request: Request, named: Sequence[Workspace]) -> Answer:
    """Return a list of exactly these workspaces."""
    words, rows = join_words([workspace.title for workspace in named]), [workspace.id for workspace in named]
    only = {"what": answers.WORKSPACES, "words": words, "rows": rows}
    return lists.workspace_list(
        await request.services.gatherer.describe_workspaces(request.principal, named), only=only
    )


def _explain_state(request: Request, workspace: Workspace, latest: Operation | None, by: str) -> str:
    """Explain the state of a workspace, as far as rows say."""
    now, title = request.services.clock.now(), request.services.title(workspace.connection)
    at = kit.moment_at(latest.ended_at or latest.created_at, now) if latest is not None else ""
    since = kit.moment(latest.created_at, now) if latest is not None else ""
    names = {"name": workspace.title, "title": title, "at": at, "since": since, "by": by}
    if latest is not None and latest.is_open:
        block_reason = f" {kit.format_reason(latest.block_reason, now)}" if latest.block_reason else ""
        return fill(talk.WHY_UNDER_WAY, held=Markup(block_reason), **names, **VERB_FORMS[latest.verb])
    # Then its state has just said so.
    is_explained = workspace.state is State.FAILED and workspace.reason is not None
    if latest is not None and latest.outcome in {Outcome.FAILED, Outcome.REFUSED}:
        is_explained &= problems.get_cause_word(latest.cause) == "provider_failed"
        page = request.services.context.need(workspace.connection).page_url(workspace.remote_id)
        cause = safe(problems.explain_cause(latest.cause or "", title, has_page=bool(page)))
        cause = Markup("" if is_explained else cause)
        return fill(talk.WHY_FAILED, cause=cause, **names, **VERB_FORMS[latest.verb]).strip()
    if is_explained:
        return ""
    brought_down = latest is not None and latest.verb.brings_down and latest.outcome is Outcome.FULFILLED
    if workspace.state in _UP_STATES:
        if latest is not None and not brought_down and latest.verb is not OperationVerb.CREATE:
            return fill(talk.WHY_DONE, **names, **VERB_FORMS[latest.verb])
        return fill(talk.WHY_UP_ELSEWHERE, **names)
    if problems.describe_condition(workspace, title):
        return fill(talk.WHY_DETAIL, **names)
    if workspace.state is State.FAILED:
        return fill(talk.WHY_BROKEN, **names)
    if brought_down and latest is not None:
        return fill(talk.WHY_DONE, **names, **VERB_FORMS[latest.verb])
    if workspace.up_at is not None:
        return fill(talk.WHY_ELSEWHERE, **(names | {"at": kit.moment_at(workspace.up_at, now)}))
    return fill(talk.WHY_UNKNOWN, **names)


def _describe_since(request: Request, workspace: Workspace, latest: Operation | None) -> str:
    """Describe the begin and the length of a workspace's state."""
    now = request.services.clock.now()
    ended = latest.ended_at if latest is not None and latest.outcome is Outcome.FULFILLED else None
    if latest is not None and latest.is_open:
        return request.fill(talk.SINCE_BEGUN, workspace, since=kit.moment(latest.created_at, now))
    is_up = workspace.state is State.RUNNING
    if latest is not None and ended is not None and latest.verb.brings_down is is_up:
        ended = None
    if (since := ended or (workspace.started_at if is_up else workspace.down_at)) is not None:
        length = times.format_duration(max(now - since, 60.0))
        return request.fill(talk.SINCE, workspace, since=kit.moment(since, now), length=length)
    if not is_up and workspace.up_at is not None:
        return request.fill(talk.SINCE_LAST_UP, workspace, at=kit.moment_at(workspace.up_at, now))
    return request.fill(talk.SINCE_UNKNOWN, workspace)


def _describe_end(
    request: Request, workspace: Workspace, latest: Operation | None, facts: WorkspaceFacts
) -> str:
    """Describe the planned end of a workspace."""
    if latest is not None and latest.is_open:
        return fill(talk.UNTIL_DONE, **VERB_FORMS[latest.verb])
    if workspace.state not in _UP_STATES:
        return request.fill(talk.UNTIL_DOWN, workspace)
    at = facts.next_stop
    # Its state says why we can't stop it.
    if facts.obstacle and at is not None and at == workspace.stop_at:
        return ""
    if at is not None:
        template = talk.UNTIL_ENDS if at == workspace.expires_at else talk.UNTIL
        return request.fill(template, workspace, at=kit.day_moment(at))
    typed, command = format_typed_name(workspace.title), request.format_command("workspace")
    return request.fill(talk.UNTIL_NONE, workspace, typed=typed, command=command)


async def _answer_about_runs(request: Request, reading: Reading, runs: Sequence[Run]) -> Answer:
    """Answer about a run: a named one, the conversation's, otherwise the newest."""
    if not runs:
        runs = (await chat.read_recent_referents(request)).runs or await request.services.store.read(
            run_rows.list_runs, request.principal
        )
    if not runs:
        return await routes.run(request.redirect("job", "status", ()))
    run = runs[0]
    request.notes.note_run(run.id)
    if reading.what == "output":
        return await routes.run(request.redirect("job", "logs", (run.name,), run.id))
    if reading.what in {"why", "result"} and not run.is_open:
        return await routes.run(request.redirect("job", "result", (run.name,), run.id))
    return lists.run_status(await request.services.gatherer.describe_run(run))


async def answer_health(request: Request, connection: str) -> Answer:
    """Say whether a connection answers."""
    services = request.services
    reached = (await services.store.read(outages.list_reached)).get(connection, Reached(connection))
    now, since, answered_at = services.clock.now(), reached.silent_since, reached.answered_at
    template = talk.CONNECTION_UP if answered_at is None else talk.CONNECTION_ANSWERED
    template = template if since is None else talk.CONNECTION_AWAY
    when = {"since": kit.moment(since or now, now), "at": kit.moment_at(answered_at or now, now)}
    sentence = fill(template, title=services.title(connection), **when)
    return replies.hint(sentence, lists.list_command_buttons([f"list {join_words((connection,))}"]))
