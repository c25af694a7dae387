"""What is offered instead of being done at once.

A verb of Usher with the whole name of one workspace is done. Whatever else ends something is a guess: one
button says what it will do (``bot.features.sentences.decisions``).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.operations import Operation, OperationVerb
from bot.domain.stops import StopMode, is_final, planned_mode
from bot.domain.workspaces import DOWN_OR_FAILED, State, Workspace
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.buttons import agreed_button, at_stake, knowing, lost, suspend_button
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import answers, cards, talk, times
from bot.services.feasibility import check_possible, find_final_mode, predict_stop_effects
from bot.store import operations as operation_rows
from bot.support.errors import Refused
from handlers.linking import require_account
from handlers.request import Request

#: The most that one button does something to.
MOST: Final = 20


#: The refusals of what a provider doesn't offer, of any workspace or of this one.
NOT_OFFERED: Final = frozenset({"workspace.no_suspend", "workspace.not_allowed"})
_VERBS: Final = {verb.value: verb for verb in OperationVerb}


def verb_of(request: Request) -> str:
    """Return the verb that was asked for; with ``--force``, a stop is another one."""
    return "force" if request.verb == "stop" and "force" in request.flags else request.verb


async def one(request: Request, workspace: Workspace) -> Answer:
    """Offer to do it to one workspace; if that ends it for good, say so right away."""
    verb, at = verb_of(request), time_of(request, workspace)
    if verb in _VERBS:
        try:
            check_possible(request.services.context, workspace, _VERBS[verb])
        except Refused as refusal:
            if at is None or refusal.rule not in NOT_OFFERED:
                raise
            return await offer_stop(request, workspace, at)
    if at is not None:
        return await _at_its_time(request, workspace, at)
    if verb in _VERBS and ends_for_good(request, workspace, _VERBS[verb]):
        await require_account(request, workspace.connection)
        return await ask_before_ending(request, workspace, _VERBS[verb])
    if verb == "suspend" and at_stake(workspace):
        return await ask_before_suspending(request, workspace)
    return lists.one(verb, workspace, request.services.title(workspace.connection))


def time_of(request: Request, workspace: Workspace) -> float | None:
    """Return the time that was asked for, which may depend on what is planned for a workspace."""
    if request.more:
        return (workspace.stop_at or request.services.clock.now()) + request.more
    return request.at


async def offer_stop(request: Request, workspace: Workspace, at: float) -> Answer:
    """Say that a workspace can't be suspended, and offer to stop it at that time, which may ask first."""
    is_end = is_final(predict_stop_effects(request.services.context, workspace), "stop")
    zone = await request.services.store.zone(request.principal)
    then = times.format_label(at, request.services.clock.now(), zone, request.text)
    then = then if " at " in then else f"at {then}"
    button = kit.button(
        (cards.END_AT if is_end else cards.STOP_AT).format(then=then),
        buttons.changing("stop", workspace, at=at),
    )
    return replies.answer(request.fill(cards.CANT_SUSPEND, workspace), [button])


async def label_of(request: Request, verb: str, name: str) -> str:
    """Return the words of a button: what it does to what, and when, in the person's own zone."""
    if request.at is None:
        return talk.DO_ONE[verb].format(name=name)
    zone = await request.services.store.zone(request.principal)
    then = times.format_label(request.at, request.services.clock.now(), zone, request.text)
    is_until = talk.DO_AT[verb].endswith("until {then}")
    return talk.DO_AT[verb].format(name=name, then=then if is_until or " at " in then else f"at {then}")


async def _at_its_time(request: Request, workspace: Workspace, at: float) -> Answer:
    """Offer what was asked for a later time: the button keeps that time."""
    sentence = fill(talk.AT_ITS_TIME, name=workspace.title, at=kit.moment(at, request.services.clock.now()))
    label = await label_of(replace(request, at=at), request.verb, line(workspace.title))
    (button,) = buttons.choices(request.verb, [workspace], [label], [at])
    about = Referents(workspaces=(workspace.id,), what=request.verb, ask=kit.ButtonValue.of(button).text)
    return replace(replies.answer(sentence, [button]), about=about)


def ends_for_good(request: Request, workspace: Workspace, verb: OperationVerb) -> bool:
    """Return whether an operation would end a workspace for good, as it was last read."""
    return find_final_mode(request.services.context, workspace, verb) is not None


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
    about = Referents(workspaces=(workspace.id,), what=str(verb), takes_press=True)
    return replace(replies.answer(sentence, buttons), about=about)


