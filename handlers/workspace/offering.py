"""What is offered instead of being done at once, and the question before something ends for good.

A verb of Usher with the whole name of one workspace is done. Whatever else ends something is a guess: one
button says what it will do (``handlers.deciding``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.notices import Answer, Spoken
from bot.domain.workspaces import Operation, OperationVerb, State, StopMode, Workspace, is_final, planned_mode
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.buttons import agreed_button, at_stake, lost, suspend_button
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import answers as words
from bot.messages.texts import cards, talk
from bot.services.workspaces import effects
from bot.support.errors import Refused
from handlers.command_line import written
from handlers.language.which import Which
from handlers.linking.account import linked
from handlers.request import Request

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
        request.services.workspaces.check_possible(workspace, _VERBS[verb])
    at = time_of(request, workspace)
    if at is not None:
        return _at_its_time(request, workspace, at)
    if verb in _VERBS and ends_for_good(request, workspace, _VERBS[verb]):
        await linked(request, workspace.connection)
        return await ask_before_ending(request, workspace, _VERBS[verb])
    if verb == "suspend" and at_stake(workspace):
        return await ask_before_suspending(request, workspace)
    title = request.services.title(workspace.connection)
    return lists.one(verb, workspace, title)


def time_of(request: Request, workspace: Workspace) -> float | None:
    """Return the time that was asked for, which may depend on what is planned for a workspace."""
    if request.more and workspace.stop_at is not None:
        return workspace.stop_at + request.more
    return request.at


def _at_its_time(request: Request, workspace: Workspace, at: float) -> Answer:
    """Offer what was asked for a later time: the button keeps that time."""
    sentence = fill(talk.AT_ITS_TIME, name=workspace.title, at=kit.moment(at, request.services.clock.now()))
    label = fill(talk.DO_AT[request.verb], name=Markup(line(workspace.title)), then=talk.THEN)
    (button,) = buttons.choices(request.verb, [workspace], [label], [at])
    about = Spoken(workspaces=(workspace.id,), what=request.verb, ask=kit.Press.of(button).text)
    return replace(replies.answer(sentence, [button]), about=about)


def ends_for_good(request: Request, workspace: Workspace, verb: OperationVerb) -> bool:
    """Return whether an operation would end a workspace for good, as it was last read."""
    mode = request.services.workspaces.final_mode(workspace, verb)
    return mode is not None


async def ask_before_ending(request: Request, workspace: Workspace, verb: OperationVerb) -> Answer:
    """Ask whether a workspace may end for good: what is lost, what stays, and what wouldn't end it."""
    facts = await request.services.gatherer.of_workspace(workspace)
    mode: StopMode = "force" if verb is OperationVerb.FORCE else "stop"
    effect, label = {
        OperationVerb.RESTART: (words.RENEW_EFFECT, cards.RENEW),
        OperationVerb.FORCE: (cards.CONFIRM_FORCE_END[1], cards.END),
    }.get(verb, (cards.CONFIRM_END[1], cards.END))
    ask = fill(
        words.TO_CONTINUE,
        button=label,
        command=request.command,
        typed=Markup(words.TYPED[verb]),
        name=typed_name(workspace),
    )
    cost = lost(workspace, facts.effects, mode)
    sentence = f"{fill(effect, name=Markup(f'*{line(workspace.title)}*'), lost=cost)} {ask}"
    buttons = [agreed_button(label, str(verb), workspace)]
    if facts.may("suspend") and workspace.state is State.RUNNING:
        buttons.append(suspend_button(workspace))
    about = Spoken(workspaces=(workspace.id,), what=str(verb), takes_press=True)
    return replace(replies.answer(sentence, buttons), about=about)


async def ask_before_suspending(request: Request, workspace: Workspace) -> Answer:
    """Ask whether a workspace may be suspended that was busy, or had unsaved changes."""
    request.services.workspaces.check_possible(workspace, OperationVerb.SUSPEND)
    await linked(request, workspace.connection)
    sentence = fill(words.SUSPEND_AT_STAKE, name=workspace.title, at_stake=at_stake(workspace))
    about = Spoken(workspaces=(workspace.id,), what="suspend", takes_press=True)
    return replace(
        replies.answer(sentence, [agreed_button(cards.SUSPEND, "suspend", workspace)]), about=about
    )


