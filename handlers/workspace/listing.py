"""A user's list of workspaces, and the verbs for its entries: show, add, name, forget, start."""

import json
from dataclasses import replace
from typing import Any, Final

from bot.domain.notices import Answer
from bot.domain.operations import OperationVerb
from bot.domain.surfaces import Surface
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import UP_STATES, State, Workspace
from bot.messages.blocks import buttons, kit, limits, lists, replies
from bot.messages.blocks import forms as drawn
from bot.messages.blocks.button_values import AGREED, ButtonValue
from bot.messages.blocks.cards import format_opening
from bot.messages.blocks.kit import fill, line
from bot.messages.texts import answers, cards, talk, times, verbs
from bot.messages.verb import Effect, Offer, Opposite, Verb
from bot.services import naming, snapshots
from bot.services.workspaces import (
    add_workspace,
    forget_workspace,
    note_opening,
    rank_workspace,
    relist_workspace,
    request_status_read,
    require_workspace,
    set_alias,
    shorten_list,
)
from bot.store import accounts as account_rows
from bot.store import operations
from bot.store import workspaces as workspace_rows
from bot.support.pool import run_beside_loop
from handlers.dispatch import run_button
from handlers.helping import list_new_workspace_step
from handlers.linking import describe_resting_links, offer_all_links, require_account
from handlers.requests import list_filters, routes, vocabulary
from handlers.requests.command_line import Quoted, drop_words, fold_word, parse_new_name
from handlers.requests.payload import find_value
from handlers.requests.request import Request
from handlers.requests.suggestions import offer_commands, write_command
from handlers.snapshots import filter_by_connection, refresh_in_background
from handlers.workspace.confirmations import read_operations_under_way
from handlers.workspace.operations import answer_gone, show_current
from handlers.workspace.opposites import read_carried
from handlers.workspace.targets import (
    answer_without_workspaces,
    list_labels,
    read_stale_and_rows,
    read_workspace,
    require_by_name,
)
from handlers.workspace.waitlist import show_waitlist

#: Operations after which the workspace's URL works.
_STARTS: Final = (OperationVerb.START, OperationVerb.CREATE)
#: The word that buttons use to request the whole list.
SHOW_ALL: Final = "all"
#: The argument that makes ``list`` show the waitlist instead of workspaces.
SHOW_QUEUE: Final = "waiting"


