"""Stop a workspace later, keep it running, or change when: by a verb, a time in it, buttons, or a form."""

from dataclasses import replace

from bot.domain import time_parsing
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.stops import End, StopMode, planned_mode
from bot.domain.time_parsing import FARTHEST_SECONDS, Moment, Unread
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks import timers as drawn
from bot.messages.blocks.buttons import day_said
from bot.messages.blocks.buttons import said as said_of
from bot.messages.blocks.kit import AGREED, fill
from bot.messages.texts import answers, cards, times
from bot.services.feasibility import predict_stop_effects
from bot.services.timers import cancel_timer, confirm_needed, plan_timer, postpone_timer, set_timer
from bot.services.workspaces import require_workspace
from bot.store import operations
from bot.support.errors import Refused
from handlers import routes
from handlers.linking import require_account
from handlers.payload import find_value
from handlers.request import SILENT, Answered, InvalidFields, Request
from handlers.services import Services
from handlers.workspace import confirmations
from handlers.workspace.targets import workspace_of


@routes.verb("workspace", "keep", flags=(AGREED,), effect=routes.Effect.STARTS, accepts=("workspace", "time"))
async def keep(request: Request) -> Answer:
    """Take a planned stop back, or move it: ``keep NAME until 20:00``."""
    moment = await moment_of(request)
    if moment is None and request.more:
        return await _extended(request)
    workspace = await workspace_of(request)
    if moment is not None:
        return await stop_later(request, workspace, moment, workspace.stop_mode)
    facts = await request.services.gatherer.of_workspace(workspace)
    if facts.next_stop is None:
        return replies.answer(fill(cards.NOTHING_PLANNED, name=workspace.title))
    changed = await request.caller.run(cancel_timer, workspace.id)
    return replies.answer(drawn.format_kept(replace(facts, workspace=changed)))


async def _extended(request: Request) -> Answer:
    """Move a planned stop by what was asked for."""
    workspace = await workspace_of(request)
    if workspace.stop_at is None:
        unplanned = fill(cards.NOT_PLANNED, name=workspace.title)
        if not await confirmations.needed(request, [workspace]):
            return replies.hint(unplanned, more=request.fill(cards.LONGER_NEXT, workspace))
        return replies.with_remarks(await confirmations.one(request, workspace), [unplanned])
    moment = Moment(workspace.stop_at + request.more, request.more)
    if moment.at > await request.services.store.now() + FARTHEST_SECONDS:
        given = fill(cards.LONGER, time=times.duration(request.more))
        return replies.hint(replies.unread(Unread("far"), given, SOONEST_SECONDS))
    return await stop_later(request, workspace, moment, workspace.stop_mode)


async def stop_later(request: Request, workspace: Workspace, moment: Moment, mode: StopMode | None) -> Answer:
    """Set when a workspace is stopped; asks first if that ends it for good.

    The button of a message that has become outdated sets nothing.
    """
    if request.seen not in {None, workspace.generation}:
        facts = await request.services.gatherer.of_workspace(workspace)
        return lists.status_answer(facts, workspace, remark=answers.OUTDATED)
    timer = await timer_or_ask(request, workspace, moment, mode)
    title = request.services.title(workspace.connection)
    try:
        changed = await request.caller.run(set_timer, workspace.id, timer)
    except Refused as refusal:
        if refusal.rule != "workspace.not_up":
            raise
        await require_account(request, workspace.connection)
        next_ = request.fill(cards.NOT_UP_NEXT, workspace)
        return replies.hint(fill(cards.NOT_UP, name=workspace.title), more=next_)
    said = [
        said_of(cards.SET, changed, title),
        *day_said(moment),
        *drawn.instead(changed, request.services.clock.now()),
    ]
    return replies.answer(" ".join(said))


async def timer_or_ask(
    request: Request, workspace: Workspace, moment: Moment, mode: StopMode | None = None
) -> End:
    """Return the timer; raises Answered with a question if it would end the workspace for good.

    What can't be done with it is answered with what can.
    """
    agreed = AGREED in request.flags
    try:
        return plan_timer(request.services.context, workspace, moment.at, mode, agreed=agreed)
    except Refused as refusal:
        if refusal.rule in confirmations.NOT_OFFERED:
            raise Answered(await confirmations.offer_stop(request, workspace, moment.at)) from None
        if refusal.rule != "workspace.ends":
            raise
    services = request.services
    provider = services.connections[workspace.connection]
    asked = drawn.asked(
        workspace,
        services.title(workspace.connection),
        predict_stop_effects(services.context, workspace),
        request.verb,
        moment.at,
        can_suspend="suspend" in provider.stop_modes and workspace.allows("suspend"),
    )
    raise Answered(asked)


