"""Offers operations instead of carrying them out immediately. Each offer's button says what it will do.

A command that names its workspaces is carried out immediately, unless something in them may be lost
(``handlers.commands``).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.notices import Answer
from bot.domain.operations import Operation, OperationVerb
from bot.domain.stops import StopMode, choose_planned_mode, is_final
from bot.domain.workspaces import DOWN_OR_FAILED_STATES, DOWN_STATES, UP_STATES, State, Workspace
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.button_values import AGREED
from bot.messages.blocks.buttons import (
    agreed_button,
    format_cost,
    format_stop_risk,
    get_consent,
    suspend_button,
)
from bot.messages.blocks.kit import Markup, fill, line, safe
from bot.messages.texts import answers, cards, talk, times
from bot.messages.texts.refusals import explain_refusal
from bot.messages.verb import find_verb
from bot.services import waitlist
from bot.services.feasibility import check_possible, find_final_mode, predict_stop_effects
from bot.store import operations as operation_rows
from bot.support.errors import Refused
from handlers.linking import require_account
from handlers.requests.request import Request

MAX_BULK_WORKSPACES: Final = 20


#: Reasons for refusing a stop that lead to an offer of another kind of stop: the provider doesn't support the
#: kind requested, or doesn't currently allow it for this workspace.
NOT_OFFERED: Final = frozenset({"workspace.no_suspend", "workspace.not_allowed"})
#: Verbs that interrupt whatever is running in a workspace.
_INTERRUPTING_VERBS: Final = frozenset({"stop", "suspend", "restart"})
_OPERATION_VERBS: Final = {verb.value: verb for verb in OperationVerb}
#: States in which a stop has nothing left to do: the workspace is down, or already stopping.
_DOWN: Final = DOWN_STATES | {State.STOPPING}
_REACHED: Final = {"start": UP_STATES, "wait": UP_STATES, "stop": _DOWN, "suspend": _DOWN, "force": _DOWN}


async def offer_for_one(request: Request, workspace: Workspace) -> Answer:
    """Offer the request's verb for one workspace. If it would end the workspace for good, say so."""
    verb, at = request.variant, find_time(request, workspace)
    if verb in _OPERATION_VERBS:
        try:
            check_possible(request.services.context, workspace, _OPERATION_VERBS[verb])
        except Refused as refusal:
            if at is None or refusal.rule not in NOT_OFFERED:
                raise
            return await offer_stop(request, workspace, at)
    if at is not None:
        return await _offer_at_time(request, workspace, at)
    if verb in _OPERATION_VERBS and is_final_operation(request, workspace, _OPERATION_VERBS[verb]):
        await require_account(request, workspace.connection)
        return await ask_before_ending(request, workspace, _OPERATION_VERBS[verb])
    if verb == "suspend" and format_stop_risk(workspace):
        return await ask_before_suspending(request, workspace)
    return lists.offer_workspace(verb, workspace, request.services.title(workspace.connection))


def find_time(request: Request, workspace: Workspace) -> float | None:
    """Return the requested time. An extension counts from the planned stop or, if there is none, from now."""
    if request.more:
        return (workspace.stop_at or request.services.clock.now()) + request.more
    return request.at


async def offer_stop(request: Request, workspace: Workspace, at: float) -> Answer:
    """Say that a workspace can't be suspended, and offer to stop it at the same time instead."""
    is_end = is_final(predict_stop_effects(request.services.context, workspace), "stop")
    zone = await request.services.store.zone(request.principal)
    then = times.format_label(at, request.services.clock.now(), zone, request.text)
    then = then if " at " in then else f"at {then}"
    button = kit.button(
        ("End it {then}" if is_end else "Stop it {then}").format(then=then),
        buttons.make_change("stop", workspace, at=at),
    )
    return replies.answer(request.fill(cards.CANT_SUSPEND, workspace), [button])


async def format_label(request: Request, verb: str, name: str) -> str:
    """Return a button's label: the verb, the workspace, and the time in the user's time zone."""
    if request.at is None:
        return find_verb("workspace", verb).offer.button.format(name=name)
    zone = await request.services.store.zone(request.principal)
    then = times.format_label(request.at, request.services.clock.now(), zone, request.text)
    template = find_verb("workspace", verb).button_at
    is_until = template.endswith("until {then}")
    return template.format(name=name, then=then if is_until or " at " in then else f"at {then}")


