"""Which workspace a request is about, and what is offered instead of being done at once.

A verb of Usher with the whole name of one workspace is done. Whatever else ends something is a guess: one
button says what it will do (``handlers.deciding``).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from bot.domain.accounts import Account
from bot.domain.notices import Answer, Spoken
from bot.domain.operations import Operation, OperationVerb
from bot.domain.stops import StopMode, is_final, planned_mode
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.buttons import agreed_button, at_stake, knowing, lost, suspend_button
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import answers, cards, talk, times
from bot.services import naming, snapshots
from bot.services.workspaces import check_possible, effects, effects_now, final_mode, owned
from bot.support.cleaning import fold
from bot.support.errors import Refused
from bot.support.pool import beside
from handlers import routes
from handlers.command_line import plain
from handlers.helping import first_steps, what
from handlers.language import vocabulary
from handlers.language.reading import READ, Reading
from handlers.language.which import Which
from handlers.linking import all_linked, link_any, linked
from handlers.request import Answered, Request
from handlers.snapshots import refresh_lists, unread
from handlers.suggesting import as_command, bold, shown


async def typed(request: Request) -> Reading | None:
    """Read a verb with the whole name, in one word, of one workspace; None for anything else.

    That is most of what people type. As a sentence it reads the same, for many times the work.
    """
    match request.arguments:
        case (verb, name) if verb in READ and plain(verb) and (verb, name) not in vocabulary.TALK:
            is_name = request.folder == "workspace" and plain(name) not in vocabulary.OF_JOBS
            found = await _only(request, name) if is_name else None
            if found is not None:
                return Reading("verb", verb, "workspace", (name,), which=Which(((found,),)))
    return None


async def _only(request: Request, name: str) -> Workspace | None:
    """Return the one workspace of which this is the whole name, without reading the others; else None."""
    connections = request.services.connections
    if "://" in name:
        # A link may be to several, whatever they are called.
        return None
    stem, _ = naming.split_connection(name, connections)
    rows = await request.services.store.workspaces_called(request.principal, name, stem)
    found = naming.find_whole(name, rows, connections)
    return found.workspaces[0] if found is not None and found.kind == "one" else None


async def workspace_of(request: Request) -> Workspace:
    """Return the workspace whose key a request carries, from a button or as read; raises Refused."""
    if request.row is not None:
        request.services.context.need(request.row.connection)
        return request.row
    return await request.asked.see(owned, request.verb, request.target or "")


async def named(request: Request, name: str) -> Workspace:
    """Return the workspace with this name; raises Answered if there is none, or more than one."""
    if (only := await _only(request, name)) is not None:
        return only
    rows = await request.services.store.workspaces(request.principal)
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
    await all_linked(request, places)
    found = [one for one in rows if one.connection in places]
    if not found:
        what = fill(answers.ON, what=Markup(answers.WORKSPACES), title=request.services.titles(places))
        raise Answered(replies.hint(fill(answers.NONE_OF_THESE, what=Markup(what))))
    return found


async def nothing_yet(request: Request, old: Sequence[Account]) -> Answer:
    """Answer somebody without workspaces: link, wait for the list, or make one."""
    services = request.services
    linkless = {name for name, _ in services.linkless()}
    links = await services.store.accounts(request.principal)
    accounts = [account for account in links if account.connection not in linkless]
    if not any(account.state == "active" for account in accounts):
        return link_any(request)
    sentence = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
    if sentence:
        return replies.answer(sentence)
    if request.waited.problem:
        return replies.problem(unread(request), request.reference)
    # The list was read and is empty; if none could be read (a server without lists), people use `add`.
    if any(account.discovered_at is not None for account in accounts):
        titles = services.titles(account.connection for account in accounts)
        return await _empty(request, fill(answers.NONE_YET, titles=titles))
    return await _empty(request, request.filled(answers.NONE_BUT_ADD))


async def _empty(request: Request, sentence: str) -> Answer:
    """Answer with an empty list: what Usher is, and what may be done next."""
    steps = await first_steps(request.services, request.principal)
    if request.verb == "list":
        sentence = f"{sentence} {what(request.services)}"
    return replies.answer(sentence, steps)


def which_of_all(request: Request, rows: Sequence[Workspace]) -> Answer:
    """Ask which workspace is meant if no name was given."""
    buttons = choices(request, rows, labels_of(request, rows[: replies.FEW], rows))
    sentence = request.filled(answers.WHICH_OF_ALL, verb=Markup(request.verb))
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
    more = request.filled(answers.WHICH_AT, verb=Markup(request.verb), example=labels[0])
    return _asking(request, replies.hint(sentence, choices(request, found, labels), more=more), found)


def _asking(request: Request, answer: Answer, found: Sequence[Workspace]) -> Answer:
    """Return a question which one is meant, with what it is about."""
    keys = tuple(one.id for one in found)
    about = Spoken(workspaces=keys, ask="which").doing(request.verb, request.at)
    return replace(answer, about=about)


async def old_and_rows(request: Request) -> tuple[list[Account], list[Workspace]]:
    """Return accounts with outdated lists, then the workspaces; a list may arrive in between."""
    old = await request.asked.see(snapshots.stale, TaskKind.DISCOVER, request.waited.looked)
    return old, await request.services.store.workspaces(request.principal)


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
    elsewhere = vocabulary.ELSEWHERE.get(request.verb, {}).get(plain(first))
    if elsewhere is not None:
        return as_command(request.about("workspace", elsewhere, ()))
    _, connection = naming.split_connection(name, request.services.connections)
    await all_linked(request, [connection] if connection is not None else [])
    is_run = request.text.split()[:1] == ["run"] and "job" in routes.commands()
    runs = [f"job {request.text}"] if is_run and request.verb == "start" else []
    if not rows and not runs:
        return await nothing_yet(request, old)
    near = near or await beside(rows, naming.nearest, name, rows)
    promise = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
    if promise:
        return replies.answer(promise)
    sentence = fill(answers.UNKNOWN_NAME, name=name)
    more: list[str] = [unread(request)] if request.waited.problem else []
    buttons = choices(request, near, labels_of(request, near, rows))
    if near:
        suggested = fill(talk.DID_YOU_MEAN, commands=bold(one.title for one in near))
        more.append(answers.NEAREST[len(near) == 1] if buttons else suggested)
    if runs:
        more.append(fill(talk.AS_RUN if near else talk.DID_YOU_MEAN, commands=shown(request, runs)))
        buttons = [*buttons, *lists.command_buttons(runs)]
    if not more:
        more = [request.filled(answers.UNKNOWN_NEXT)]
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
    return replies.choices(request.verb, found, labels, partial(effects_now, request.services.context))


def labels_of(request: Request, found: Sequence[Workspace], rows: Sequence[Workspace]) -> list[str]:
    """Return distinct names: with the connection if two are the same."""
    return naming.labels(found, rows, request.services.title)


#: The most that one button does something to.
MOST: Final = 20
_DOWN: Final = frozenset({State.STOPPED, State.SUSPENDED, State.FAILED})
_VERBS: Final = {verb.value: verb for verb in OperationVerb}


def verb_of(request: Request) -> str:
    """Return the verb that was asked for; with ``--force``, a stop is another one."""
    return "force" if request.verb == "stop" and "force" in request.flags else request.verb


async def one(request: Request, workspace: Workspace) -> Answer:
    """Offer to do it to one workspace; if that ends it for good, say so right away."""
    verb = verb_of(request)
    if verb in _VERBS:
        check_possible(request.services.context, workspace, _VERBS[verb])
    at = time_of(request, workspace)
    if at is not None:
        return await _at_its_time(request, workspace, at)
    if verb in _VERBS and ends_for_good(request, workspace, _VERBS[verb]):
        await linked(request, workspace.connection)
        return await ask_before_ending(request, workspace, _VERBS[verb])
    if verb == "suspend" and at_stake(workspace):
        return await ask_before_suspending(request, workspace)
    return lists.one(verb, workspace, request.services.title(workspace.connection))


def time_of(request: Request, workspace: Workspace) -> float | None:
    """Return the time that was asked for, which may depend on what is planned for a workspace."""
    if request.more:
        return (workspace.stop_at or request.services.clock.now()) + request.more
    return request.at


async def label_of(request: Request, verb: str, name: str) -> str:
    """Return the words of a button: what it does to what, and when, in the person's own zone."""
    if request.at is None:
        return talk.DO_ONE[verb].format(name=name)
    zone = await request.services.store.zone(request.principal)
    then = times.day_in(request.at, request.services.clock.now(), zone).removeprefix("today ")
    return talk.DO_AT[verb].format(name=name, then=then).replace("until at ", "until ")


