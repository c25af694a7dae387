"""The progress of a start, and when a stop counts as unanswered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from bot.domain.models import Call, OperationVerb, Outcome, State

if TYPE_CHECKING:
    from bot.domain.models import Operation, Run, Workspace

#: The bar stays below 95 % until the workspace is ready.
MOST: Final = 94
#: The bar's value until a start was sent or seen.
QUEUED: Final = 3
#: The assumed duration of a start in seconds while there is no history.
GUESS_SECONDS: Final = 120.0
#: A stop without effect for this many seconds counts as unanswered and can then be forced.
UNANSWERED_SECONDS: Final = 60.0
#: The estimate, as a share, once the usual time has passed; from there the bar creeps.
_AT_USUAL: Final = 0.8


def progress_of(
    operation: Operation, workspace: Workspace | None, now: float, usual_seconds: float | None
) -> int:
    """Return an operation's progress, 0–100: never below its floor, at most 94 until it is ready.

    It is the provider's own figure if there is one, else an estimate from the time since the call and the
    usual time, the median of earlier starts.
    """
    if operation.verb.brings_down:
        return 0
    if operation.outcome is Outcome.FULFILLED:
        return 100
    floor = min(max(operation.progress_floor, 0), MOST)
    if not operation.is_open:
        return floor
    return max(min(_estimate(operation, workspace, now, usual_seconds), MOST), floor)


def is_going(operation: Operation, workspace: Workspace | None) -> bool:
    """Return whether it is in progress: a call was sent, or the workspace was seen starting or stopping."""
    if Call.NONE is not operation.start_call or Call.NONE is not operation.stop_call:
        return True
    on_its_way = State.STOPPING if operation.verb.brings_down else State.STARTING
    return workspace is not None and workspace.state is on_its_way


def is_unanswered(operation: Operation, now: float) -> bool:
    """Return whether an open stop was requested long enough ago that it can be forced."""
    is_asked = (
        operation.verb in (OperationVerb.STOP, OperationVerb.SUSPEND) and operation.stop_call is not Call.NONE
    )
    return operation.is_open and is_asked and now - operation.created_at >= UNANSWERED_SECONDS


def is_run_unanswered(run: Run, now: float) -> bool:
    """Return whether a run's stop was sent long enough ago that it can be forced."""
    is_asked = run.stop_wanted == "stop" and run.stop_call is not Call.NONE
    return run.is_going and is_asked and now - (run.called_at or now) >= UNANSWERED_SECONDS


def _estimate(
    operation: Operation, workspace: Workspace | None, now: float, usual_seconds: float | None
) -> int:
    starting = workspace is not None and workspace.state is State.STARTING
    if operation.start_call is Call.NONE and not starting:
        return QUEUED
    if starting and workspace is not None and workspace.progress is not None:
        return max(workspace.progress, QUEUED)
    usual = usual_seconds or GUESS_SECONDS
    passed = max(now - (operation.called_at or operation.created_at), 0.0) / max(usual, 1.0)
    return max(round(MOST * (1.0 - math.exp(passed * math.log(1.0 - _AT_USUAL)))), QUEUED)