@routes.verb(
    Verb(
        usage="list",
        summary="show your workspaces",
        more=(
            "This is also what you get without a verb. `list all` shows all of them, page by page.",
            "`list running`, `list CONNECTION` and `list NAME` show only some of them.",
            "`list waiting` shows your place in the queue for room, and how many people wait, without names.",
        ),
        order=10,
        effect=Effect.SHOWS,
        accepts=("connection", "words"),
        also="ls ps dir workspaces mine all overview dashboard",
        former={"waiting": "list waiting"},
        alone="List",
    )
)
async def show_list(request: Request) -> Answer:
    """List running and recent workspaces. ``list all``, ``list 2`` and *More* show pages of all workspaces.

    Words filter the list by state, connection or name. The list's buttons keep the filter.
    """
    services = request.services
    lead, *rest = drop_words(request.arguments, vocabulary.LIST_WORDS) or ("",)
    is_rest_known = not rest or naming.find_connection(" ".join(rest), services.connections) is not None
    if fold_word(lead) == SHOW_QUEUE and is_rest_known:
        return await show_waitlist(request)
    # A button in the list carries the page, and redraws the list in place. Any other button requests a new
    # list.
    is_redrawn = request.surface.kind == "button" and request.target is not None
    if not request.text and not is_redrawn:
        request = replace(request, text="list")
    rows = await services.store.perform(workspace_rows.read_workspaces, request.principal)
    if not rows:
        old, rows = await read_stale_and_rows(request)
        if not rows:
            return await answer_without_workspaces(request, old)
    stale = await request.caller.read(snapshots.list_stale, TaskKind.DISCOVER, request.deferred.looked)
    page, given = list_filters.parse_page(request)
    is_all = not vocabulary.EVERYTHING.isdisjoint(map(fold_word, given))
    typed = () if is_all and list_filters.is_unfiltered(given) else given
    part = await run_beside_loop(rows, list_filters.filter_workspaces, typed, rows, services.connections)
    stale = filter_by_connection(stale, [] if part is None else [part.connection])
    reads = await refresh_in_background(request, TaskKind.DISCOVER, stale, answers.OLD_SNAPSHOT)
    if part is not None and not part.rows:
        return list_filters.answer_no_matches(
            request, part, answers.WORKSPACES, "list", [replies.list_button()], reads
        )
    not_set_up = services.describe_not_set_up(workspace.connection for workspace in rows)
    resting = await describe_resting_links(request)
    under_way = await read_operations_under_way(request)
    # Leave out workspaces on connections that are no longer set up.
    matching_rows = [
        workspace
        for workspace in (rows if part is None else part.rows)
        if workspace.connection in services.connections
    ]
    ranked = sorted(matching_rows, key=lambda workspace: rank_workspace(workspace, under_way))
    is_whole = part is not None or page > 1 or is_all or request.surface.via == "assistant"
    short = ranked if is_whole else shorten_list(ranked, under_way)
    is_short = lists.AT_A_GLANCE < len(ranked) > len(short) and 0 < len(short) <= lists.PAGE_SIZE
    workspace = kit.get_page(short if is_short else ranked, page, lists.PAGE_SIZE)
    request.notes.note_workspaces(workspace.shown)
    shown = await services.gatherer.describe_workspaces(request.principal, workspace.shown, under_way)
    if lists.explains(shown, request.failed_connection):
        reads = ""
    hint = f"{list_filters.describe_count(request, part, len(rows))} {reads} {not_set_up} {resting}"
    what, filter_words = list_filters.describe_selection(request, part, answers.WORKSPACES)
    return lists.workspace_list(
        shown,
        page=workspace,
        count=len(ranked) if is_short else 0,
        remark=hint.strip(),
        replaces=is_redrawn or request.deferred.updates,
        more=await list_new_workspace_step(services, request.principal),
        what=what,
        words=filter_words or (SHOW_ALL if is_all else ""),
    )


@routes.verb(
    Verb(
        usage="status NAME",
        summary="show what a workspace is doing",
        more=(
            "The answer says when I last checked. I check again in the background.",
            "It also says when a start is likely to be done, or how long one usually takes.",
        ),
        order=170,
        effect=Effect.SHOWS,
        accepts=("workspace",),
        also="state stat stats info describe inspect check",
        former={"eta [NAME]": "status"},
        has_choice_buttons=True,
        does="Show {rest}",
        offer=Offer(button="Show {name}"),
    )
)
async def show_status(request: Request) -> Answer:
    """Answer with a workspace's open operation. If it has none, answer with its state.

    If no name is given, answer with the list, unless the user has exactly one workspace.
    """
    if request.target is None:
        rows = await request.services.store.perform(workspace_rows.read_workspaces, request.principal)
        if len(rows) != 1:
            return await show_list(request)
        request = replace(request, target=rows[0].id)
    workspace = await read_workspace(request)
    usual = await request.services.store.read(operations.estimate_usual_seconds, workspace)
    more = "" if usual is None else fill("A start usually takes {usual}.", usual=times.format_roughly(usual))
    return await show_current(request, workspace, more=more if workspace.is_down else "")


