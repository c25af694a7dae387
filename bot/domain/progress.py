"""The progress of a start, and when a stop counts as unanswered."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bot.domain.models import Call, Operation, OperationVerb, Outcome, Principal, Run, Spec, State, Workspace

#: The bar stays below 95 % until the workspace is ready.
MOST: Final = 94
#: How many of a person's own starts of a workspace give a usual time; otherwise, how many similar ones do.
ENOUGH_OWN: Final = 3
ENOUGH: Final = 10
#: A start that usually takes no longer than this is short.
SHORT_SECONDS: Final = 180.0
#: A start counts as slow after this many seconds while there are too few to compare it with.
SLOW_SECONDS: Final = 300.0
#: A stop without effect for this many seconds counts as unanswered and can then be forced.
UNANSWERED_SECONDS: Final = 60.0
#: The estimate, as a share, once the usual time has passed; from there the bar creeps.
_AT_USUAL: Final = 0.8


@dataclass(frozen=True, slots=True)
class Typical:
    """Hold how many seconds a start usually takes, and what nine of ten stayed below; None: not known."""

    usual: float | None = None
    slow: float | None = None


def progress_of(operation: Operation, workspace: Workspace | None, now: float) -> int | None:
    """Return an operation's progress, 1–100: never below its floor, at most 94 until it is ready.

    It is the provider's own figure if there is one, else an estimate from the time since the call and how
    long such starts usually take. None: nothing is known, so no figure is shown.
    """
    if operation.verb.brings_down:
        return None
    if operation.outcome is Outcome.FULFILLED:
        return 100
    floor = min(max(operation.progress_floor, 0), MOST)
    figure = (_figure(operation, workspace, now) if operation.is_open else None) or 0
    return max(min(figure, MOST), floor) or None


def is_slow(operation: Operation, now: float) -> bool:
    """Return whether a start takes longer than nine of ten others did."""
    return operation.slow_seconds is not None and _passed(operation, now) > operation.slow_seconds


def is_short(operation: Operation) -> bool:
    """Return whether a start is usually so short that its card should move within seconds."""
    return operation.usual_seconds is not None and operation.usual_seconds <= SHORT_SECONDS


def start_kind(verb: OperationVerb, principal: Principal, connection: str, spec: Spec | None) -> str | None:
    """Return what starts of one kind have in common: Slack workspace, connection, what they are made from.

    None for operations that aren't compared: those that stop something first take as long as the stop.
    """
    if verb not in (OperationVerb.START, OperationVerb.CREATE):
        return None
    chosen = "" if spec is None else json.dumps(spec.chosen, sort_keys=True, default=str)
    digest = hashlib.sha256(chosen.encode()).hexdigest()[:16] if chosen else ""
    team = principal.key.rpartition(":")[0]
    return f"{team}|{connection}|{verb}|{digest}"


def typical(own: Sequence[float], alike: Sequence[float]) -> Typical:
    """Return how long a start takes: from the person's own starts if there are enough, else from others'."""
    usual = median(own) if len(own) >= ENOUGH_OWN else median(alike) if len(alike) >= ENOUGH else None
    compared = own if len(own) >= ENOUGH else alike if len(alike) >= ENOUGH else ()
    slow = sorted(compared)[math.ceil(len(compared) * 0.9) - 1] if compared else None
    return Typical(usual, slow)


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


def _figure(operation: Operation, workspace: Workspace | None, now: float) -> int | None:
    starting = workspace is not None and workspace.state is State.STARTING
    if operation.start_call is Call.NONE and not starting:
        return None
    if starting and workspace is not None and workspace.progress is not None:
        return workspace.progress
    if operation.usual_seconds is None:
        return None
    passed = _passed(operation, now) / max(operation.usual_seconds, 1.0)
    return round(MOST * (1.0 - math.exp(passed * math.log(1.0 - _AT_USUAL))))


def _passed(operation: Operation, now: float) -> float:
    return max(now - (operation.called_at or operation.created_at), 0.0)