async def _at_its_time(request: Request, workspace: Workspace, at: float) -> Answer:
    """Offer what was asked for a later time: the button keeps that time."""
    sentence = fill(talk.AT_ITS_TIME, name=workspace.title, at=kit.moment(at, request.services.clock.now()))
    label = await label_of(replace(request, at=at), request.verb, line(workspace.title))
    (button,) = buttons.choices(request.verb, [workspace], [label], [at])
    about = Spoken(workspaces=(workspace.id,), what=request.verb, ask=kit.Press.of(button).text)
    return replace(replies.answer(sentence, [button]), about=about)


def ends_for_good(request: Request, workspace: Workspace, verb: OperationVerb) -> bool:
    """Return whether an operation would end a workspace for good, as it was last read."""
    return final_mode(request.services.context, workspace, verb) is not None


async def ask_before_ending(request: Request, workspace: Workspace, verb: OperationVerb) -> Answer:
    """Ask whether a workspace may end for good: what is lost, what stays, and what wouldn't end it."""
    facts = await request.services.gatherer.of_workspace(workspace)
    mode: StopMode = "force" if verb is OperationVerb.FORCE else "stop"
    effect, label = {
        OperationVerb.RESTART: (answers.RENEW_EFFECT, cards.RENEW),
        OperationVerb.FORCE: (cards.CONFIRM_FORCE_END[1], cards.END),
    }.get(verb, (cards.CONFIRM_END[1], cards.END))
    ask = fill(answers.TO_CONTINUE, button=label)
    cost = lost(workspace, facts.effects[mode])
    sentence = f"{fill(effect, name=Markup(f'*{line(workspace.title)}*'), lost=cost)} {ask}"
    buttons = [agreed_button(label, str(verb), workspace)]
    if facts.may("suspend") and workspace.state is State.RUNNING:
        buttons.append(suspend_button(workspace))
    about = Spoken(workspaces=(workspace.id,), what=str(verb), takes_press=True)
    return replace(replies.answer(sentence, buttons), about=about)


