"""What is said beside the card of an operation: what differs from what its verb alone suggests."""

from __future__ import annotations

from bot.domain.workspaces import (
    Call,
    Effects,
    Operation,
    OperationVerb,
    State,
    Workspace,
    is_final,
    restart_mode,
)
from bot.messages.blocks import lists
from bot.messages.blocks.limits import fill
from bot.messages.texts import answers as words
from bot.store.records import Accepted
from handlers.request import Request


def beside_card(request: Request, workspace: Workspace, verb: OperationVerb, accepted: Accepted) -> str:
    """Return what to say of an operation that its card doesn't; "" if the card says it all."""
    effects = request.services.workspaces.effects(workspace)
    template = _already(accepted) or _instead(workspace, verb, accepted, effects)
    if template is None:
        return ""
    _, as_of = lists.state_words(request.services.clock.now(), workspace)
    title = request.services.title(workspace.connection)
    return fill(template, name=workspace.title, title=title, as_of=as_of)


def _already(accepted: Accepted) -> str | None:
    """Return what to say if the same was requested before."""
    if accepted.repeated and not accepted.operation.is_open:
        return words.DONE_ALREADY
    return words.JOINED[accepted.operation.verb] if accepted.joined and not accepted.repeated else None


def _instead(workspace: Workspace, verb: OperationVerb, accepted: Accepted, effects: Effects) -> str | None:
    """Return what to say if something else happens than the verb alone suggests."""
    is_down = workspace.state in {State.STOPPED, State.SUSPENDED}
    sentence = None
    if verb.brings_down and workspace.is_provisional:
        sentence = words.CALLING_OFF
    elif verb is OperationVerb.START and accepted.operation.prior_call is not Call.NONE:
        sentence = words.STARTING_AFTER_STOP
    elif verb is OperationVerb.START and workspace.state is State.RUNNING:
        sentence = words.STARTING_RUNNING
    elif verb is OperationVerb.SUSPEND and is_down:
        sentence = words.SUSPENDED_ALREADY
    elif verb is OperationVerb.RESTART and (accepted.operation.agreed or restart_mode(effects) is None):
        sentence = words.RENEWING
    elif verb is OperationVerb.RESTART and restart_mode(effects) == "suspend":
        sentence = words.RESUMING if workspace.state is State.SUSPENDED else words.RESTARTING_KEEPS
    elif verb is OperationVerb.STOP and not ends(accepted.operation, effects):
        if accepted.operation.prior_call is not Call.NONE:
            sentence = words.STOPPING_STARTED
        elif accepted.replaced is not None and not accepted.replaced.verb.brings_down:
            sentence = words.STOPPING_PENDING
        elif is_down:
            sentence = words.STOPPING_STOPPED
    return sentence


def ends(operation: Operation, effects: Effects) -> bool:
    """Return whether a stop that its person consented to ends the workspace for good."""
    is_stop = operation.verb in {OperationVerb.STOP, OperationVerb.FORCE}
    return (
        is_stop
        and operation.agreed
        and is_final(effects, "force" if operation.verb is OperationVerb.FORCE else "stop")
    )
