"""Finds the workspace that a request is about. If that isn't clear, asks the user or suggests names."""

from collections.abc import Mapping, Sequence
from functools import partial

from bot.domain.accounts import Account
from bot.domain.notices import Answer
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import Workspace
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.buttons import MAX_CHOICES
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import answers, talk, times
from bot.messages.verb import find_verb
from bot.services import naming, snapshots
from bot.services.feasibility import get_stop_effects
from bot.services.naming import NameMatch
from bot.services.workspaces import require_workspace
from bot.store import accounts as account_rows
from bot.store import workspaces
from bot.support.cleaning import fold
from bot.support.pool import run_beside_loop
from handlers.helping import list_first_steps
from handlers.linking import offer_all_links, require_links, require_no_resting_link
from handlers.requests import routes
from handlers.requests.command_line import fold_word, normalise_fully
from handlers.requests.request import Answered, Request
from handlers.requests.suggestions import (
    format_bold,
    format_commands,
    offer_as_command,
    offer_commands,
    write_command,
)
from handlers.snapshots import describe_read_failure, filter_by_connection, refresh_lists
from handlers.workspace.confirmations import find_time, format_label


async def find_by_whole_name(request: Request, name: str) -> Workspace | None:
    """Return the only workspace with exactly this name, or None. Only workspaces with that name are read."""
    connections = request.services.connections
    if naming.to_link(name):
        # A link can match workspaces with any name, so reading only those with this name isn't enough.
        return None
    stem, _ = naming.split_connection(name, connections)
    rows = await request.services.store.read(
        workspaces.find_workspaces_by_name, request.principal, name, stem
    )
    match = naming.find_whole(name, rows, connections)
    return match[0] if len(match) == 1 else None


async def read_workspace(request: Request) -> Workspace:
    """Return the request's workspace. Raise Refused if the user may not act on it."""
    if request.row is not None:
        request.services.context.need(request.row.connection)
        return request.row
    return await request.caller.read(require_workspace, request.verb, request.target or "")


async def require_by_name(request: Request, name: str, *, can_guess: bool = False) -> Workspace:
    """Return the workspace with this name. If there is none, or if there are several, raise Answered.

    If ``can_guess`` is true, the beginning of a name is enough. Otherwise, such a name, or one that several
    workspaces have, raises Answered with an offer of the command with the whole name.
    """
    if (exact := await find_by_whole_name(request, name)) is not None:
        return exact
    rows = await request.services.store.perform(workspaces.read_workspaces, request.principal)
    match = await match_name(request, name, rows)
    old: Sequence[Account] = ()
    if not match.is_named:
        old, rows = await read_stale_and_rows(request)
        match = await match_name(request, name, rows)
    if match.only is not None and (can_guess or match.kind == "whole"):
        return match.only
    if match.is_named and not can_guess:
        raise Answered(_offer_with_names(request, name, list_labels(request, match.rows[:MAX_CHOICES], rows)))
    raise Answered(await _answer_match(request, name, match, rows, old))


async def match_name(request: Request, name: str, rows: Sequence[Workspace]) -> NameMatch[Workspace]:
    """Return the rows that a name may refer to."""
    usernames = await read_usernames(request, name)
    return await run_beside_loop(rows, naming.find, name, rows, request.services.connections, usernames)


async def read_usernames(request: Request, *names: str) -> Mapping[str, str]:
    """If one of the names is a URL, map connections to the user's usernames.

    Otherwise, return an empty mapping.

    Usernames are needed to recognise URLs that contain them.
    """
    if not any(naming.to_link(name) for name in names):
        return naming.NO_USERNAMES
    links = await request.services.store.read(account_rows.list_accounts, request.principal)
    return {account.connection: account.username for account in links}


