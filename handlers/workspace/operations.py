"""Operations on workspaces: find the workspace, write the operation, say what happens."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.moments import Moment
from bot.domain.notices import Answer
from bot.domain.workspaces import OperationVerb, State, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.buttons import at_stake, day_said, offered, said
from bot.messages.blocks.kit import AGREED
from bot.messages.blocks.limits import fill
from bot.messages.texts import answers as words
from bot.messages.texts import cards
from bot.store.records import Accepted
from bot.support.errors import Refused
from handlers import routes
from handlers.linking.account import linked
from handlers.request import SILENT, Request
from handlers.workspace.beside import beside_card, ends
from handlers.workspace.offering import ask_before_ending, ask_before_suspending
from handlers.workspace.targets import workspace_of
from handlers.workspace.timers import stop_later, timer_or_ask
from handlers.workspace.timing import moment_of

#: States that don't rule out a resume: the workspace's state may be about to change, or is unknown.
_RESUMED = frozenset({State.SUSPENDED, State.UNKNOWN, State.STARTING, State.STOPPING, State.GONE})
_NEW = {
    OperationVerb.START: words.STARTING,
    OperationVerb.STOP: words.STOPPING,
    OperationVerb.RESTART: words.RESTARTING,
    OperationVerb.CREATE: words.MAKING,
    OperationVerb.SUSPEND: words.SUSPENDING,
    OperationVerb.FORCE: words.FORCING,
    OperationVerb.REMOVE: words.REMOVING,
}


@routes.verb("workspace", "start", flags=("share", AGREED), does=routes.Does.STARTS)
async def start(request: Request) -> Answer:
    """Write the operation, with until when it runs; the card and the direct messages report the rest."""
    return await _begin_until(request, OperationVerb.START)


@routes.verb("workspace", "stop", flags=("share", "force", AGREED), does=routes.Does.ENDS)
async def stop(request: Request) -> Answer:
    """Write the operation, or when it is to happen; the card and the direct messages report the rest."""
    if (moment := await moment_of(request)) is not None:
        return await stop_later(request, await workspace_of(request), moment, "stop")
    return await begin(request, OperationVerb.FORCE if "force" in request.flags else OperationVerb.STOP)


@routes.action("force")
async def force_quit(request: Request) -> Answer:
    """Write the operation; it replaces the stop that isn't answered."""
    return await begin(request, OperationVerb.FORCE)


@routes.verb("workspace", "restart", flags=("share", AGREED), does=routes.Does.ENDS)
async def restart(request: Request) -> Answer:
    """Write the operation, with until when it runs; the card and the direct messages report the rest."""
    return await _begin_until(request, OperationVerb.RESTART)


@routes.verb("workspace", "suspend", flags=("share", AGREED), does=routes.Does.ENDS)
async def suspend(request: Request) -> Answer:
    """Write the operation, or when it is to happen, if the provider can suspend."""
    if (moment := await moment_of(request)) is not None:
        return await stop_later(request, await workspace_of(request), moment, "suspend")
    workspace = await workspace_of(request)
    if at_stake(workspace) and AGREED not in request.flags:
        return await ask_before_suspending(request, workspace)
    return await begin_for(request, workspace, OperationVerb.SUSPEND)


@routes.verb("workspace", "resume", flags=("share", AGREED), does=routes.Does.STARTS)
async def resume(request: Request) -> Answer:
    """Ask for a start; in a state that rules out a resume, say what can be done instead."""
    workspaces = request.services.workspaces
    workspace = await workspace_of(request)
    if workspace.state in _RESUMED:
        return await begin_for(request, workspace, OperationVerb.START, await moment_of(request))
    await linked(request, workspace.connection)
    await workspaces.refresh(request.principal, workspace.id)
    facts = await request.services.gatherer.of_workspace(workspace)
    sentence = lists.in_its_state(facts.now, workspace, words.NOT_SUSPENDED)
    buttons = [] if workspace.state is State.RUNNING else offered(facts, State.STOPPED)
    return replies.hint(sentence, buttons)


async def begin(request: Request, verb: OperationVerb) -> Answer:
    """Begin an operation on the requested workspace; answers as soon as it is written."""
    workspace = await workspace_of(request)
    return await begin_for(request, workspace, verb)


async def _begin_until(request: Request, verb: OperationVerb) -> Answer:
    return await begin_for(request, await workspace_of(request), verb, await moment_of(request))


