"""Sets, moves and cancels a workspace's planned stop, with a verb, a typed time, buttons, or a form."""

from dataclasses import replace

from bot.domain import time_parsing
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.stops import PlannedStop, StopMode, choose_planned_mode
from bot.domain.time_parsing import FARTHEST_SECONDS, Moment, Unread
from bot.domain.timers import SOONEST_SECONDS, WARNED_SOONEST_SECONDS
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks import timers as drawn
from bot.messages.blocks.button_values import AGREED
from bot.messages.blocks.buttons import (
    format_day_note,
    format_timer,
    list_earlier_end,
    list_extend_button,
    list_opposite_button,
)
from bot.messages.blocks.kit import fill
from bot.messages.texts import cards, times
from bot.messages.verb import Effect, Offer, Verb
from bot.services.expiries import EXTENSION_SECONDS, request_extension
from bot.services.feasibility import predict_stop_effects
from bot.services.timers import (
    can_stop_later,
    cancel_timer,
    confirm_needed,
    plan_timer,
    postpone_timer,
    set_timer,
)
from bot.services.workspaces import require_workspace
from bot.store import operations
from bot.support.errors import Refused
from handlers.linking import require_account
from handlers.requests import routes
from handlers.requests.payload import find_value
from handlers.requests.request import SILENT, Answered, InvalidFields, Request
from handlers.requests.services import Services
from handlers.workspace import confirmations
from handlers.workspace.targets import read_workspace


@routes.verb(
    Verb(
        usage="keep NAME [until TIME]",
        summary="keep a workspace running past its planned stop",
        more=("`keep NAME until 20:00` stops it then; `keep NAME 1h longer` moves a planned stop.",),
        order=70,
        effect=Effect.STARTS,
        flags=(AGREED,),
        accepts=("workspace", "time"),
        offer=Offer(
            text="This will keep *{name}* on {title} running: any planned stop is cancelled.",
            button="Keep {name} running",
        ),
        button_at="Keep {name} running until {then}",
        bulk=Offer(
            text="This will keep these {count} workspaces running: any planned stop is cancelled.",
            done="I won't stop {names}.",
        ),
        bulk_at=Offer(
            text="This will keep these {count} workspaces running and stop them {at}:",
            done="{names} will keep running. I'll stop them {at}.",
        ),
        each=cancel_timer,
    )
)
async def keep(request: Request) -> Answer:
    """Cancel a planned stop. With a time, as in ``keep NAME until 20:00``, move it."""
    moment = await request.read_moment()
    if moment is None and request.more:
        return await _extend_stop(request)
    workspace = await read_workspace(request)
    if moment is not None:
        return await plan_stop(request, workspace, moment, workspace.stop_mode)
    facts = await request.services.gatherer.describe_workspace(workspace)
    if facts.next_stop is None:
        return replies.answer(fill(cards.NOTHING_PLANNED, name=workspace.title))
    changed = await request.caller.run(cancel_timer, workspace.id)
    return replies.answer(drawn.format_kept(replace(facts, workspace=changed)))


async def _extend_stop(request: Request) -> Answer:
    workspace = await read_workspace(request)
    if workspace.stop_at is None:
        unplanned = fill("*{name}* has no planned stop, so there's nothing to extend.", name=workspace.title)
        if not await confirmations.filter_needed(request, [workspace]):
            return replies.hint(unplanned, more=request.fill(cards.LONGER_NEXT, workspace))
        return replies.with_remarks(await confirmations.offer_for_one(request, workspace), [unplanned])
    moment = Moment(workspace.stop_at + request.more, request.more)
    if moment.at > await request.services.store.now() + FARTHEST_SECONDS:
        text = fill("{time} more", time=times.format_duration(request.more))
        return replies.hint(replies.explain_unread_time(Unread("far"), text, SOONEST_SECONDS))
    return await plan_stop(request, workspace, moment, workspace.stop_mode)


async def plan_stop(request: Request, workspace: Workspace, moment: Moment, mode: StopMode | None) -> Answer:
    """Schedule a stop of a workspace. If it would end the workspace for good, ask for confirmation first.

    If the button's message is out of date, nothing is changed.
    """
    if request.seen not in {None, workspace.generation}:
        facts = await request.services.gatherer.describe_workspace(workspace)
        return lists.status_answer(facts, workspace, remark=request.outdated)
    timer = await make_timer_or_ask(request, workspace, moment, mode)
    title = request.services.title(workspace.connection)
    try:
        changed = await request.caller.run(set_timer, workspace.id, timer)
    except Refused as refusal:
        if refusal.rule != "workspace.not_up":
            raise
        await require_account(request, workspace.connection)
        return _answer_not_up(request, workspace)
    sentences = [
        format_timer(changed, title, await request.format_time(timer.at)),
        *format_day_note(moment),
        *drawn.format_skipped_lesson(changed, request.services.clock.now()),
    ]
    facts = await request.services.gatherer.describe_workspace(changed)
    buttons = list_opposite_button(request.verb, changed, at=timer.at)
    if earlier := list_earlier_end(facts, changed.stop_at):
        sentences, buttons = [*sentences, *earlier], [*buttons, *list_extend_button(facts)]
    return replies.answer(kit.join(sentences), buttons)


def _answer_not_up(request: Request, workspace: Workspace) -> Answer:
    next_ = request.fill("To start it for a while, type `{command}start {typed} for 2h`.", workspace)
    return replies.hint(fill(cards.NOT_UP, name=workspace.title), more=next_)


