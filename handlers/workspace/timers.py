"""Stop a workspace later, keep it running, or change when: as a verb, as buttons, and as a form."""

from __future__ import annotations

from typing import Final

from bot.domain.moments import FARTHEST_SECONDS, Moment, Unread
from bot.domain.notices import Answer
from bot.domain.workspaces import SOONEST_SECONDS, State, StopMode, Timer, Workspace, planned_mode
from bot.messages.blocks import buttons, kit, lists, replies
from bot.messages.blocks.kit import AGREED
from bot.messages.blocks.limits import fill
from bot.messages.texts import answers as texts
from bot.messages.texts import cards, times
from bot.services import workspaces
from bot.support.errors import Refused
from handlers import routes
from handlers.linking.account import linked
from handlers.payload import value_in
from handlers.request import SILENT, Answered, AtFields, Request
from handlers.services import Services
from handlers.workspace.targets import workspace_of
from handlers.workspace.timing import chosen_moment, moment_of

_DOWN: Final = frozenset({State.STOPPING, State.STOPPED, State.SUSPENDED, State.FAILED, State.GONE})


@routes.verb("workspace", "keep", flags=(AGREED,), does=routes.Does.STARTS)
async def keep(request: Request) -> Answer:
    """Take a planned stop back, or move it: ``keep NAME until 20:00``."""
    moment = await moment_of(request)
    if moment is None and request.more:
        return await _extended(request)
    workspace = await workspace_of(request)
    if moment is not None:
        return await stop_later(request, workspace, moment, workspace.stop_mode)
    return await _kept(request, workspace)


async def _extended(request: Request) -> Answer:
    """Move a planned stop by what was asked for."""
    workspace = await workspace_of(request)
    if workspace.stop_at is None:
        next_ = fill(cards.LONGER_NEXT, command=request.command, name=workspace.title)
        return replies.hint(fill(cards.NOT_PLANNED, name=workspace.title), more=next_)
    moment = Moment(workspace.stop_at + request.more, request.more)
    if moment.at > await request.services.store.now() + FARTHEST_SECONDS:
        given = fill(cards.LONGER, time=times.duration(request.more))
        return replies.hint(replies.unread(Unread("far"), given, SOONEST_SECONDS))
    return await stop_later(request, workspace, moment, workspace.stop_mode)


async def _kept(request: Request, workspace: Workspace) -> Answer:
    if workspace.stop_at is None:
        return replies.answer(fill(cards.NOTHING_PLANNED, name=workspace.title))
    await request.asked.to(workspaces.keep, workspace.id)
    return replies.answer(fill(cards.KEPT, name=workspace.title))


async def stop_later(request: Request, workspace: Workspace, moment: Moment, mode: StopMode | None) -> Answer:
    """Set when a workspace is stopped; asks first if that ends it for good.

    The button of a message that has become outdated sets nothing.
    """
    if request.seen not in {None, workspace.episode}:
        facts = await request.services.gatherer.of_workspace(workspace)
        return lists.status_answer(facts, workspace, remark=texts.OUTDATED)
    timer = timer_or_ask(request, workspace, moment, mode)
    title = request.services.title(workspace.connection)
    try:
        changed = await request.asked.to(workspaces.set, workspace.id, timer)
    except Refused as refusal:
        if refusal.rule != "workspace.not_up":
            raise
        await linked(request, workspace.connection)
        next_ = fill(cards.NOT_UP_NEXT, command=request.command, name=workspace.title)
        return replies.hint(fill(cards.NOT_UP, name=workspace.title), more=next_)
    return buttons.planned(cards.SET, changed, title, moment)


def timer_or_ask(
    request: Request, workspace: Workspace, moment: Moment, mode: StopMode | None = None
) -> Timer:
    """Return the timer; raises Answered with a question if it would end the workspace for good."""
    agreed = AGREED in request.flags
    try:
        return workspaces.made(request.services.context, workspace, moment.at, mode, agreed=agreed)
    except Refused as refusal:
        raise Answered(_asked(request.services, workspace, moment, request.verb, refusal)) from None


