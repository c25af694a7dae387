"""What all wishes share: find the workspace, see to the link, accept the wish, say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks import kit, lists, replies
from bot.blocks.cards import stop_button
from bot.blocks.limits import Markup, fill
from bot.errors import Refused
from bot.models import Answer, State, WishVerb
from bot.words import answers as words
from bot.words import cards
from handlers.request import Answered
from handlers.targets import linked, workspace_of

if TYPE_CHECKING:
    from bot.models import Workspace
    from bot.store.base import Accepted
    from handlers.request import Request

#: Nothing to add: the card in the same conversation says it. Nothing is delivered for an empty text.
SILENT = Answer(text="")

_NEW = {
    WishVerb.START: words.STARTING,
    WishVerb.STOP: words.STOPPING,
    WishVerb.RESTART: words.RESTARTING,
    WishVerb.CREATE: words.MAKING,
    WishVerb.SUSPEND: words.SUSPENDING,
    WishVerb.FORCE: words.FORCING,
    WishVerb.REMOVE: words.REMOVING,
}
_JOINED = {
    WishVerb.START: words.STARTING_ALREADY,
    WishVerb.STOP: words.STOPPING_ALREADY,
    WishVerb.RESTART: words.RESTARTING_ALREADY,
    WishVerb.CREATE: words.MAKING_ALREADY,
    WishVerb.SUSPEND: words.SUSPENDING_ALREADY,
    WishVerb.FORCE: words.FORCING_ALREADY,
    WishVerb.REMOVE: words.REMOVING_ALREADY,
}


async def wish(request: Request, verb: WishVerb) -> Answer:
    """Wish something for the workspace that is meant; answers as soon as it is written down."""
    workspace = await workspace_of(request)
    return await wish_for(request, workspace, verb)


async def wish_for(request: Request, workspace: Workspace, verb: WishVerb) -> Answer:
    """Wish something for a workspace of the person."""
    services = request.services
    is_made_again = verb is WishVerb.START and workspace.spec is not None
    if workspace.state is State.GONE and not is_made_again:
        await linked(request, workspace.connection)
        await services.workspaces.refresh(request.principal, workspace.id)
        raise Answered(not_there(request, workspace))
    try:
        accepted = await services.workspaces.wish(
            request.principal,
            workspace.id,
            verb,
            interaction=request.surface.interaction,
            reference=request.reference,
            channel_id=request.surface.channel_id,
        )
    except Refused as refusal:
        if refusal.rule in {"account.none", "account.refused"}:
            # The same, with a button; looked at only now, as nearly everybody who wishes is linked.
            await linked(request, workspace.connection)
        raise
    return _answer(request, workspace, verb, accepted)


async def made_again(request: Request, former: Workspace) -> Answer:
    """Have another workspace made like one that is gone, or that was never made."""
    try:
        accepted = await request.services.workspaces.again(
            request.principal,
            former.id,
            reference=request.reference,
            channel_id=request.surface.channel_id,
        )
    except Refused as refusal:
        if refusal.rule in {"account.none", "account.refused"}:
            await linked(request, former.connection)
        raise
    return _answer(request, former, WishVerb.CREATE, accepted)


def not_there(request: Request, workspace: Workspace) -> Answer:
    """Say that a workspace no longer exists, and how to take it off the list."""
    sentence = fill(
        words.NOT_THERE,
        name=workspace.title,
        title=request.services.title(workspace.connection),
        command=request.command,
    )
    return replies.problem(sentence, request.reference, [kit.button(cards.FORGET, "forget", workspace.id)])


def _answer(request: Request, workspace: Workspace, verb: WishVerb, accepted: Accepted) -> Answer:
    template = _NEW[accepted.wish.verb]
    if accepted.repeated and not accepted.wish.is_open:
        template = words.DONE_ALREADY
    elif accepted.joined and not accepted.repeated:
        template = _JOINED[accepted.wish.verb]
    elif verb.brings_down and workspace.is_provisional:
        template = words.CALLING_OFF
    elif verb is WishVerb.STOP and accepted.replaced is not None and not accepted.replaced.verb.brings_down:
        template = words.STOPPING_PENDING
    elif verb is WishVerb.START and workspace.state is State.RUNNING:
        template = words.STARTING_RUNNING
    elif verb is WishVerb.STOP and workspace.state in {State.STOPPED, State.SUSPENDED}:
        template = words.STOPPING_STOPPED
    elif verb is WishVerb.SUSPEND and workspace.state in {State.STOPPED, State.SUSPENDED}:
        template = words.SUSPENDED_ALREADY
    elif request.surface.is_direct and request.surface.kind in {"message", "replay"}:
        return SILENT
    elif request.is_shared:
        return _shared(request, workspace, accepted.wish.verb)
    elif accepted.wish.verb is WishVerb.START and workspace.state is State.SUSPENDED:
        template = words.RESUMING
    _, age = lists.state_words(request.services.clock.now(), workspace)
    title = request.services.title(workspace.connection)
    return replies.told(fill(template, name=workspace.title, title=title, age=Markup(age)))


def _shared(request: Request, workspace: Workspace, verb: WishVerb) -> Answer:
    """Tell everybody; the buttons act for the workspace's owner only, and *Open* answers nobody else."""
    sentence = fill(
        words.SHARED[verb],
        who=request.who,
        name=workspace.title,
        title=request.services.title(workspace.connection),
    )
    buttons = [kit.button(cards.REFRESH, "status", workspace.id)]
    if not verb.brings_down:
        buttons = [kit.button(cards.OPEN, "open", workspace.id), *buttons, stop_button(workspace)]
    return replies.told(sentence, buttons, in_channel=True)
