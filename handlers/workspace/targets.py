"""Which workspace a request is about, and what is answered where none or several may be meant."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from bot.domain.accounts import Account
from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import buttons, lists, replies
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import answers, talk, times
from bot.services import naming, snapshots
from bot.services.feasibility import get_stop_effects
from bot.services.workspaces import require_workspace
from bot.store import accounts as account_rows
from bot.store import workspaces
from bot.support.cleaning import fold
from bot.support.pool import beside
from handlers import routes
from handlers.command_line import fold_word, normalise_fully
from handlers.helping import describe_usher, list_first_steps
from handlers.linking import offer_all_links, require_links
from handlers.request import Answered, Request
from handlers.snapshots import describe_read_failure, filter_by_connection, refresh_lists
from handlers.suggestions import format_bold, format_commands, offer_as_command
from handlers.workspace.confirmations import time_of, verb_of

_OF_ACCOUNTS: Final = "account accounts me login"
_OF_MESSAGES: Final = """notifications notification notifying messages messaging dms telling asking bothering
    sending pinging spamming reminding reminders writing"""
#: What one verb is asked to do although another one does it: by the verb, the other one, and the first word
#: of what is named. Only where no workspace is called that.
_ELSEWHERE: Final[Mapping[str, Mapping[str, str]]] = {
    "stop": {"settings": _OF_MESSAGES},
    "remove": {"unlink": _OF_ACCOUNTS},
    "forget": {"unlink": _OF_ACCOUNTS},
}


async def called(request: Request, name: str) -> Workspace | None:
    """Return the one workspace of which this is the whole name, without reading the others; else None."""
    connections = request.services.connections
    if naming.to_link(name):
        # A link may be to several, whatever they are called.
        return None
    stem, _ = naming.split_connection(name, connections)
    rows = await request.services.store.read(workspaces.workspaces_called, request.principal, name, stem)
    found = naming.find_whole(name, rows, connections)
    return found.workspaces[0] if found is not None and found.kind == "one" else None


async def workspace_of(request: Request) -> Workspace:
    """Return the workspace whose key a request carries, from a button or as read; raises Refused."""
    if request.row is not None:
        request.services.context.need(request.row.connection)
        return request.row
    return await request.caller.read(require_workspace, request.verb, request.target or "")


async def named(request: Request, name: str) -> Workspace:
    """Return the workspace with this name; raises Answered if there is none, or more than one."""
    if (only := await called(request, name)) is not None:
        return only
    rows = await request.services.store.perform(workspaces.workspaces, request.principal)
    found = await beside(rows, naming.find, name, rows, request.services.connections)
    old: Sequence[Account] = ()
    if found.kind == "near":
        old, rows = await old_and_rows(request)
        found = await beside(rows, naming.find, name, rows, request.services.connections)
    if found.kind == "one":
        return found.workspaces[0]
    if found.kind == "many":
        raise Answered(which_of_these(request, found.workspaces, rows, name))
    raise Answered(await unknown(request, name, rows, old))


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
    old, rows = await old_and_rows(request)
    title = fold(group[0].title)
    found = [one for one in await there(request, places, rows) if fold(one.title) == title]
    if found:
        return found
    raise Answered(await unknown(request, f"{group[0].title}@{places[0]}", rows, old, near=group))


async def there(request: Request, places: Sequence[str], rows: Sequence[Workspace]) -> list[Workspace]:
    """Return what a person has on connections; raises Answered with *Link*, or if there is nothing."""
    await require_links(request, places)
    found = [one for one in rows if one.connection in places]
    if not found:
        what = fill(answers.ON, what=Markup(answers.WORKSPACES), title=request.services.titles(places))
        raise Answered(replies.hint(fill(answers.NONE_OF_THESE, what=Markup(what))))
    return found


async def nothing_yet(request: Request, old: Sequence[Account]) -> Answer:
    """Answer somebody without workspaces: link, wait for the list, or make one."""
    services = request.services
    linkless = {name for name, _ in services.list_linkless()}
    links = await services.store.read(account_rows.accounts, request.principal)
    accounts = [account for account in links if account.connection not in linkless]
    if not any(account.state == "active" for account in accounts):
        return await offer_all_links(request)
    sentence = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
    if sentence:
        return replies.answer(sentence)
    if request.deferred.problem:
        return replies.problem(describe_read_failure(request), request.reference)
    # The list was read and is empty; if none could be read (a server without lists), people use `add`.
    if any(account.discovered_at is not None for account in accounts):
        titles = services.titles(account.connection for account in accounts)
        return await _empty(request, fill(answers.NONE_YET, titles=titles))
    return await _empty(request, request.fill(answers.NONE_BUT_ADD))


async def _empty(request: Request, sentence: str) -> Answer:
    """Answer with an empty list: what Usher is, and what may be done next."""
    steps = await list_first_steps(request.services, request.principal)
    if request.verb == "list":
        sentence = f"{sentence} {describe_usher(request.services)}"
    return replies.answer(sentence, steps)


def which_of_all(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Ask which workspace is meant if no name was given."""
    buttons = choices(request, rows, labels_of(request, rows[: replies.FEW], rows))
    sentence = request.fill(answers.WHICH_OF_ALL, verb=Markup(request.verb))
    return _asking(request, replies.answer(sentence, buttons), rows)