async def ask_before_suspending(request: Request, workspace: Workspace) -> Answer:
    """Ask whether a workspace may be suspended that was busy, or had unsaved changes."""
    check_possible(request.services.context, workspace, OperationVerb.SUSPEND)
    await linked(request, workspace.connection)
    about = Spoken(workspaces=(workspace.id,), what="suspend", takes_press=True)
    return replace(replies.question(suspend_button(workspace)), view=None, about=about)


def is_known(request: Request) -> bool:
    """Return whether a verb can be done to several at once."""
    return verb_of(request) in (talk.SEVERAL if request.at is None else talk.SEVERAL_AT)


async def needed(request: Request, rows: Sequence[Workspace]) -> list[Workspace]:
    """Return those about which a verb would change anything, as far as is known."""
    operations = await request.services.store.open_operations(request.principal)
    under_way = {one.workspace_id: one for one in operations}
    at = request.at or request.more or None
    return [one for one in rows if is_needed(verb_of(request), one, under_way.get(one.id), at)]


async def several(request: Request, rows: Sequence[Workspace], which: Which) -> Answer:
    """Offer to do it to several workspaces with one button, which says exactly to which."""
    services, verb = request.services, verb_of(request)
    at = request.at
    if not is_known(request) or request.more:
        example = rows[0].title if rows else answers.EXAMPLE
        return replies.hint(
            request.filled(talk.ONE_BY_ONE, verb=Markup(answers.TYPED.get(verb, verb)), example=example)
        )
    changing = await needed(request, rows)
    fitting = [one for one in changing if is_possible(request, one)]
    if changing and not fitting:
        # Nowhere: the refusal says why.
        check_possible(services.context, changing[0], _VERBS[verb])
    chosen, left = fitting[:MOST], fitting[MOST:]
    remarks = _remarks(request, rows, which, fitting)
    if left:
        remarks.append(fill(talk.SEVERAL_MOST, most=Markup(str(MOST))))
    if not chosen:
        return _nothing(request, rows, which)
    if len(chosen) == 1:
        return replies.with_remarks(await one(request, chosen[0]), remarks)
    shown = [_row(request, verb, workspace) for workspace in chosen]
    stamps = [
        await stamp(request, row.workspace) + "!" * (knowing(row.workspace) if row.ends else 0)
        for row in shown
    ]
    label = await label_of(request, verb, talk.COUNT.format(count=len(shown)))
    return lists.several(verb, shown, stamps, remarks, label, at)