@routes.verb(
    Verb(
        usage="open NAME",
        summary="get the button that opens a running workspace",
        more=("Only you see it, and it only works with your own account.",),
        order=190,
        effect=Effect.SHOWS,
        accepts=("workspace",),
        also="enter visit goto url address öffne öffnen",
        heard="link get where",
        has_choice_buttons=True,
        offer=Offer(button="Open {name}"),
    )
)
async def show_address(request: Request) -> Answer:
    """Answer with the button that opens the workspace. If it can't be opened, say why."""
    services = request.services
    workspace = await read_workspace(request)
    await require_account(request, workspace.connection)
    if workspace.state is State.GONE:
        return answer_gone(request, workspace)
    operation = await services.store.read(operations.find_latest_operation, workspace.id)
    is_up = workspace.state is State.RUNNING
    if operation is not None and operation.is_open and not (is_up and operation.verb in _STARTS):
        # The URL of a workspace doesn't work while the workspace is being stopped or restarted.
        return lists.card_answer(await services.gatherer.describe_workspace(workspace, operation))
    facts = await services.gatherer.describe_workspace(workspace)
    if is_up:
        if facts.ide_url:
            await request.caller.run(note_opening, workspace.id)
            head = fill("*{name}* · {title}", name=workspace.title, title=facts.connection_title)
            lines = [head, *filter(None, [format_opening(facts)]), *buttons.list_end_lines(facts)]
            return replies.answer(kit.join(lines, "\n"), buttons.open_buttons(facts))
        await request.caller.run(request_status_read, workspace.id)
        return replies.answer(format_opening(facts), buttons.open_buttons(facts))
    if buttons.get_wait(facts) is not None:
        return lists.status_answer(facts, workspace)
    can_start = workspace.is_own or workspace.allows("start")
    template = answers.NOT_RUNNING if can_start else "*{name}* {being}, and I can't start it. Ask its owner."
    sentence = lists.format_in_state(facts.now, facts.zone, workspace, template)
    return replies.ask(sentence, [buttons.start_button(workspace)] if can_start else [])


@routes.verb(
    Verb(
        usage="add LINK|ID [NAME]",
        summary="add a workspace by its link or id, if it isn't listed",
        more=("`add NAME` brings back a workspace that you took off your list.",),
        group="list",
        order=200,
        accepts=("words",),
    )
)
async def add(request: Request) -> Answer:
    """Add the workspace with a given link or id, on the connection that recognises it."""
    if not request.arguments:
        return replies.hint(request.fill(answers.ADD_USAGE))
    brought_back = await _bring_back_named(request)
    if brought_back is not None:
        return brought_back
    reference, rest = _split_reference(request)
    connections = request.services.connections
    links = filter(naming.to_link, rest)
    if others := [link for link in links if naming.find_references(link, connections)]:
        commands = [write_command(request, "add", word.rstrip(",")) for word in (reference, *others)]
        return offer_commands(request, commands[: buttons.MAX_CHOICES], talk.ONE_BY_ONE)
    name = parse_new_name(rest) if rest else None
    references = naming.find_references(reference, connections)
    if not references:
        return await _answer_unknown_reference(request)
    if len(references) > 1:
        # If an id is recognised by several connections, take those that the user has linked.
        linked_at = {
            account.connection
            for account in await request.services.store.read(account_rows.list_accounts, request.principal)
        }
        references = {
            name: remote_id for name, remote_id in references.items() if name in linked_at
        } or references
    if len(references) > 1:
        example = f"{line(reference)}@{request.services.title(min(references))}"
        titles = request.services.titles(references)
        return replies.hint(request.fill(answers.ADD_AMBIGUOUS, titles=titles, example=example))
    connection, remote_id = next(iter(references.items()))
    await require_account(request, connection)
    added = await request.caller.run(
        add_workspace, connection, remote_id, naming.normalise_alias(name) if name is not None else None
    )
    title = request.services.title(connection)
    return replies.answer(fill(answers.ADDED, name=added.title, title=title), [replies.list_button()])


def _split_reference(request: Request) -> tuple[str, tuple[str, ...]]:
    """Return the link or id, and the words after it.

    If there is a title after an @, it may have several words.
    """
    given = request.arguments
    for count in range(len(given), 1, -1):
        text = " ".join(given[:count])
        _, connection = naming.split_connection(text, request.services.connections)
        if "@" in given[0] and connection is not None:
            return text, given[count:]
    return given[0], given[1:]