async def as_it_is(request: Request, workspace: Workspace, remark: str = "", more: str = "") -> Answer:
    """Answer with the card of what is under way, otherwise with the state; it is checked again.

    ``remark`` comes first, ``more`` last.
    """
    services = request.services
    await services.workspaces.refresh(request.principal, workspace.id)
    operation = await services.store.latest_operation(workspace.id)
    facts = await services.gatherer.of_workspace(workspace, operation)
    if operation is not None and operation.is_open and not request.is_shared:
        return lists.card_answer(facts, remark=remark or more)
    return lists.status_answer(facts, workspace, in_channel=request.is_shared, remark=remark, more=more)


async def begin_for(
    request: Request, workspace: Workspace, verb: OperationVerb, moment: Moment | None = None
) -> Answer:
    """Begin an operation on a workspace of the person; ask first if that ends it for good.

    With a moment it is stopped again then. The button of a message that has become outdated begins nothing.
    """
    services = request.services
    if request.seen not in {None, workspace.episode}:
        return await as_it_is(request, workspace, words.OUTDATED)
    if workspace.state is State.GONE and workspace.spec is not None and verb is OperationVerb.RESTART:
        verb = OperationVerb.START
    is_made_again = verb is OperationVerb.START and workspace.spec is not None
    if workspace.state is State.GONE and not is_made_again:
        await linked(request, workspace.connection)
        await services.workspaces.refresh(request.principal, workspace.id)
        return not_there(request, workspace)
    timer = None if moment is None else timer_or_ask(request, workspace, moment)
    try:
        accepted = await services.workspaces.begin(
            request.principal,
            workspace.id,
            verb,
            interaction=request.surface.interaction,
            reference=request.reference,
            channel_id=request.surface.channel_id,
            agreed=AGREED in request.flags,
            timer=timer,
        )
    except Refused as refusal:
        if refusal.rule != "workspace.ends":
            raise
        return await ask_before_ending(request, workspace, verb)
    if request.is_shared:
        # Its buttons are of what was begun just now.
        workspace = await services.store.workspace(workspace.id) or workspace
    answer = _answer(request, workspace, verb, accepted)
    if moment is None or timer is None:
        return answer
    return _with_timer(request, replace(workspace, stop_at=timer.at, stop_mode=timer.mode), moment, answer)


def _with_timer(request: Request, workspace: Workspace, moment: Moment, answer: Answer) -> Answer:
    """Add when it will be stopped; the card in the same conversation says that, but not what was guessed."""
    unsaid = day_said(moment)
    if not answer.text and not unsaid:
        return answer
    title = request.services.title(workspace.connection)
    sentence = " ".join([said(cards.SET, workspace, title), *unsaid])
    text = f"{answer.text} {kit.bare(sentence)}" if answer.text else kit.bare(sentence)
    return replace(kit.with_blocks(answer, (*answer.blocks, kit.section(sentence))), text=text)


async def made_again(request: Request, former: Workspace) -> Answer:
    """Make another workspace like one that is gone or was never made."""
    accepted = await request.services.workspaces.again(
        request.principal,
        former.id,
        reference=request.reference,
        channel_id=request.surface.channel_id,
    )
    return _answer(request, former, OperationVerb.CREATE, accepted)


def not_there(request: Request, workspace: Workspace) -> Answer:
    """Say that a workspace no longer exists, and how to remove it from the list."""
    sentence = fill(
        words.NOT_THERE,
        name=workspace.title,
        title=request.services.title(workspace.connection),
        command=request.command,
    )
    return replies.hint(sentence, [kit.button(cards.FORGET, "forget", workspace.id)])


def _answer(request: Request, workspace: Workspace, verb: OperationVerb, accepted: Accepted) -> Answer:
    title = request.services.title(workspace.connection)
    if said := beside_card(request, workspace, verb, accepted):
        return replies.answer(said)
    if request.shows_cards_here:
        return SILENT
    if request.is_shared:
        return _shared(request, workspace, accepted.operation.verb)
    template = _NEW[accepted.operation.verb]
    if accepted.operation.verb is OperationVerb.START and workspace.state is State.SUSPENDED:
        template = words.RESUMING
    elif ends(accepted.operation, request.services.workspaces.effects(workspace)):
        template = words.ENDING
    return replies.answer(fill(template, name=workspace.title, title=title))


def _shared(request: Request, workspace: Workspace, verb: OperationVerb) -> Answer:
    """Tell everybody, without buttons: they would work only for the workspace's owner."""
    sentence = fill(
        words.SHARED[verb],
        who=request.who,
        name=workspace.title,
        title=request.services.title(workspace.connection),
    )
    return replies.answer(sentence, in_channel=True)
