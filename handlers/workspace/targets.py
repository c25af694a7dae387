"""Resolve which workspace a request is about: by a button's key, a name, or because there is only one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.messages.blocks import lists, offers, replies, timers
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import answers as words
from bot.messages.texts import talk
from bot.services import naming
from handlers import routes
from handlers.command_line import written
from handlers.language import vocabulary
from handlers.language.names import Choice, choose
from handlers.language.verbs import Manner
from handlers.language.words import plain
from handlers.linking.account import link_any, linked
from handlers.request import Answered
from handlers.talking import as_command, if_yours, of_connection, on_topic, theirs
from handlers.waiting import look, unread
from handlers.welcome import first_steps, what
from handlers.workspace import offering
from handlers.workspace.several import all_at_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import Account, Answer, Run, Workspace
    from handlers.request import Request


#: The verbs that mean a person's default workspace: none of them takes anything away.
_FOLLOWS_DEFAULT = frozenset({"start", "open", "resume", "status"})


async def workspace_of(request: Request, *, guesses: bool = True, asks: bool = False) -> Workspace:
    """Return the workspace; raises Answered with a question, an offer or a hint, or Refused.

    Without a name it is the only one, or the person's default; with ``guesses`` False a name is required
    even then. ``asks``: the verb asks before it does anything, so nothing has to be offered first.
    """
    workspaces = request.services.workspaces
    if request.target is not None:
        return await workspaces.owned(request.principal, request.verb, request.target)
    choice, rows, old = await _chosen(request, request.arguments)
    is_shown = routes.nature(request.folder, request.verb).does is routes.Does.SHOWS
    if is_shown and choice.kind in {"several", "conditional"} and len(choice.workspaces) == 1:
        return choice.workspaces[0]
    match choice.kind:
        case "none":
            if not rows:
                old, rows = await old_and_rows(request)
            if not rows:
                raise Answered(await nothing_yet(request, old))
            usual = await _usual(request, rows) if guesses else None
            if usual is None:
                raise Answered(await _which_of_those(request, rows, guesses=guesses))
            choice = Choice("one", (usual,), is_whole=True)
        case "one":
            pass
        case _:
            raise Answered(await _not_one(request, choice, rows, old))
    (workspace,) = choice.workspaces
    if asks or offering.may_act(request, choice):
        return workspace
    raise Answered(await offering.one(request, workspace))


async def _not_one(
    request: Request, choice: Choice, rows: Sequence[Workspace], old: Sequence[Account] | None
) -> Answer:
    """Answer words that don't name exactly one workspace."""
    match choice.kind:
        case "many":
            return _which_of_these(request, choice.name, choice.workspaces, rows)
        case "conditional":
            return _conditional(request, choice, rows)
        case "theirs":
            return theirs(request, choice.workspaces)
        case "several" | "all":
            return await _several(request, choice)
        case _:
            return await _unknown(request, choice, old, has_any=bool(rows))


async def _chosen(
    request: Request, given: Sequence[str]
) -> tuple[Choice, Sequence[Workspace], Sequence[Account] | None]:
    """Return what words name, the person's workspaces, and the accounts whose lists were outdated."""
    rows, old = await request.services.store.workspaces(request.principal), None
    choice = choose(given, rows, request.services.connections)
    if choice.kind == "near" or (choice.kind == "several" and choice.unknown):
        old, rows = await old_and_rows(request)
        choice = choose(given, rows, request.services.connections)
    return choice, rows, old


async def _usual(request: Request, rows: Sequence[Workspace]) -> Workspace | None:
    """Return what is meant without a name: the only one, or the person's own default where nothing ends."""
    if len(rows) == 1:
        return rows[0]
    if request.verb not in _FOLLOWS_DEFAULT:
        return None
    wanted = await request.services.preferences.of(request.principal)
    return next((one for one in rows if one.id == wanted.workspace_id), None)


async def named(request: Request, name: str) -> Workspace:
    """Return the workspace with this name; raises Answered if there is none, or more than one."""
    rows, old = await request.services.store.workspaces(request.principal), None
    found = naming.find(name, rows, request.services.connections)
    if found.kind == "near":
        old, rows = await old_and_rows(request)
        found = naming.find(name, rows, request.services.connections)
    if found.kind == "one":
        return found.workspaces[0]
    if found.kind == "many":
        raise Answered(_which_of_these(request, name, found.workspaces, rows))
    near = Choice("near", found.workspaces, name=name)
    raise Answered(await _unknown(request, near, old, has_any=bool(rows)))