@routes.action("keep_running")
async def keep_running(request: Request) -> Answer:
    """Take the planned stop back that the message was about."""
    return await _kept(
        request, await request.caller.run(cancel_timer, request.target or "", instead_of=request.at)
    )


@routes.action("needed")
async def still_needed(request: Request) -> Answer:
    """Keep what was left running, without the stop that was planned if nobody answered."""
    return await _kept(request, await request.caller.run(confirm_needed, request.target or "", request.at))


async def _kept(request: Request, changed: Workspace) -> Answer:
    """Say that a workspace keeps running, or how things are if it is down or going down."""
    if changed.stop_at is not None:
        return _changed_since(request, changed)
    latest = await request.services.store.read(operations.latest_operation, changed.id)
    facts = await request.services.gatherer.of_workspace(changed, latest)
    remark, is_open = fill(cards.TOO_LATE, name=changed.title), latest is not None and latest.is_open
    if is_open and latest is not None and latest.verb.brings_down:
        return lists.card_answer(facts, remark=remark)
    if not is_open and (changed.is_down or changed.state is State.STOPPING):
        return lists.status_answer(facts, changed, remark=remark)
    return replies.answer(drawn.format_kept(facts), replaces=True)


@routes.action("hour_more")
async def an_hour_more(request: Request) -> Answer:
    """Move the planned stop that the message was about by an hour."""
    changed = await request.caller.run(postpone_timer, request.target or "", request.at or 0.0)
    if changed.stop_at is None:
        return replies.answer(fill(cards.TOO_LATE, name=changed.title), replaces=True)
    return _changed_since(request, changed)


def _changed_since(request: Request, workspace: Workspace) -> Answer:
    title = request.services.title(workspace.connection)
    return replies.answer(
        said_of(cards.SET, workspace, title), drawn.keep_buttons(workspace)[:1], replaces=True
    )


@routes.action("stop_later")
async def open_form(request: Request) -> Answer:
    """Open the form; where none can be opened, say what to write."""
    workspace = await request.caller.read(require_workspace, "stop", request.target or "")
    facts = await request.services.gatherer.of_workspace(workspace)
    mode = workspace.stop_mode or planned_mode(facts.effects)
    said = drawn.form_head(facts)
    more = request.fill(cards.CHOOSE_TIME, workspace)
    view = drawn.form(facts, mode)
    return replace(kit.answer([kit.section(f"{said} {more}")]), view=view)


@routes.view(drawn.CALLBACK)
async def form_sent(request: Request) -> Answer:
    """Set, change or take back the timer; what would end the workspace for good is asked about first."""
    request, key = replace(request, verb="stop"), request.form_payload
    chosen, typed = find_value(request.view, "when"), find_value(request.view, "other").strip()
    if chosen == drawn.NEVER and not typed:
        await request.caller.run(cancel_timer, key)
        return SILENT
    workspace = await request.caller.read(require_workspace, "stop", key)
    if not typed and chosen not in drawn.LENGTHS:
        raise InvalidFields({"when": cards.FORM_EMPTY})
    found = await typed_moment(request.services, request.principal, typed or f"{chosen} min")
    if not isinstance(found, Moment):
        raise InvalidFields({"other": kit.bare(replies.unread(found, typed, SOONEST_SECONDS))})
    timer = await timer_or_ask(request, workspace, found, workspace.stop_mode)
    await request.caller.run(set_timer, key, timer)
    return SILENT


async def moment_of(request: Request) -> Moment | None:
    """Return the moment that was read, or that a button was drawn for; raises Answered if that has passed."""
    if request.moment is not None or request.at is None:
        return request.moment
    now = await request.services.store.now()
    if not now < request.at <= now + FARTHEST_SECONDS:
        raise Answered(replies.hint(request.fill(cards.PASSED, name=answers.EXAMPLE)))
    return Moment(request.at)


async def typed_moment(services: Services, principal: Principal, text: str) -> Moment | Unread:
    """Return the moment that a text names in a person's zone, or why there is none."""
    zone = await services.store.zone(principal)
    return time_parsing.read(text, zone, await services.store.now(), soonest=SOONEST_SECONDS)