async def _offer_at_time(request: Request, workspace: Workspace, at: float) -> Answer:
    sentence = fill(talk.AT_ITS_TIME, name=workspace.title, at=await request.format_time(at))
    label = await format_label(replace(request, at=at), request.verb, line(workspace.title))
    (button,) = buttons.list_timed_buttons(request.verb, [workspace], [label], [at])
    return replies.ask(sentence, [button])


def is_final_operation(request: Request, workspace: Workspace, verb: OperationVerb) -> bool:
    """Return whether an operation would end a workspace for good, judging by the last read."""
    return find_final_mode(request.services.context, workspace, verb) is not None


async def ask_before_ending(request: Request, workspace: Workspace, verb: OperationVerb) -> Answer:
    """Ask whether to end a workspace for good, and say what would be lost and what would be kept."""
    facts = await request.services.gatherer.describe_workspace(workspace)
    mode: StopMode = "force" if verb is OperationVerb.FORCE else "stop"
    effect, label = {
        OperationVerb.RESTART: (answers.RENEW_EFFECT, "End it and start a new one"),
        OperationVerb.FORCE: (cards.CONFIRM_FORCE_END[1], cards.END),
    }.get(verb, (cards.CONFIRM_END[1], cards.END))
    ask = fill(answers.TO_CONTINUE, button=label)
    cost = format_cost(workspace, facts.effects[mode])
    sentence = f"{fill(effect, name=Markup(f'*{line(workspace.title)}*'), lost=cost)} {ask}"
    buttons = [agreed_button(label, str(verb), workspace)]
    if facts.may("suspend") and workspace.state is State.RUNNING:
        buttons.append(suspend_button(workspace))
    return replies.ask(sentence, buttons)


async def ask_before_suspending(request: Request, workspace: Workspace) -> Answer:
    """Ask whether to suspend a workspace that was busy or had unsaved changes."""
    check_possible(request.services.context, workspace, OperationVerb.SUSPEND)
    await require_account(request, workspace.connection)
    return replace(replies.question(suspend_button(workspace)), view=None, is_question=True)


def may_lose(request: Request, workspace: Workspace) -> bool:
    """Return whether a typed command may lose something, because it forces a stop or interrupts work."""
    if request.press is not None or AGREED in request.flags or request.at is not None:
        return False
    verb = request.variant
    if workspace.state is State.GONE:
        return False
    return verb == "force" or (verb in _INTERRUPTING_VERBS and bool(format_stop_risk(workspace)))


def can_do_several(request: Request) -> bool:
    """Return whether one button can apply the request's verb to several workspaces."""
    declared = find_verb("workspace", request.variant)
    return bool((declared.bulk if request.at is None else declared.bulk_at).text)


async def read_operations_under_way(request: Request) -> dict[str, Operation]:
    """Map the ids of workspaces to the person's open operations on them."""
    operations = await request.services.store.read(operation_rows.open_operations, request.principal)
    return {operation.workspace_id: operation for operation in operations}


async def filter_needed(request: Request, rows: Sequence[Workspace]) -> list[Workspace]:
    """Return the workspaces that the request's verb would change, judging by their rows."""
    under_way, verb = await read_operations_under_way(request), request.variant
    waits = await request.caller.read(waitlist.list_own) if verb == "cancel" else []
    waiting = {one.entry.workspace_id for one in waits}
    at = request.at or request.more or None
    return [one for one in rows if one.id in waiting or is_needed(verb, one, under_way.get(one.id), at)]