def which_of_these(
    request: Request, found: Sequence[Workspace], rows: Sequence[Workspace], name: str
) -> Answer:
    """Ask which of those that a name fits is meant."""
    labels = labels_of(request, found[: replies.FEW], rows)
    titles = {fold(one.title) for one in found}
    sentence = answers.NEAREST[False]
    if len(titles) == 1:
        places = request.services.titles(dict.fromkeys(one.connection for one in found))
        sentence = fill(answers.WHICH, name=found[0].title, titles=places)
    elif all(title.startswith(fold(name)) for title in titles):
        sentence = fill(answers.WHICH_BEGINNING, name=name)
    more = request.fill(answers.WHICH_AT, verb=Markup(request.verb), example=labels[0])
    return _asking(request, replies.hint(sentence, choices(request, found, labels), more=more), found)


def _asking(request: Request, answer: Answer, found: Sequence[Workspace]) -> Answer:
    """Return a question which one is meant, with what it is about."""
    keys = tuple(one.id for one in found)
    about = Referents(workspaces=keys, ask="which").doing(request.verb, request.at)
    return replace(answer, about=about)


async def old_and_rows(request: Request) -> tuple[list[Account], list[Workspace]]:
    """Return accounts with outdated lists, then the workspaces; a list may arrive in between."""
    old = await request.caller.read(snapshots.stale, TaskKind.DISCOVER, request.deferred.looked)
    return old, await request.services.store.perform(workspaces.workspaces, request.principal)


async def unknown(
    request: Request,
    name: str,
    rows: Sequence[Workspace],
    old: Sequence[Account],
    *,
    near: Sequence[Workspace] = (),
) -> Answer:
    """Say that there is no such name, suggest similar ones, and check again if the list is outdated.

    ``rows`` were looked through, and read after ``old`` (``old_and_rows``): a list that arrives in between is
    among them, one that arrives later is read again.
    """
    first, _, _ = name.partition(" ")
    for verb, words in _ELSEWHERE.get(request.verb, {}).items():
        if fold_word(first) in words.split():
            return offer_as_command(request.redirect("workspace", verb, ()))
    _, connection = naming.split_connection(name, request.services.connections)
    await require_links(request, [connection] if connection is not None else [])
    old = filter_by_connection(old, [connection])
    is_run = request.text.split()[:1] == ["run"] and "job" in routes.list_commands()
    runs = [f"job {normalise_fully(request.text)}"] if is_run and request.verb == "start" else []
    if not rows and not runs:
        return await nothing_yet(request, old)
    near = near or await beside(rows, naming.nearest, name, rows)
    promise = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
    if promise:
        return replies.answer(promise)
    sentence = fill(answers.UNKNOWN_NAME, name=name)
    more: list[str] = [describe_read_failure(request)] if request.deferred.problem else []
    buttons = choices(request, near, labels_of(request, near, rows))
    if near:
        suggested = fill(talk.DID_YOU_MEAN, commands=format_bold(one.title for one in near))
        more.append(answers.NEAREST[len(near) == 1] if buttons else suggested)
    if runs:
        more.append(fill(talk.AS_RUN if near else talk.DID_YOU_MEAN, commands=format_commands(request, runs)))
        buttons = [*buttons, *lists.command_buttons(runs)]
    if not more:
        more = [request.fill(answers.UNKNOWN_NEXT)]
    return _asking(request, replies.hint(sentence, buttons, more=" ".join(more)), near)


def choices(request: Request, found: Sequence[Workspace], labels: Sequence[str]) -> list[dict[str, object]]:
    """Return a button for each that may be meant, which says what it does."""
    done = talk.DO_ONE.get(verb_of(request)) if request.at is None else talk.DO_AT.get(request.verb)
    if request.more:
        labels = [talk.LONGER.format(name=one, time=times.duration(request.more)) for one in labels]
    elif done is not None:
        labels = [done.format(name=label, then=talk.THEN) for label in labels]
    if request.at is not None or request.verb == "keep":
        return buttons.choices(request.verb, found, labels, [time_of(request, one) for one in found])
    return replies.choices(request.verb, found, labels, partial(get_stop_effects, request.services.context))


def labels_of(request: Request, found: Sequence[Workspace], rows: Sequence[Workspace]) -> list[str]:
    """Return distinct names: with the connection if two are the same."""
    return naming.labels(found, rows, request.services.title)
