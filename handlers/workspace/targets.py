"""Resolve which workspace a request is about: by a button's key, a name, or because there is only one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.notices import Answer, Spoken
from bot.domain.people import Account
from bot.domain.runs import Run
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import buttons, lists, replies
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import answers as words
from bot.messages.texts import talk
from bot.services import naming
from handlers import routes
from handlers.command_line import written
from handlers.language import vocabulary
from handlers.language.words import plain
from handlers.linking.account import link_any, linked
from handlers.request import Answered, Request
from handlers.talking import as_command, typed_here
from handlers.waiting import look, unread
from handlers.welcome import first_steps, what
from handlers.workspace import offering


async def workspace_of(request: Request) -> Workspace:
    """Return the workspace whose key a request carries, from a button or as read; raises Refused."""
    return await request.services.workspaces.owned(request.principal, request.verb, request.target or "")


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
        raise Answered(which_of_these(request, found.workspaces, rows, name))
    raise Answered(await unknown(request, name, rows, old=old))


def is_in(workspace: Workspace, state: str) -> bool:
    """Return whether a workspace is in a state that words named: down is every way of not running."""
    is_up = workspace.state is State.RUNNING
    return is_up if state == "running" else not is_up if state == "stopped" else workspace.state == state


async def at_places(
    request: Request, group: Sequence[Workspace], places: Sequence[str], rows: Sequence[Workspace]
) -> Sequence[Workspace]:
    """Return those of one name that are where a request says; raises Answered if none is."""
    if not places:
        return group
    found = [one for one in group if one.connection in places]
    if found:
        return found
    await there(request, places, rows)
    name = f"{group[0].title}@{places[0]}"
    raise Answered(await unknown(request, name, rows, near=group))


async def there(request: Request, places: Sequence[str], rows: Sequence[Workspace]) -> list[Workspace]:
    """Return what a person has on connections; raises Answered with *Link*, or if there is nothing."""
    for connection in places:
        if connection not in dict(request.services.linkless()):
            await linked(request, connection)
    found = [one for one in rows if one.connection in places]
    if not found:
        what = fill(words.ON, what=Markup(words.WORKSPACES), title=request.services.titles(places))
        raise Answered(replies.hint(fill(words.NONE_OF_THESE, what=Markup(what))))
    return found


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
    if request.waited.problem:
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


def which_of_all(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Ask which workspace is meant if no name was given."""
    buttons = _choices(request, rows, labels_of(rows, rows))
    sentence = fill(words.WHICH_OF_ALL, command=request.command, verb=Markup(request.verb))
    return _asking(request, replies.answer(sentence, buttons), rows)


def which_of_these(
    request: Request, found: Sequence[Workspace], rows: Sequence[Workspace], name: str
) -> Answer:
    """Ask which of those that a name fits is meant."""
    labels = labels_of(found, rows)
    titles = {naming.fold(one.title) for one in found}
    sentence = words.NEAREST
    if len(titles) == 1:
        places = request.services.titles(dict.fromkeys(one.connection for one in found))
        sentence = fill(words.WHICH, name=found[0].title, titles=places)
    elif all(title.startswith(naming.fold(name)) for title in titles):
        sentence = fill(words.WHICH_BEGINNING, name=name)
    more = fill(words.WHICH_AT, command=request.command, verb=Markup(request.verb), example=labels[0])
    return _asking(request, replies.hint(sentence, _choices(request, found, labels), more=more), found)


def _asking(request: Request, answer: Answer, found: Sequence[Workspace]) -> Answer:
    """Return a question which one is meant, with what it is about."""
    keys = tuple(one.id for one in found)
    return replace(answer, about=Spoken(workspaces=keys, what=request.verb, ask="which"))


async def old_and_rows(request: Request) -> tuple[list[Account], list[Workspace]]:
    """Return accounts with outdated lists, then the workspaces; a list may arrive in between."""
    workspaces = request.services.workspaces
    old = await workspaces.stale(request.principal, besides=request.waited.looked)
    return old, await request.services.store.workspaces(request.principal)


async def unknown(
    request: Request,
    name: str,
    rows: Sequence[Workspace],
    *,
    near: Sequence[Workspace] = (),
    old: Sequence[Account] | None = None,
) -> Answer:
    """Say that there is no such name, suggest similar ones, and check again if the list is outdated."""
    first, _, _ = name.partition(" ")
    elsewhere = vocabulary.ELSEWHERE.get(request.verb, {}).get(plain(first))
    if elsewhere is not None:
        return as_command(request.about("workspace", elsewhere, ()))
    _, connection = naming.split_connection(name, request.services.connections)
    if connection is not None and connection not in dict(request.services.linkless()):
        await linked(request, connection)
    runs = await _run_commands(request, name)
    if old is None:
        old, rows = await old_and_rows(request)
    if not rows and not runs:
        return await nothing_yet(request, old)
    near = near or naming.nearest(name, rows)
    looking = await look(request, request.services.workspaces, words.LOOKING_FOR_IT, old=old)
    if looking:
        return replies.answer(looking)
    sentence = fill(words.UNKNOWN_NAME, name=name)
    more: list[str] = [unread(request)] if request.waited.problem else []
    buttons = _choices(request, near, labels_of(near, rows))
    if near:
        offered = (
            words.NEAREST if buttons else f"{words.NEAREST} {', '.join(line(one.title) for one in near)}"
        )
        more.append(offered)
    if runs:
        shown = Markup(talk.OR.join(f"`{typed_here(request, run)}`" for run in runs))
        more.append(fill(talk.AS_RUN if near else talk.DID_YOU_MEAN, commands=shown))
        buttons = [*buttons, *lists.command_buttons(runs)]
    if not more:
        more = [fill(words.UNKNOWN_NEXT, command=request.command)]
    return _asking(request, replies.hint(sentence, buttons, more=" ".join(more)), near)


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


def _choices(request: Request, found: Sequence[Workspace], labels: Sequence[str]) -> list[dict[str, object]]:
    """Return a button for each that may be meant, which says what it does."""
    done = talk.DO_ONE.get(offering.verb_of(request)) if request.at is None else talk.DO_AT.get(request.verb)
    if done is not None:
        labels = [done.format(name=label, then=talk.THEN) for label in labels]
    if request.at is not None or request.verb == "keep":
        times = [offering.time_of(request, one) for one in found]
        return buttons.choices(request.verb, found, labels, times)
    return replies.choices(request.verb, found, labels, request.services.workspaces.effects)


def labels_of(found: Sequence[Workspace], rows: Sequence[Workspace]) -> list[str]:
    """Return distinct names: with the connection if two are the same."""
    return [
        one.title
        if sum(naming.fold(other.title) == naming.fold(one.title) for other in rows) == 1
        else naming.address(one, rows)
        for one in found
    ]