async def answer_name(request: Request, name: str) -> Answer:
    """Answer a name that isn't the full name of any workspace. Ask which one is meant, or suggest names."""
    old, rows = request.notes.listed or await read_stale_and_rows(request)
    return await _answer_match(request, name, await match_name(request, name, rows), rows, old)


async def _answer_match(
    request: Request,
    name: str,
    match: NameMatch[Workspace],
    rows: Sequence[Workspace],
    old: Sequence[Account],
) -> Answer:
    """If workspaces match a name, ask which of them is meant. Otherwise, say that nothing has this name."""
    if match.is_named:
        return await ask_which_of_these(request, match.rows, rows, name)
    return await answer_unknown_name(request, name, rows, old, match.rows)


def _offer_with_names(request: Request, name: str, labels: Sequence[str]) -> Answer:
    given = request.arguments
    spans = ((begin, end) for begin in range(len(given)) for end in range(begin + 1, len(given) + 1))
    begin, end = next((one for one in spans if " ".join(given[slice(*one)]) == name), (0, len(given)))
    every = ((request.verb, *given[:begin], label, *given[end:]) for label in labels)
    return offer_commands(request, [write_command(request, *typed) for typed in every], talk.AS_COMMAND)


async def answer_without_workspaces(request: Request, old: Sequence[Account]) -> Answer:
    """Tell a person who has no workspaces to link an account, wait for the list, or create a workspace."""
    services = request.services
    linkless = services.linked_by("none")
    links = await services.store.read(account_rows.list_accounts, request.principal)
    accounts = [account for account in links if account.connection not in linkless]
    await require_no_resting_link(request)
    if not any(account.state == "active" for account in accounts):
        return await offer_all_links(request)
    sentence = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
    if sentence:
        return replies.answer(sentence)
    if request.deferred.problem:
        return replies.problem(describe_read_failure(request), request.reference)
    # If a list has been read, it was empty. If none has, the server doesn't provide lists, so people have to
    # use `add`.
    is_read = any(account.discovered_at is not None for account in accounts)
    titles = services.titles(account.connection for account in accounts)
    sentence = request.fill(answers.NONE_YET if is_read else answers.NONE_BUT_ADD, titles=titles)
    return replies.answer(sentence, await list_first_steps(services, request.principal, has_list=False))