async def _bring_back_named(request: Request) -> Answer | None:
    rows = await request.services.store.perform(
        workspace_rows.read_workspaces, request.principal, hidden=True
    )
    hidden = [] if "://" in request.name else [row for row in rows if row.hidden]
    matching = naming.find_whole(request.name, hidden, request.services.connections)
    if not matching:
        return None
    if matching[1:]:
        labels = list_labels(request, matching, hidden)
        return offer_commands(request, [write_command(request, "add", label) for label in labels])
    await require_account(request, matching[0].connection)
    return _answer_brought_back(request, await request.caller.run(relist_workspace, matching[0].id))


async def _answer_unknown_reference(request: Request) -> Answer:
    accounts = await request.services.store.read(account_rows.list_accounts, request.principal)
    if not accounts:
        return await offer_all_links(request)
    titles = request.services.titles(account.connection for account in accounts)
    return replies.hint(fill(answers.ADD_UNKNOWN, titles=titles))


@routes.verb(
    Verb(
        usage="alias NAME NEW-NAME",
        summary="give a workspace a name of your own",
        more=(
            "Put names with spaces in quotes.",
            "`alias NAME --clear` goes back to its original name.",
        ),
        group="list",
        order=210,
        flags=("clear",),
        accepts=("workspace", "words"),
        also="rename",
        heard="call name",
        does="Rename {rest}",
        opposite=Opposite(cards.CHANGE_BACK, "alias_back"),
    )
)
async def change_alias(request: Request) -> Answer:
    """Give a workspace a name that the user has chosen. With ``--clear``, remove that name."""
    if "clear" in request.flags and request.arguments:
        workspace = await require_by_name(request, request.name)
        changed = await request.caller.run(set_alias, workspace.id, None)
        return _answer_renamed(fill(answers.UNALIASED, name=workspace.name), workspace, changed)
    if len(request.arguments) < 2:
        return replies.hint(request.fill(answers.ALIAS_USAGE))
    workspace, alias = await _split_alias(request)
    changed = await request.caller.run(set_alias, workspace.id, naming.normalise_alias(alias))
    return _answer_renamed(fill(answers.REALIASED, old=workspace.title, name=alias), workspace, changed)


def _answer_renamed(sentence: str, before: Workspace, after: Workspace) -> Answer:
    carried = json.dumps([before.alias, after.alias], ensure_ascii=False)
    back = [] if before.alias == after.alias else buttons.list_opposite_button("alias", after, carried)
    return replies.answer(sentence, back)


def _read_alias(carried: str | None) -> str | None:
    return None if carried is None else naming.normalise_alias(carried)


@routes.action("alias_back")
async def restore_alias(request: Request) -> Answer:
    """Give a workspace its previous name back, unless it has been renamed again since."""
    key, (before, after) = read_carried(request, lambda carried: [*map(_read_alias, carried)])
    workspace = await request.caller.read(require_workspace, "alias", key)
    if workspace.alias != after:
        return replies.hint(fill("It's called *{name}* on your list now.", name=workspace.title))
    changed = await request.caller.run(set_alias, workspace.id, before)
    return replies.answer(fill(answers.REALIASED, old=workspace.title, name=changed.title), replaces=True)


async def _split_alias(request: Request) -> tuple[Workspace, str]:
    rows = await request.services.store.perform(workspace_rows.read_workspaces, request.principal)
    given, connections = request.arguments, request.services.connections
    for count in range(1 if isinstance(given[0], Quoted) else len(given) - 1, 1, -1):
        name = " ".join(given[:count])
        if await run_beside_loop(rows, naming.find_whole, name, rows, connections):
            return await require_by_name(request, name), parse_new_name(given[count:])
    return await require_by_name(request, given[0]), parse_new_name(given[1:])