async def ask_before_suspending(request: Request, workspace: Workspace) -> Answer:
    """Ask whether a workspace may be suspended that was busy, or had unsaved changes."""
    check_possible(request.services.context, workspace, OperationVerb.SUSPEND)
    await require_account(request, workspace.connection)
    about = Referents(workspaces=(workspace.id,), what="suspend", takes_press=True)
    return replace(replies.question(suspend_button(workspace)), view=None, about=about)


def is_known(request: Request) -> bool:
    """Return whether a verb can be done to several at once."""
    return verb_of(request) in (talk.SEVERAL if request.at is None else talk.SEVERAL_AT)


async def needed(request: Request, rows: Sequence[Workspace]) -> list[Workspace]:
    """Return those about which a verb would change anything, as far as is known."""
    operations = await request.services.store.read(operation_rows.open_operations, request.principal)
    under_way = {one.workspace_id: one for one in operations}
    at = request.at or request.more or None
    return [one for one in rows if is_needed(verb_of(request), one, under_way.get(one.id), at)]


async def several(
    request: Request, rows: Sequence[Workspace], *, are_named: bool, besides: Sequence[Workspace]
) -> Answer:
    """Offer to do it to several workspaces with one button, which says exactly to which.

    ``besides`` are left out; if the others were named, those that don't fit are said to be, too.
    """
    services, verb = request.services, verb_of(request)
    at = request.at
    if not is_known(request) or request.more:
        example = rows[0].title if rows else answers.EXAMPLE
        return replies.hint(
            request.fill(talk.ONE_BY_ONE, verb=Markup(answers.TYPED.get(verb, verb)), example=example)
        )
    changing = await needed(request, rows)
    fitting = [one for one in changing if is_possible(request, one)]
    if changing and not fitting:
        # Nowhere: the refusal says why.
        check_possible(services.context, changing[0], _VERBS[verb])
    chosen, left = fitting[:MOST], fitting[MOST:]
    named = rows if are_named else ()
    remarks = _remarks(request, [*named, *besides], fitting)
    if left:
        remarks.append(fill(talk.SEVERAL_MOST, most=Markup(str(MOST))))
    if not chosen:
        return _nothing(request, named)
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
    is_down = workspace.state in DOWN_OR_FAILED
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
            return not is_going_down and (is_coming_up or not workspace.is_down)
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
    latest = await request.services.store.read(operation_rows.latest_operation, workspace.id)
    state = "d" if workspace.state in DOWN_OR_FAILED else "g" if workspace.state is State.GONE else "u"
    return f"{workspace.id}.{state}{latest.id[-6:] if latest is not None else ''}"


def _row(request: Request, verb: str, workspace: Workspace) -> lists.ListRow:
    services = request.services
    title = services.title(workspace.connection)
    mode = find_final_mode(services.context, workspace, _VERBS[verb]) if verb in _VERBS else None
    if request.at is not None:
        mode = final_mode_then(request, verb, workspace)
    effect = predict_stop_effects(services.context, workspace).get(mode) if mode is not None else None
    return lists.ListRow(workspace, title, effect)


def final_mode_then(request: Request, verb: str, workspace: Workspace) -> StopMode | None:
    """Return how a workspace ends for good at the time that was asked for; None if it doesn't."""
    planned = predict_stop_effects(request.services.context, workspace)
    mode = mode_then(verb, workspace) or planned_mode(planned)
    return mode if is_final(planned, mode) else None


def mode_then(verb: str, workspace: Workspace) -> StopMode | None:
    """Return how a verb with a time stops a workspace; None for however it can be started again."""
    modes: dict[str, StopMode | None] = {"stop": "stop", "suspend": "suspend", "keep": workspace.stop_mode}
    return modes.get(verb)


def _remarks(request: Request, named: Sequence[Workspace], fitting: Sequence[Workspace]) -> list[str]:
    """Say which of those that were named are left out."""
    fits = {one.id for one in fitting}
    out = [_state(request, one) for one in named if one.id not in fits]
    return [fill(talk.SEVERAL_LEFT_OUT, names=Markup(", ".join(out)))] if out else []


def _nothing(request: Request, named: Sequence[Workspace]) -> Answer:
    if not named:
        return replies.hint(request.fill(talk.NONE_AT_ALL))
    names = Markup(", ".join(_state(request, one) for one in named[:MOST]))
    return replies.hint(fill(talk.NONE_OF_THEM, names=names))


def _state(request: Request, workspace: Workspace) -> str:
    return lists.in_its_state(request.services.clock.now(), workspace, talk.SEVERAL_STATE)
