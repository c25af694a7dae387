"""Answer what people ask about how something is: its state, why, since when, until when, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.domain.notices import Answer, Spoken
from bot.domain.runs import Run
from bot.domain.workspaces import Operation, OperationVerb, Outcome, State, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.limits import Markup, fill, line, safe
from bot.messages.texts import answers as words
from bot.messages.texts import cards, problems, talk, times
from handlers import routes, talking
from handlers.command_line import written
from handlers.language import vocabulary
from handlers.language.reading import Reading
from handlers.language.words import plain
from handlers.linking.account import linked
from handlers.request import Request
from handlers.talking import heard
from handlers.workspace.operations import as_it_is

_UP: Final = frozenset({State.RUNNING, State.STARTING})
#: What is asked about one workspace, beyond its state.
_MORE: Final = frozenset({"why", "since", "until", "length"})


async def answered(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    """Answer a question; what it mentions is never changed."""
    which = reading.which
    named = which.named
    if which.is_theirs:
        return talking.theirs(request, named)
    if which.connections and named:
        there = [one for one in named if one.connection in which.connections]
        named = there or named
    runs = list(which.runs)
    if not named and not runs:
        named, runs = await _pointed(request, reading, rows)
    if reading.topic:
        return await _on_topic(request, reading.topic, named)
    is_of_run = reading.what in {"result", "output"} and not named
    if runs or is_of_run:
        return await _of_runs(request, reading, runs)
    if named:
        request.spoken.of(named)
        return await _of_workspaces(request, reading, named)
    if which.connections and reading.what == "health":
        request.spoken.about = Spoken(connection=which.connections[0])
        return await health(request, which.connections[0])
    is_about_yours = which.connections or which.state or which.is_all or reading.kind != "question"
    if which.unknown and not is_about_yours and (reading.what != "list" or _is_strange(which.unknown)):
        return await _nothing_named(request, reading)
    for connection in which.connections:
        if connection not in dict(request.services.linkless()):
            await linked(request, connection)
    narrowed = [which.state] if which.state and reading.what == "list" else []
    narrowed += [written((connection,)) for connection in which.connections]
    return await routes.run(request.about("workspace", "list", tuple(narrowed)))


def _is_strange(unknown: Sequence[str]) -> bool:
    """Return whether a question is about something else than workspaces."""
    return any(plain(word) not in vocabulary.OF_LISTS for word in unknown)


async def _pointed(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> tuple[list[Workspace], list[Run]]:
    """Return what a question that names nothing is about: what was last spoken of, if it points there."""
    which = reading.which
    is_open = reading.what in _MORE or bool(reading.topic)
    if which.connections and not (which.points or which.place):
        return [], []
    if not (which.points or which.place or is_open) or (which.state and not which.points):
        return [], []
    if which.unknown and not reading.topic:
        return [], []
    _, named, listed, runs = await heard(request, rows)
    if which.place:
        one = counted(listed, which.place)
        named = [one] if one is not None else []
    elif which.points == "other" and len(named) == 1:
        named = others(named, listed or rows)
    elif is_open and len(named) > 1 and not which.points:
        named = []
    if which.connections:
        named = [one for one in named if one.connection in which.connections]
    if named or runs:
        return named, [] if named else runs
    return (list(rows) if len(rows) == 1 and is_open and not reading.topic else []), []


def others(named: Sequence[Workspace], rows: Sequence[Workspace]) -> list[Workspace]:
    """Return what *the other one* is."""
    return [one for one in rows if one not in named]


def counted(listed: Sequence[Workspace], place: int) -> Workspace | None:
    """Return what stands at a place of a list, counted from its end if negative; None if nothing does."""
    at = place - 1 if place > 0 else len(listed) + place
    return listed[at] if 0 <= at < len(listed) else None


async def _of_workspaces(request: Request, reading: Reading, named: Sequence[Workspace]) -> Answer:
    if len(named) > 1:
        return await listed(request, named)
    (workspace,) = named
    about = request.about("workspace", "status", request.arguments, workspace.id)
    if reading.what not in _MORE:
        return await routes.run(about)
    services = request.services
    latest = await services.store.latest_operation(workspace.id)
    said = {"why": _why, "since": _since, "length": _since, "until": _until}[reading.what]
    return await as_it_is(about, workspace, more=said(request, workspace, latest))


async def listed(request: Request, named: Sequence[Workspace]) -> Answer:
    """Return a list of exactly these workspaces."""
    only = {
        "what": words.WORKSPACES,
        "words": written([one.title for one in named]),
        "rows": [one.id for one in named],
    }
    return lists.workspace_list(await request.services.gatherer.of_all(request.principal, named), only=only)


def _why(request: Request, workspace: Workspace, latest: Operation | None) -> str:
    """Say why a workspace is as it is, as far as that is known."""
    now, title = request.services.clock.now(), request.services.title(workspace.connection)
    at = kit.moment_at(latest.ended_at or latest.created_at, now) if latest is not None else ""
    since = kit.moment(latest.created_at, now) if latest is not None else ""
    names = {"name": workspace.title, "title": title, "at": at, "since": since}
    if latest is not None and latest.is_open:
        held = f" {kit.held(latest.hold, now)}" if latest.hold else ""
        doing = Markup(cards.FORMS[latest.verb].doing)
        return fill(talk.WHY_UNDER_WAY, doing=doing, held=Markup(held), **names)
    if latest is not None and latest.outcome in {Outcome.FAILED, Outcome.REFUSED}:
        cause = Markup(safe(problems.sentence(latest.cause or "", title)))
        return fill(talk.WHY_FAILED, verb=Markup(cards.FORMS[latest.verb].verb), cause=cause, **names)
    brought_down = latest is not None and latest.verb.brings_down and latest.outcome is Outcome.FULFILLED
    if workspace.state in _UP:
        if latest is not None and not brought_down and latest.verb is not OperationVerb.CREATE:
            return fill(talk.WHY_UP, **names)
        return fill(talk.WHY_UP_ELSEWHERE, **names)
    if workspace.detail:
        return fill(talk.WHY_DETAIL, **names)
    if workspace.state is State.FAILED:
        return fill(talk.WHY_BROKEN, **names)
    if brought_down and latest is not None:
        return fill(talk.WHY_TIMER if latest.planned_for is not None else talk.WHY_STOPPED, **names)
    if workspace.up_at is not None:
        return fill(talk.WHY_ELSEWHERE, **(names | {"at": kit.moment_at(workspace.up_at, now)}))
    return fill(talk.WHY_UNKNOWN, **names)


def _since(request: Request, workspace: Workspace, latest: Operation | None) -> str:
    """Say since when a workspace is in its state, and how long that is."""
    now, services = request.services.clock.now(), request.services
    names = {"name": workspace.title, "title": services.title(workspace.connection)}
    ended = latest.ended_at if latest is not None and latest.outcome is Outcome.FULFILLED else None
    if latest is not None and latest.is_open:
        return fill(talk.SINCE_BEGUN, since=kit.moment(latest.created_at, now), **names)
    is_up = workspace.state is State.RUNNING
    if latest is not None and ended is not None and latest.verb.brings_down is not is_up:
        length = times.duration(max(now - ended, 60.0))
        return fill(talk.SINCE, since=kit.moment(ended, now), length=length, **names)
    if not is_up and workspace.up_at is not None:
        return fill(talk.SINCE_LAST_UP, at=kit.moment_at(workspace.up_at, now), **names)
    return fill(talk.SINCE_UNKNOWN, **names)


def _until(request: Request, workspace: Workspace, latest: Operation | None) -> str:
    """Say what ends a workspace; when it is planned, its state says so."""
    if latest is not None and latest.is_open:
        return fill(talk.UNTIL_DONE, verb=Markup(cards.FORMS[latest.verb].doing.lower()))
    names = {"name": workspace.title, "title": request.services.title(workspace.connection)}
    if workspace.state not in _UP:
        return fill(talk.UNTIL_DOWN, **names)
    if workspace.stop_at is not None:
        return fill(talk.UNTIL, at=kit.day_moment(workspace.stop_at), **names)
    if workspace.ends_at is not None:
        return fill(talk.UNTIL_ENDS, at=kit.day_moment(workspace.ends_at), **names)
    return fill(talk.UNTIL_NONE, command=request.command_of("workspace"), typed=_typed(workspace), **names)


def _typed(workspace: Workspace) -> Markup:
    return Markup(line(written((workspace.title,))))


async def _of_runs(request: Request, reading: Reading, runs: Sequence[Run]) -> Answer:
    """Answer about a run: the one that is named or was spoken of, otherwise the newest."""
    if not runs:
        runs = (await heard(request)).runs or await request.services.store.runs(request.principal)
    if not runs:
        return await routes.run(request.about("job", "status", ()))
    run = runs[0]
    request.spoken.of_run(run.id)
    if reading.what == "output":
        return await routes.run(request.about("job", "logs", (run.name,), run.id))
    return lists.run_status(await request.services.gatherer.of_run(run))


async def _on_topic(request: Request, topic: str, named: Sequence[Workspace]) -> Answer:
    """Answer what can't be done here, below the workspace that is meant."""
    said = fill(talk.TALK[topic], command=request.command_of("workspace"))
    if len(named) != 1:
        return replies.hint(said)
    request.spoken.of(named)
    return await as_it_is(request, named[0], more=said)


async def health(request: Request, connection: str) -> Answer:
    """Say whether a connection answers."""
    services = request.services
    since = (await services.store.outages()).get(connection)
    now = services.clock.now()
    sentence = fill(
        talk.CONNECTION_UP if since is None else talk.CONNECTION_AWAY,
        title=services.title(connection),
        since=kit.moment(since if since is not None else now, now),
    )
    return replies.hint(sentence, lists.command_buttons([f"list {written((connection,))}"]))


async def _nothing_named(request: Request, reading: Reading) -> Answer:
    """Say that a question names nothing of the person's."""
    if reading.is_foreign:
        return talking.small_talk(request, "foreign")
    return replies.hint(talk.NOTHING_NAMED, more=fill(words.UNKNOWN_VERB_HELP, command=request.command))