@routes.verb(
    Verb(
        usage="forget NAME",
        summary="take a workspace off your list, without deleting it",
        group="list",
        order=240,
        effect=Effect.ENDS,
        flags=(AGREED,),
        accepts=("workspace",),
        also="hide",
        otherwise={"unlink": "account accounts me login"},
        has_choice_buttons=True,
        does="Take {rest} off my list",
        offer=Offer(
            text="This will take *{name}* off your list. It stays as it is on {title}.",
            button="Take {name} off my list",
        ),
        bulk=Offer(
            text="This will take these {count} workspaces off your list. They stay as they are.",
            done="{names} are off your list.",
        ),
        opposite=Opposite("Bring back", "bring_back", "Bring {name} back"),
        each=forget_workspace,
    )
)
async def forget(request: Request) -> Answer:
    """Take a workspace off the list. The answer offers a button and a command that bring it back."""
    workspace = await read_workspace(request)
    await request.caller.run(forget_workspace, workspace.id)
    runs_on = (
        [fill(answers.FORGOTTEN_RUNNING, state=workspace.state.value)] if workspace.state in UP_STATES else []
    )
    said = kit.join([request.fill(answers.FORGOTTEN, workspace), *runs_on])
    return replies.answer(said, buttons.list_opposite_button("forget", workspace))


@routes.action("bring_back")
async def bring_back(request: Request) -> Answer:
    """Put a workspace back on the list, after it was taken off."""
    workspace = await request.caller.read(require_workspace, "add", request.target or "")
    await require_account(request, workspace.connection)
    back = await request.caller.run(relist_workspace, workspace.id)
    return replace(_answer_brought_back(request, back), replaces=True)


def _answer_brought_back(request: Request, back: Workspace) -> Answer:
    return replies.answer(request.fill(answers.BROUGHT_BACK, back), [replies.list_button()])


@routes.options("workspace")
async def complete(request: Request) -> list[dict[str, Any]]:
    """Return the workspaces that match the text typed so far. If none do, return those with similar names."""
    rows = await request.services.store.perform(workspace_rows.read_workspaces, request.principal)
    chosen = await run_beside_loop(rows, naming.suggest, request.name, rows, limits.MAX_SELECT_OPTIONS)
    return [
        {
            "text": kit.plain(kit.line(label, limits.MAX_OPTION_LENGTH), limits.MAX_OPTION_LENGTH),
            "value": workspace.id,
        }
        for workspace, label in zip(chosen, list_labels(request, chosen, rows), strict=True)
    ]


@routes.shortcut("start_workspace")
async def start_workspace(request: Request) -> Answer:
    """Open the form for starting a workspace. If the user has no workspaces, say how to get one."""
    services = request.services
    # If an account has to be linked or a list has to be read first, the command that runs afterwards is
    # ``list``, because by then it is too late to open a form.
    request = replace(request, verb="list", text="list")
    old, rows = await read_stale_and_rows(request)
    rows = [workspace for workspace in rows if workspace.connection in services.connections]
    if not rows:
        # The answer about the empty list explains what Usher is.
        await services.greeted.greet(request.principal)
        return await answer_without_workspaces(request, old)
    if old:
        await request.caller.run(snapshots.request_read, TaskKind.DISCOVER, [account.id for account in old])
    # If there are too many workspaces for a menu, users search for one instead, and no states are shown.
    shown = rows if len(rows) <= limits.MAX_SELECT_OPTIONS else []
    labels = list_labels(request, shown, rows)
    found = await services.gatherer.describe_workspaces(
        request.principal, shown, await read_operations_under_way(request)
    )
    states = [lists.format_choice_state(facts, one) for facts, one in zip(found, shown, strict=True)]
    keys = [one.id for one in shown]
    view = drawn.start_view(list(zip(keys, labels, states, strict=True)))
    return Answer(text=verbs.START_TITLE, view=view)


@routes.view("start_workspace")
async def start_chosen(request: Request) -> Answer:
    """Start the workspace that was chosen in the form, as its button would. The answer replaces the form."""
    given = request.surface
    surface = Surface("button", interaction=given.interaction, view_external_id=given.view_external_id)
    press = ButtonValue("start", find_value(request.view, drawn.START_FIELD))
    return await run_button(request.services, request.principal, surface, press)
