"""Buttons on a workspace's cards that aren't verbs."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.domain.workspaces import Operation, OperationVerb, Outcome
from bot.messages.blocks import lists, replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import answers as words
from bot.messages.texts import cards, times
from handlers import routes
from handlers.request import Request
from handlers.workspace.operations import as_it_is, begin_for, made_again
from handlers.workspace.removing import asked


@routes.action("refresh")
async def refresh(request: Request) -> Answer:
    """Answer with the current row; the card itself changes when the read brings something new."""
    services = request.services
    operation = await services.workspaces.operation_of(request.principal, request.verb, request.target or "")
    workspace = await services.workspaces.refresh(request.principal, operation.workspace_id)
    facts = await services.gatherer.of_workspace(workspace)
    return replies.answer(f"{lists.state_line(facts, workspace)}\n{words.LOOKING}")


@routes.action("keep_waiting")
async def keep_waiting(request: Request) -> Answer:
    """Extend the wait, or say how the operation has ended in the meantime."""
    services = request.services
    operation_id = request.target or ""
    kept = await services.workspaces.keep_waiting(
        request.principal, operation_id, interaction=request.surface.interaction
    )
    if kept is None:
        ended = await services.workspaces.operation_of(request.principal, request.verb, operation_id)
        return too_late(request, ended)
    workspace = await services.workspaces.owned(request.principal, request.verb, kept.workspace_id)
    time = times.duration(services.workspaces.deadline_seconds)
    return replies.answer(fill(words.KEPT_WAITING, name=workspace.title, time=Markup(time)))


def too_late(request: Request, operation: Operation) -> Answer:
    """Say that the operation of an old button has ended, and how."""
    template = words.TOO_LATE[str(operation.outcome)]
    sentence = fill(
        template,
        verb=Markup(cards.FORMS[operation.verb].verb),
        typed=Markup(words.TYPED[operation.verb]),
        command=request.command,
    )
    return replies.hint(sentence)


@routes.action("try_again")
async def try_again(request: Request) -> Answer:
    """Repeat a request; an operation that is still open, or fulfilled, isn't repeated."""
    workspaces = request.services.workspaces
    ended = await workspaces.operation_of(request.principal, request.verb, request.target or "")
    workspace = await workspaces.owned(request.principal, request.verb, ended.workspace_id)
    if ended.is_open:
        sentence = fill(words.STILL_AT_IT, doing=Markup(cards.FORMS[ended.verb].doing), name=workspace.title)
        return replies.answer(sentence)
    if ended.outcome is Outcome.FULFILLED:
        return too_late(request, ended)
    newest = await request.services.store.latest_operation(workspace.id)
    if newest is not None and newest.id != ended.id:
        return await as_it_is(request, workspace, words.OUTDATED)
    if ended.verb is OperationVerb.CREATE and workspace.is_provisional:
        return await made_again(request, workspace)
    if ended.verb is OperationVerb.CREATE:
        return await begin_for(
            request, workspace, OperationVerb.START
        )  # It has been made, so it only has to be started.
    if ended.verb is OperationVerb.REMOVE:
        return asked(request, workspace, is_form=True)  # The name has to be typed each time.
    # Ask again before ending it for good: the earlier consent was about its earlier state.
    return await begin_for(request, workspace, ended.verb)


@routes.action("again")
async def start_a_new_one(request: Request) -> Answer:
    """Make another workspace from what this one was made from; its row replaces the old one."""
    workspaces = request.services.workspaces
    former = await workspaces.owned(request.principal, request.verb, request.target or "")
    return await made_again(request, former)


@routes.action("look_again")
async def look_again(request: Request) -> Answer:
    """Check again, or say that there is nothing left to check."""
    workspaces = request.services.workspaces
    operation = await workspaces.look_again(request.principal, request.target or "")
    workspace = await workspaces.owned(request.principal, request.verb, operation.workspace_id)
    is_asked = operation.is_open and operation.asked_at is not None
    return replies.answer(fill(words.LOOKING_AGAIN if is_asked else words.NOT_ASKED, name=workspace.title))


@routes.action("start_another")
async def start_another(request: Request) -> Answer:
    """Make another one, once; a question that is already answered isn't answered again."""
    workspaces = request.services.workspaces
    operation = await workspaces.operation_of(request.principal, request.verb, request.target or "")
    is_asked = await workspaces.start_another(
        request.principal, operation.id, interaction=request.surface.interaction
    )
    workspace = await workspaces.owned(request.principal, request.verb, operation.workspace_id)
    return replies.answer(fill(words.STARTING_ANOTHER if is_asked else words.NOT_ASKED, name=workspace.title))