async def _several(request: Request, choice: Choice) -> Answer:
    """Offer one button for several; with ``--yes`` the person has answered it beforehand."""
    is_end = routes.nature(request.folder, request.verb).does is routes.Does.ENDS
    if is_end and choice.is_described:
        return _described(request, choice)
    is_said_before = "yes" in request.flags and request.manner is Manner.TYPED and not choice.unknown
    verb = offering.verb_of(request)
    known_verbs = talk.DO_SEVERAL if request.at is None else talk.DO_SEVERAL_AT
    if is_said_before and verb in known_verbs and not request.more:
        under_way = await request.services.store.open_operations(request.principal)
        by_workspace = {one.workspace_id: one for one in under_way}
        chosen = [
            one
            for one in choice.workspaces
            if offering.is_needed(verb, one, by_workspace.get(one.id), request.at)
        ]
        return await all_at_once(request, verb, chosen)
    if routes.nature(request.folder, request.verb).does is routes.Does.SHOWS and not choice.unknown:
        return lists.workspace_list(
            await request.services.gatherer.of_all(request.principal, choice.workspaces),
            only={
                "what": words.WORKSPACES,
                "words": written([one.title for one in choice.workspaces]),
                "rows": [one.id for one in choice.workspaces],
            },
        )
    return await offering.several(request, choice)


def _described(request: Request, choice: Choice) -> Answer:
    """Say that another name was typed than the one in it: it is written, and offers no press."""
    sentence = fill(talk.DESCRIBED, name=choice.name)
    return replies.hint(sentence, more=if_yours(request, choice.workspaces))


def _conditional(request: Request, choice: Choice, rows: Sequence[Workspace]) -> Answer:
    """Say that exceptions and conditions aren't understood: nothing is done, and nothing offered."""
    example = next(iter(choice.workspaces or rows)).title if rows else words.EXAMPLE
    shown = {"command": request.command, "verb": Markup(request.verb), "example": example}
    is_timed = request.verb in {"stop", "suspend"}
    later = fill(talk.CONDITIONAL_LATER, **shown) if is_timed else ""
    after = fill(talk.CONDITIONAL_NEXT, **shown, later=Markup(later))
    return replies.hint(fill(talk.CONDITIONAL, next=Markup(after)))


async def nothing_yet(request: Request, old: Sequence[Account] | None) -> Answer:
    """Answer somebody without workspaces: link, wait for the list, or make one."""
    services = request.services
    linkless = {name for name, _ in services.linkless()}
    links = await services.store.accounts(request.principal)
    accounts = [account for account in links if account.connection not in linkless]
    if not any(account.state == "active" for account in accounts):
        return link_any(request)
    sentence = await look(request, services.workspaces, words.LOOKING_AT_YOURS, old=old)
    if sentence:
        return replies.answer(sentence)
    if request.problem:
        return replies.problem(unread(request), request.reference)
    # The list was read and is empty; if none could be read (a server without lists), people use `add`.
    if any(account.discovered_at is not None for account in accounts):
        titles = services.titles(account.connection for account in accounts)
        return await _empty(request, fill(words.NONE_YET, titles=titles))
    return await _empty(request, fill(words.NONE_BUT_ADD, command=request.command))


async def _empty(request: Request, sentence: str) -> Answer:
    """Answer with an empty list: what Usher is, and what may be done next."""
    steps = await first_steps(request.services, request.principal)
    if request.verb == "list":
        sentence = f"{sentence} {what(request.services)}"
    return replies.answer(sentence, steps)


async def _which_of_those(request: Request, rows: Sequence[Workspace], *, guesses: bool) -> Answer:
    """Ask which workspace is meant among those to which it applies; if that is one, offer it."""
    operations = await request.services.store.open_operations(request.principal)
    under_way = {one.workspace_id: one for one in operations}
    verb = offering.verb_of(request)
    fitting = [one for one in rows if offering.is_needed(verb, one, under_way.get(one.id), request.at)]
    is_end = routes.nature(request.folder, request.verb).does is routes.Does.ENDS
    if is_end and guesses and len(fitting) == 1 and verb in talk.DO_ONE:
        return await offering.one(request, fitting[0])
    return which_of_all(request, fitting or rows)