def _asked(services: Services, workspace: Workspace, moment: Moment, verb: str, refusal: Refused) -> Answer:
    """Return the question whether a timer may end a workspace for good; raises any other refusal."""
    if refusal.rule != "workspace.ends":
        raise refusal
    provider = services.connections[workspace.connection]
    return buttons.asked(
        workspace,
        services.title(workspace.connection),
        workspaces.effects(services.context, workspace),
        verb,
        moment.at,
        can_suspend="suspend" in provider.stop_modes and workspace.allows("suspend"),
    )


@routes.action("keep_running")
async def keep_running(request: Request) -> Answer:
    """Take the planned stop back that the message was about."""
    changed = await request.asked.to(workspaces.keep, request.target or "", instead_of=request.at)
    if changed.stop_at is None:
        went_down = await _went_down(request, changed)
        return went_down or replies.answer(fill(cards.KEPT, name=changed.title), replaces=True)
    return _changed_since(request, changed)


async def _went_down(request: Request, workspace: Workspace) -> Answer | None:
    """Answer with how things are if a workspace is down or going down, so that nothing keeps it running."""
    services = request.services
    latest = await services.store.latest_operation(workspace.id)
    facts = await services.gatherer.of_workspace(workspace, latest)
    remark = fill(cards.TOO_LATE, name=workspace.title)
    if latest is not None and latest.is_open:
        return lists.card_answer(facts, remark=remark) if latest.verb.brings_down else None
    return lists.status_answer(facts, workspace, remark=remark) if workspace.state in _DOWN else None


@routes.action("hour_more")
async def an_hour_more(request: Request) -> Answer:
    """Move the planned stop that the message was about by an hour."""
    changed = await request.asked.to(workspaces.add_an_hour, request.target or "", request.at or 0.0)
    if changed.stop_at is None:
        return replies.answer(fill(cards.TOO_LATE, name=changed.title), replaces=True)
    return _changed_since(request, changed)


def _changed_since(request: Request, workspace: Workspace) -> Answer:
    title = request.services.title(workspace.connection)
    return replies.answer(
        buttons.said(cards.SET, workspace, title), buttons.keep_buttons(workspace)[:1], replaces=True
    )


@routes.action("stop_later")
async def open_form(request: Request) -> Answer:
    """Open the form; where none can be opened, say what to write."""
    services = request.services
    workspace = await services.workspaces.owned(request.principal, "stop", request.target or "")
    facts = await services.gatherer.of_workspace(workspace)
    mode = workspace.stop_mode or planned_mode(facts.effects)
    said = buttons.form_head(facts)
    more = fill(cards.PASSED, command=request.command, name=workspace.title)
    view = buttons.form(facts, mode)
    return Answer(text=kit.bare(said), blocks=(kit.section(f"{said} {more}"),), view=view)


@routes.view(buttons.CALLBACK)
async def form_sent(request: Request) -> Answer:
    """Set, change or take back the timer; what would end the workspace for good is asked about first."""
    services, key = request.services, request.carried
    chosen, typed = value_in(request.view, "when"), value_in(request.view, "other").strip()
    if chosen == buttons.NEVER and not typed:
        await request.asked.to(workspaces.keep, key)
        return SILENT
    workspace = await services.workspaces.owned(request.principal, "stop", key)
    found = await chosen_moment(services, request.principal, chosen, typed)
    if found is None:
        raise AtFields({"when": cards.FORM_EMPTY})
    if not isinstance(found, Moment):
        raise AtFields({"other": kit.bare(replies.unread(found, typed, SOONEST_SECONDS))})
    try:
        timer = workspaces.made(services.context, workspace, found.at, workspace.stop_mode)
    except Refused as refusal:
        return _asked(services, workspace, found, "stop", refusal)
    await request.asked.to(workspaces.set, key, timer)
    return SILENT