async def offer_for_several(request: Request, rows: Sequence[Workspace], *, is_named: bool) -> Answer:
    """Offer the request's verb for several workspaces, with one button for exactly these workspaces.

    If the user named them, also list those to which the verb doesn't apply.
    """
    services, verb = request.services, request.variant
    at = request.at
    changing = await filter_needed(request, rows)
    fitting = [one for one in changing if is_possible(request, one)]
    if changing and not fitting:
        # No provider of these workspaces supports the verb. This call raises the refusal that says why.
        check_possible(services.context, changing[0], _OPERATION_VERBS[verb])
    chosen, too_many = fitting[:MAX_BULK_WORKSPACES], fitting[MAX_BULK_WORKSPACES:]
    named_rows = rows if is_named else ()
    notes = await describe_left_out(request, [one for one in named_rows if one not in fitting])
    if too_many:
        notes.append(fill(talk.SEVERAL_MOST, most=Markup(str(MAX_BULK_WORKSPACES))))
    if not chosen:
        if not named_rows:
            return replies.hint(request.fill(talk.NONE_AT_ALL))
        return replies.hint(fill("There's nothing to do. {states}", states=Markup(" ".join(notes))))
    if len(chosen) == 1:
        return replies.with_remarks(await offer_for_one(request, chosen[0]), notes)
    rows_offered = [_make_row(request, verb, workspace) for workspace in chosen]
    stamps = [
        await make_stamp(request, row.workspace) + "!" * (get_consent(row.workspace) if row.ends else 0)
        for row in rows_offered
    ]
    label = await format_label(request, verb, f"{len(rows_offered)} workspaces")
    when = None if at is None else await request.format_time(at)
    return lists.offer_several(verb, rows_offered, stamps, notes, label, at, when)


def is_needed(verb: str, workspace: Workspace, under_way: Operation | None, at: float | None = None) -> bool:
    """Return whether a verb would change anything about a workspace, judging by the rows."""
    is_down = workspace.state in DOWN_OR_FAILED_STATES
    match verb:
        case "start" | "wait":
            return is_down and not (under_way is not None and not under_way.verb.brings_down)
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
    """Return whether the workspace's provider supports the request's verb."""
    return not _find_refusal(request, workspace)


def _find_refusal(request: Request, workspace: Workspace) -> str:
    verb = request.variant
    if verb not in _OPERATION_VERBS:
        return ""
    try:
        check_possible(request.services.context, workspace, _OPERATION_VERBS[verb])
    except Refused as refusal:
        return explain_refusal(refusal)
    return ""


async def make_stamp(request: Request, workspace: Workspace) -> str:
    """Return a workspace's key with a digest of its state, by which a later change can be noticed."""
    latest = await request.services.store.read(operation_rows.find_latest_operation, workspace.id)
    state = "d" if workspace.state in DOWN_OR_FAILED_STATES else "g" if workspace.state is State.GONE else "u"
    return f"{workspace.id}.{state}{latest.id[-6:] if latest is not None else ''}"


def _make_row(request: Request, verb: str, workspace: Workspace) -> lists.ListRow:
    services = request.services
    title = services.title(workspace.connection)
    mode = (
        find_final_mode(services.context, workspace, _OPERATION_VERBS[verb])
        if verb in _OPERATION_VERBS
        else None
    )
    if request.at is not None:
        mode = find_planned_final_mode(request, verb, workspace)
    effect = predict_stop_effects(services.context, workspace).get(mode) if mode is not None else None
    return lists.ListRow(workspace, title, effect)


def find_planned_final_mode(request: Request, verb: str, workspace: Workspace) -> StopMode | None:
    """Return the mode of a stop at the requested time if it would end the workspace for good.

    Otherwise, return None.
    """
    planned = predict_stop_effects(request.services.context, workspace)
    mode = find_stop_mode(verb, workspace) or choose_planned_mode(planned)
    return mode if is_final(planned, mode) else None


def find_stop_mode(verb: str, workspace: Workspace) -> StopMode | None:
    """Return the mode in which a verb stops a workspace at a given time.

    None leaves the choice to Usher, which prefers a mode after which the workspace can be started again.
    """
    modes: dict[str, StopMode | None] = {"stop": "stop", "suspend": "suspend", "keep": workspace.stop_mode}
    return modes.get(verb)


async def describe_left_out(request: Request, workspaces: Sequence[Workspace]) -> list[str]:
    """For each workspace that is left unchanged, say what state it is in or why it can't be changed."""
    under_way = await read_operations_under_way(request)
    now, zone = request.services.clock.now(), await request.find_zone()
    verb, at = request.variant, request.at or request.more or None
    notes = []
    for one in workspaces:
        operation = under_way.get(one.id)
        if is_needed(verb, one, operation, at) and (why := _find_refusal(request, one)):
            notes.append(fill(talk.NOT_DONE, name=one.title, why=Markup(safe(why))))
        else:
            reached = _REACHED.get(verb, frozenset())
            notes.append(lists.format_in_state(now, zone, one, "*{name}* {being}.", operation, reached))
    return notes