async def make_timer_or_ask(
    request: Request, workspace: Workspace, moment: Moment, mode: StopMode | None = None
) -> PlannedStop:
    """Return the timer. If it would end the workspace for good, raise Answered with a question.

    If the provider doesn't support this kind of stop, the answer offers another kind.
    """
    agreed, at = AGREED in request.flags, moment.at
    if request.surface.via:
        # The stop can't come sooner, because the owner is warned first. The answer gives the time at which it
        # will come.
        at = max(at, await request.services.store.now() + WARNED_SOONEST_SECONDS)
    try:
        return plan_timer(request.services.context, workspace, at, mode, agreed=agreed)
    except Refused as refusal:
        if refusal.rule in confirmations.NOT_OFFERED:
            raise Answered(await confirmations.offer_stop(request, workspace, moment.at)) from None
        if refusal.rule != "workspace.ends":
            raise
    services = request.services
    provider = services.connections[workspace.connection]
    question = drawn.ask_final_stop(
        workspace,
        services.title(workspace.connection),
        predict_stop_effects(services.context, workspace),
        request.verb,
        moment.at,
        await request.format_time(moment.at),
        can_suspend="suspend" in provider.stop_modes and workspace.allows("suspend"),
    )
    raise Answered(question)


@routes.action("keep_running")
async def keep_running(request: Request) -> Answer:
    """Cancel the planned stop that the message is about."""
    return await _answer_kept_running(
        request, await request.caller.run(cancel_timer, request.target or "", instead_of=request.at)
    )


@routes.action("needed")
async def keep_needed(request: Request) -> Answer:
    """Keep an idle workspace running: cancel the stop that was planned in case nobody answered."""
    return await _answer_kept_running(
        request, await request.caller.run(confirm_needed, request.target or "", request.at)
    )


async def _answer_kept_running(request: Request, changed: Workspace) -> Answer:
    if changed.stop_at is not None:
        return await _answer_moved(request, changed)
    latest = await request.services.store.read(operations.find_latest_operation, changed.id)
    facts = await request.services.gatherer.describe_workspace(changed, latest)
    hint, is_open = fill(cards.TOO_LATE, name=changed.title), latest is not None and latest.is_open
    if is_open and latest is not None and latest.verb.brings_down:
        return lists.card_answer(facts, remark=hint)
    if not is_open and (changed.is_down or changed.state is State.STOPPING):
        return lists.status_answer(facts, changed, remark=hint)
    return replies.answer(drawn.format_kept(facts), replaces=True)


@routes.action("hour_more")
async def add_hour(request: Request) -> Answer:
    """Postpone the planned stop that the message is about by an hour."""
    changed = await request.caller.run(postpone_timer, request.target or "", request.at or 0.0)
    if changed.stop_at is None:
        return replies.answer(fill(cards.TOO_LATE, name=changed.title), replaces=True)
    return await _answer_moved(request, changed)


@routes.action("extend")
async def extend(request: Request) -> Answer:
    """Ask the provider to postpone the time at which it will end the workspace."""
    workspace = await request.caller.run(request_extension, request.target or "")
    at = max(request.services.clock.now(), workspace.expires_at or 0.0) + EXTENSION_SECONDS
    title, until = request.services.title(workspace.connection), await request.format_time(at)
    return replies.answer(fill(cards.EXTENDING, title=title, name=workspace.title, at=until))


async def _answer_moved(request: Request, workspace: Workspace) -> Answer:
    title = request.services.title(workspace.connection)
    at = await request.format_time(workspace.stop_at or 0.0)
    facts = await request.services.gatherer.describe_workspace(workspace)
    earlier = list_earlier_end(facts, workspace.stop_at)
    said = kit.join([format_timer(workspace, title, at), *earlier])
    extends = list_extend_button(facts) if earlier else []
    return replies.answer(said, [*drawn.keep_buttons(workspace)[:1], *extends], replaces=True)


@routes.action("stop_later")
async def open_form(request: Request) -> Answer:
    """Open the form for a planned stop. If a form can't be opened, say what to type."""
    workspace = await request.caller.read(require_workspace, "stop", request.target or "")
    if not await request.services.store.read(can_stop_later, workspace):
        return _answer_not_up(request, workspace)
    facts = await request.services.gatherer.describe_workspace(workspace)
    mode = workspace.stop_mode or choose_planned_mode(facts.effects)
    head = drawn.format_form_head(facts)
    more = request.fill("To choose when it stops, type `{command}stop {typed} at TIME`.", workspace)
    view = drawn.build_form(facts, mode)
    return replace(kit.answer([kit.section(kit.join([head, more]))]), view=view)


@routes.view(drawn.STOP_LATER_CALLBACK)
async def submit_form(request: Request) -> Answer:
    """Set, move or cancel the timer. If the stop would end the workspace for good, ask first."""
    request, key = replace(request, verb="stop"), request.form_payload
    chosen, typed = find_value(request.view, "when"), find_value(request.view, "other").strip()
    if chosen == drawn.NEVER_CHOICE and not typed:
        await request.caller.run(cancel_timer, key)
        return SILENT
    workspace = await request.caller.read(require_workspace, "stop", key)
    if not typed and chosen not in drawn.LENGTHS:
        raise InvalidFields({"when": "Choose a time, or type one."})
    time = await read_typed_time(request.services, request.principal, typed or f"{chosen} min")
    if not isinstance(time, Moment):
        raise InvalidFields({"other": replies.explain_unread_time(time, typed, SOONEST_SECONDS)})
    timer = await make_timer_or_ask(request, workspace, time, workspace.stop_mode)
    await request.caller.run(set_timer, key, timer)
    return SILENT


async def read_typed_time(services: Services, principal: Principal, text: str) -> Moment | Unread:
    """Return the time that a string means in the user's time zone, or the reason why it can't be read."""
    zone = await services.store.zone(principal)
    return time_parsing.read(text, zone, await services.store.now(), soonest=SOONEST_SECONDS)