def which_of_all(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Ask which workspace is meant if no name was given."""
    buttons = _choices(request, rows, labels_of(rows, rows))
    return replies.answer(
        fill(words.WHICH_OF_ALL, command=request.command, verb=Markup(request.verb)), buttons
    )


def _which_of_these(
    request: Request, name: str, found: Sequence[Workspace], rows: Sequence[Workspace]
) -> Answer:
    labels = labels_of(found, rows)
    is_same = len({naming.fold(one.title) for one in found}) == 1
    sentence = fill(words.WHICH if is_same else words.WHICH_BEGINNING, name=name)
    more = fill(words.WHICH_AT, command=request.command, verb=Markup(request.verb), example=labels[0])
    return replies.hint(sentence, _choices(request, found, labels), more=more)


async def old_and_rows(request: Request) -> tuple[list[Account], list[Workspace]]:
    """Return accounts with outdated lists, then the workspaces; a list may arrive in between."""
    workspaces = request.services.workspaces
    old = await workspaces.stale(request.principal, besides=request.looked)
    return old, await request.services.store.workspaces(request.principal)


async def _unknown(
    request: Request, choice: Choice, old: Sequence[Account] | None, *, has_any: bool
) -> Answer:
    """Say that there is no such name, suggest similar ones, and check again if the list is outdated."""
    first, _, _ = choice.name.partition(" ")
    elsewhere = vocabulary.ELSEWHERE.get(request.verb, {}).get(plain(first))
    if elsewhere is not None:
        return as_command(request.about("workspace", elsewhere, ()))
    _, connection = naming.split_connection(choice.name, request.services.connections)
    if connection is not None and connection not in dict(request.services.linkless()):
        await linked(request, connection)
    runs = await _run_commands(request, choice.name)
    if not has_any and not runs:
        return await nothing_yet(request, old)
    near = choice.workspaces
    looking = await look(request, request.services.workspaces, words.LOOKING_FOR_IT, old=old)
    if looking:
        return replies.answer(looking)
    asked = await on_topic(request) or await of_connection(request, choice.name.split())
    if asked is not None and not near:
        return asked
    sentence = fill(words.UNKNOWN_NAME, name=choice.name)
    more: list[str] = [unread(request)] if request.problem else []
    buttons = _choices(request, near, labels_of(near, near))
    if near:
        offered = (
            words.NEAREST if buttons else f"{words.NEAREST} {', '.join(line(one.title) for one in near)}"
        )
        more.append(offered)
    if runs:
        shown = Markup(talk.OR.join(f"`{_typed(request, run)}`" for run in runs))
        more.append(fill(talk.AS_RUN if near else talk.DID_YOU_MEAN, commands=shown))
        buttons = [*buttons, *offers.command_buttons(runs)]
    if not more:
        more = [fill(words.UNKNOWN_NEXT, command=request.command)]
    return replies.hint(sentence, buttons, more=" ".join(more))


async def _run_commands(request: Request, name: str) -> list[str]:
    """Return the commands for a job run that may be meant: of a run of that name, or a new one."""
    services = request.services
    if request.verb in {"stop", "status", "open"}:
        runs: Sequence[Run] = await services.store.runs(request.principal)
        if any(naming.fold(run.name) == naming.fold(name) for run in runs):
            verb = "stop" if request.verb == "stop" else "status"
            return [f"job {verb} {written([name])}"]
    first = request.text.split()[:1]
    if request.verb == "start" and first and plain(first[0]) == "run" and "job" in routes.commands():
        return [f"job {request.text}"]
    return []


def _typed(request: Request, command: str) -> str:
    """Return a command for jobs as the person would type it here."""
    return f"{request.command_of('job')}{line(command.removeprefix('job '), 300)}"


def _choices(request: Request, found: Sequence[Workspace], labels: Sequence[str]) -> list[dict[str, object]]:
    if request.at is not None or request.verb == "keep":
        times = [offering.time_of(request, one) for one in found]
        return timers.choices(request.verb, found, labels, times)
    return replies.choices(request.verb, found, labels, request.services.workspaces.effects)


def labels_of(found: Sequence[Workspace], rows: Sequence[Workspace]) -> list[str]:
    """Return distinct names: with the connection if two are the same."""
    return [
        one.title
        if sum(naming.fold(other.title) == naming.fold(one.title) for other in rows) == 1
        else naming.address(one, rows)
        for one in found
    ]