def typed_name(workspace: Workspace) -> Markup:
    """Return a workspace's name as people type it: in quotes if it has spaces."""
    return Markup(line(written((workspace.title,))))


def is_known(request: Request) -> bool:
    """Return whether a verb can be done to several at once."""
    return verb_of(request) in (talk.DO_SEVERAL if request.at is None else talk.DO_SEVERAL_AT)


async def needed(request: Request, rows: Sequence[Workspace]) -> list[Workspace]:
    """Return those about which a verb would change anything, as far as is known."""
    operations = await request.services.store.open_operations(request.principal)
    under_way = {one.workspace_id: one for one in operations}
    return [one for one in rows if is_needed(verb_of(request), one, under_way.get(one.id), request.at)]


async def several(request: Request, rows: Sequence[Workspace], which: Which) -> Answer:
    """Offer to do it to several workspaces with one button, which says exactly to which."""
    services, verb = request.services, verb_of(request)
    at = request.at
    if not is_known(request) or request.more:
        example = rows[0].title if rows else words.EXAMPLE
        return replies.hint(
            fill(
                talk.ONE_BY_ONE,
                command=request.command,
                verb=Markup(words.TYPED.get(verb, verb)),
                example=example,
            )
        )
    changing = await needed(request, rows)
    fitting = [one for one in changing if _is_possible(request, verb, one)]
    if changing and not fitting:
        # Nowhere: the refusal says why.
        services.workspaces.check_possible(changing[0], _VERBS[verb])
    chosen, left = fitting[:MOST], fitting[MOST:]
    remarks = _remarks(request, rows, which, fitting)
    if left:
        remarks.append(fill(talk.SEVERAL_MOST, most=Markup(str(MOST))))
    if not chosen:
        return _nothing(request, rows, which)
    if len(chosen) == 1:
        offered = await one(request, chosen[0])
        return replies.with_remarks(offered, remarks)
    shown = [_row(request, verb, workspace) for workspace in chosen]
    stamps = [await stamp(request, row.workspace) + ("!" if row.ends else "") for row in shown]
    return lists.several(verb, shown, stamps, remarks, at)


def is_needed(verb: str, workspace: Workspace, under_way: Operation | None, at: float | None = None) -> bool:
    """Return whether a verb would change anything about a workspace, as far as is known."""
    is_down = workspace.state in _DOWN
    match verb:
        case "start":
            return is_down and not (under_way is not None and not under_way.verb.brings_down)
        case "resume":
            return workspace.state is State.SUSPENDED
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


def _is_possible(request: Request, verb: str, workspace: Workspace) -> bool:
    """Return whether the provider can do it at all: nothing else is offered."""
    if verb not in _VERBS:
        return True
    try:
        request.services.workspaces.check_possible(workspace, _VERBS[verb])
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
    mode = services.workspaces.final_mode(workspace, _VERBS[verb]) if verb in _VERBS else None
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
    out = [*(one for one in rows if one not in fitting and which.workspaces), *which.besides]
    if out:
        names = ", ".join(_state(request, one) for one in out)
        remarks.append(fill(talk.SEVERAL_LEFT_OUT, names=Markup(names)))
    return [*remarks, *unknown_remarks(which)]


def unknown_remarks(which: Which) -> list[str]:
    """Say which words name nothing."""
    if not which.unknown:
        return []
    names = Markup(", ".join(fill("*{name}*", name=name) for name in which.unknown[:5]))
    return [fill(talk.SEVERAL_UNKNOWN, names=names)]


def _nothing(request: Request, rows: Sequence[Workspace], which: Which) -> Answer:
    if not which.workspaces:
        return replies.hint(fill(talk.NONE_AT_ALL, command=request.command))
    names = Markup(", ".join(_state(request, one) for one in rows[:MOST]))
    return replies.hint(fill(talk.NONE_OF_THEM, names=names), more="".join(unknown_remarks(which)))


def _state(request: Request, workspace: Workspace) -> str:
    return lists.in_its_state(request.services.clock.now(), workspace, talk.SEVERAL_STATE)