async def ask_which_of_all(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Ask which of the user's workspaces is meant, if no name was given."""
    request.notes.note_workspaces(rows)
    labels = list_labels(request, rows[:MAX_CHOICES], rows)
    buttons = await make_choice_buttons(request, rows, labels)
    sentence = request.fill(answers.WHICH_OF_ALL, verb=Markup(request.verb))
    return replies.ask(sentence, buttons)


async def ask_which_of_these(
    request: Request, candidates: Sequence[Workspace], rows: Sequence[Workspace], name: str
) -> Answer:
    """Ask which of the workspaces that match a name is meant."""
    request.notes.note_workspaces(candidates)
    labels = list_labels(request, candidates[:MAX_CHOICES], rows)
    titles = {fold(workspace.title) for workspace in candidates}
    sentence = answers.NEAREST[len(candidates) == 1]
    if len(titles) == 1 and len(candidates) > 1:
        titles_of_connections = request.services.titles(
            dict.fromkeys(workspace.connection for workspace in candidates)
        )
        sentence = fill(answers.WHICH, name=candidates[0].title, titles=titles_of_connections)
    elif len(candidates) > 1 and all(title.startswith(fold(name)) for title in titles):
        sentence = fill("More than one of your workspaces begins with *{name}*. Which one?", name=name)
    example = request.fill(answers.WHICH_AT, verb=Markup(request.verb), example=labels[0])
    more = example if len(candidates) > 1 else ""
    buttons = await make_choice_buttons(request, candidates, labels)
    return replies.ask(sentence, buttons, more=more)


async def read_stale_and_rows(request: Request) -> tuple[list[Account], list[Workspace]]:
    """Return the accounts whose lists are out of date, and the user's workspaces.

    The workspaces are read last, so if a list arrives in between, they already include it.
    """
    old = await request.caller.read(snapshots.list_stale, TaskKind.DISCOVER, request.deferred.looked)
    return old, await request.services.store.perform(workspaces.read_workspaces, request.principal)


async def answer_unknown_name(
    request: Request,
    name: str,
    rows: Sequence[Workspace],
    old: Sequence[Account],
    near: Sequence[Workspace],
) -> Answer:
    """Answer that nothing has this name, suggest similar names, and reread outdated lists.

    ``old`` and ``rows`` are from ``read_stale_and_rows``, so ``rows`` already include a list that has arrived
    in between. A list that arrives after that is read again.
    """
    first, _, _ = name.partition(" ")
    for verb, words in (find_verb("workspace", request.verb).otherwise or {}).items():
        if fold_word(first) in words.split():
            return offer_as_command(request.redirect("workspace", verb, ()))
    _, connection = naming.split_connection(name, request.services.connections)
    await require_links(request, [connection] if connection is not None else [])
    await require_no_resting_link(request)
    old = filter_by_connection(old, [connection])
    is_run = request.text.split()[:1] == ["run"] and "job" in routes.list_commands()
    runs = [f"job {normalise_fully(request.text)}"] if is_run and request.verb == "start" else []
    if not rows and not runs:
        return await answer_without_workspaces(request, old)
    promise = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
    if promise:
        return replies.answer(promise)
    sentence = fill("I can't find a workspace called *{name}*.", name=name)
    more: list[str] = [describe_read_failure(request)] if request.deferred.problem else []
    request.notes.note_workspaces(near)
    buttons = await make_choice_buttons(request, near, list_labels(request, near, rows))
    if near:
        suggested = fill(talk.DID_YOU_MEAN, commands=format_bold(workspace.title for workspace in near))
        more.append(answers.NEAREST[len(near) == 1] if buttons else suggested)
    if runs:
        more.append(fill(talk.AS_RUN if near else talk.DID_YOU_MEAN, commands=format_commands(request, runs)))
        buttons = [*buttons, *lists.list_command_buttons(runs, request.services.clock.now())]
    if not more:
        linked = await request.services.store.read(account_rows.list_account_states, request.principal)
        elsewhere = request.services.connections.keys() - linked.keys() if connection is None else ()
        # An assistant is only told that nothing has this name. Offering links would mean sending the person a
        # question.
        links = () if request.surface.via else request.services.make_link_buttons(elsewhere)
        hint = answers.MAY_BE_UNLINKED if links else request.fill("To add one, type `{command}add LINK`.")
        more, buttons = [hint], [replies.list_button(), *map(kit.without_colour, links)]
    return replies.ask(sentence, buttons, more=" ".join(more))


async def make_choice_buttons(
    request: Request, candidates: Sequence[Workspace], labels: Sequence[str]
) -> list[dict[str, object]]:
    """Return a button for each workspace that may be meant. Its label says what a click does."""
    verb = request.variant
    pressed = verb if verb == "wait" else request.verb
    if request.more:
        labels = [
            talk.LONGER.format(name=label, time=times.format_duration(request.more)) for label in labels
        ]
    else:
        declared = verb if request.at is None else pressed
        labels = [await format_label(request, declared, label) or label for label in labels]
    if request.at is not None or request.verb == "keep":
        return buttons.list_timed_buttons(
            pressed, candidates, labels, [find_time(request, workspace) for workspace in candidates]
        )
    return replies.list_choice_buttons(
        pressed, candidates, labels, partial(get_stop_effects, request.services.context)
    )


def list_labels(request: Request, candidates: Sequence[Workspace], rows: Sequence[Workspace]) -> list[str]:
    """Return a label for each workspace.

    If two workspaces have the same name, the labels add the connection.
    """
    return naming.make_labels(candidates, rows, request.services.title)
