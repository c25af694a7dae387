"""How far a start has come, 0–100: the bar of the card, shared with the reconciler that keeps its floor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from bot.domain.models import Call, OperationVerb, Outcome, State

if TYPE_CHECKING:
    from bot.domain.models import Operation
    from bot.messages.blocks.facts import Facts

#: A bar stays below 95 % until the workspace is ready.
MOST: Final = 94
#: Where the bar stands while nothing was accepted yet.
QUEUED: Final = 3
#: Seconds that a start is taken to last while there is no history of its own.
GUESS_SECONDS: Final = 120.0
#: A stop that shows nothing for so many seconds is taken to be unanswered: then it can be forced.
UNANSWERED_SECONDS: Final = 60.0
#: Where the estimated bar stands when the usual time is over; from there on it creeps.
_AT_USUAL: Final = 0.8


def progress_of(facts: Facts) -> int:
    """Return how far the operation has come, 0–100: never below its floor, at most 94 before it is ready.

    The provider's own figure counts where it tells one; else the time since the call against the usual time.
    """
    operation = facts.operation
    if operation is None or operation.verb.brings_down:
        return 0
    if operation.outcome is Outcome.FULFILLED:
        return 100
    floor = min(max(operation.progress_floor, 0), MOST)
    return floor if not operation.is_open else max(min(_estimate(facts, operation), MOST), floor)


def is_going(facts: Facts) -> bool:
    """Say whether the provider is at it: a call has left, or the workspace was seen on its way by itself."""
    operation, workspace = facts.operation, facts.workspace
    if operation is None:
        return False
    if Call.NONE is not operation.start_call or Call.NONE is not operation.stop_call:
        return True
    on_its_way = State.STOPPING if operation.verb.brings_down else State.STARTING
    return workspace is not None and workspace.state is on_its_way


def is_unanswered(operation: Operation, now: float) -> bool:
    """Say whether a stop was asked for long enough ago to be forced now, and has not come true."""
    is_asked = (
        operation.verb in (OperationVerb.STOP, OperationVerb.SUSPEND) and operation.stop_call is not Call.NONE
    )
    return operation.is_open and is_asked and now - operation.created_at >= UNANSWERED_SECONDS


def _estimate(facts: Facts, operation: Operation) -> int:
    starting = facts.workspace is not None and facts.workspace.state is State.STARTING
    if operation.start_call is Call.NONE and not starting:
        return QUEUED
    if starting and facts.workspace is not None and facts.workspace.progress is not None:
        return max(facts.workspace.progress, QUEUED)
    usual = facts.usual_seconds or GUESS_SECONDS
    passed = max(facts.now - (operation.called_at or operation.created_at), 0.0) / max(usual, 1.0)
    return max(round(MOST * (1.0 - math.exp(passed * math.log(1.0 - _AT_USUAL)))), QUEUED)