def is_needed(verb: str, workspace: Workspace, under_way: Operation | None, at: float | None = None) -> bool:
    """Return whether a verb would change anything about a workspace, as far as is known."""
    is_down = workspace.state in _DOWN
    match verb:
        case "start":
            return is_down and not (under_way is not None and not under_way.verb.brings_down)
        case "resume":
            return workspace.state is State.SUSPENDED
        case "cancel":
            return under_way is not None and not under_way.verb.brings_down
        case "keep" if at is None:
            return workspace.stop_at is not None
        case "stop" | "force" | "keep":
            is_going_down = under_way is not None and under_way.verb.brings_down
            is_coming_up = under_way is not None and not under_way.verb.brings_down
            return not is_going_down and (is_coming_up or not (is_down or workspace.state is State.GONE))
        case "restart" | "suspend" | "open":
            return workspace.state is State.RUNNING
        case _:
            return True


def is_possible(request: Request, workspace: Workspace) -> bool:
    """Return whether the provider can do it at all: nothing else is offered."""
    verb = verb_of(request)
    if verb not in _VERBS:
        return True
    try:
        check_possible(request.services.context, workspace, _VERBS[verb])
    except Refused:
        return False
    return True


async def stamp(request: Request, workspace: Workspace) -> str:
    """Return a workspace's key, from which one can later tell whether it has changed."""
    latest = await request.services.store.latest_operation(workspace.id)
    state = "d" if workspace.state in _DOWN else "g" if workspace.state is State.GONE else "u"
    return f"{workspace.id}.{state}{latest.id[-6:] if latest is not None else ''}"


def _row(request: Request, verb: str, workspace: Workspace) -> lists.Row:
    services = request.services
    title = services.title(workspace.connection)
    mode = final_mode(services.context, workspace, _VERBS[verb]) if verb in _VERBS else None
    if request.at is not None:
        mode = final_mode_then(request, verb, workspace)
    effect = effects(services.context, workspace).get(mode) if mode is not None else None
    return lists.Row(workspace, title, effect)


def final_mode_then(request: Request, verb: str, workspace: Workspace) -> StopMode | None:
    """Return how a workspace ends for good at the time that was asked for; None if it doesn't."""
    planned = effects(request.services.context, workspace)
    mode = mode_then(verb, workspace) or planned_mode(planned)
    return mode if is_final(planned, mode) else None


def mode_then(verb: str, workspace: Workspace) -> StopMode | None:
    """Return how a verb with a time stops a workspace; None for however it can be started again."""
    modes: dict[str, StopMode | None] = {"stop": "stop", "suspend": "suspend", "keep": workspace.stop_mode}
    return modes.get(verb)


def _remarks(
    request: Request, rows: Sequence[Workspace], which: Which, fitting: Sequence[Workspace]
) -> list[str]:
    """Say what was named and is left out, and what is not known."""
    remarks = []
    fits = {one.id for one in fitting}
    out = [*(one for one in rows if one.id not in fits and which.workspaces), *which.besides]
    if out:
        names = ", ".join(_state(request, one) for one in out)
        remarks.append(fill(talk.SEVERAL_LEFT_OUT, names=Markup(names)))
    return remarks


def left_out(reading: Reading) -> list[str]:
    """Say which words of what is answered or offered name nothing, and what isn't understood."""
    which = reading.which
    if reading.how or which.is_theirs or reading.kind not in {"verb", "question"}:
        return []
    listed = [word for word in which.unknown if not any(word in phrase.split() for phrase in which.left_out)]
    said = [
        (talk.SEVERAL_UNKNOWN, listed[:5] if which.workspaces else []),
        (talk.LEFT_OUT, which.left_out[:5]),
    ]
    return [fill(template, names=bold(names)) for template, names in said if names]


def _nothing(request: Request, rows: Sequence[Workspace], which: Which) -> Answer:
    if not which.workspaces:
        return replies.hint(request.filled(talk.NONE_AT_ALL))
    names = Markup(", ".join(_state(request, one) for one in rows[:MOST]))
    return replies.hint(fill(talk.NONE_OF_THEM, names=names))


def _state(request: Request, workspace: Workspace) -> str:
    return lists.in_its_state(request.services.clock.now(), workspace, talk.SEVERAL_STATE)
