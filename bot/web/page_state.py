"""A workspace's state as its page shows it: which phase, which words, which buttons; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from bot.domain.models import Effects, Ending, Operation, OperationVerb, State, StopMode, Workspace
from bot.domain.models.stopping import NO_EFFECTS, coming_ends, is_final
from bot.domain.progress import is_slow
from bot.messages.texts import cards, times
from bot.messages.texts import ide as words
from bot.support.visible import clean

_LONGEST = 300
_PHASES = {
    State.STARTING: "starting",
    State.RUNNING: "running",
    State.STOPPING: "stopping",
    State.STOPPED: "stopped",
    State.SUSPENDED: "stopped",
    State.FAILED: "failed",
    State.GONE: "gone",
    State.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class PageState:
    """Hold what the page shows. ``start`` labels the button that starts it, or is empty for none."""

    phase: str
    line: str
    heading: str = ""
    text: str = ""
    stops: bool = False
    start: str = ""

    @property
    def is_up(self) -> bool:
        """Return whether there is something to show in the page."""
        return self.phase == "running"

    @property
    def is_busy(self) -> bool:
        """Return whether it will change by itself: then the page shows progress."""
        return self.phase in {"starting", "stopping", "ending", "unknown"}

    def as_json(self) -> dict[str, Any]:
        """Return the form that the page's script reads."""
        return {
            "phase": self.phase,
            "line": self.line,
            "heading": self.heading,
            "text": self.text,
            "stops": self.stops,
            "start": self.start,
            "busy": self.is_busy,
        }


def page_state(
    workspace: Workspace,
    operation: Operation | None,
    title: str,
    now: float,
    effects: Effects = NO_EFFECTS,
    zone: tzinfo = UTC,
) -> PageState:
    """Derive it from the row, its newest operation and what stopping means; ``title`` is the connection's.

    Times are said in ``zone``, the person's own.
    """
    phase = _phase(workspace, operation)
    if phase == "stopping" and is_final(effects, "stop"):
        phase = "ending"
    heading, text = words.PLACES.get(phase, ("", ""))
    text = text.format(title=_plain(title))
    if phase == "starting" and operation is not None and operation.usual_seconds:
        usual = cards.USUAL_PASSED if is_slow(operation, now) else cards.USUAL
        text = f"{text} {usual.format(usual=times.roughly(operation.usual_seconds))}"
    start = ""
    if phase == "stopped" and workspace.allows("start"):
        start = words.START
    elif phase in {"gone", "unmade"} and workspace.spec is not None:
        start = words.START_NEW
        text = f"{text} {words.NEW_ONE}"
    if phase == "failed" and workspace.detail:
        text = f"{text} {words.REASON.format(detail=_plain(workspace.detail))}"
    return PageState(
        phase,
        _sentence(phase, coming_ends(workspace, effects, now), now, zone),
        heading,
        text,
        stops=phase in {"starting", "running", "closed"} and workspace.allows("stop"),
        start=start,
    )


def _phase(workspace: Workspace, operation: Operation | None) -> str:
    verb = operation.verb if operation is not None and operation.is_open else None
    if verb is not None and verb.brings_down:
        return "stopping"
    if workspace.is_provisional:
        return "unmade" if verb is None else "starting"
    if workspace.state is State.RUNNING and verb is not OperationVerb.RESTART:
        return "running" if workspace.allows("open") else "closed"
    return _PHASES[workspace.state] if verb is None else "starting"


def _sentence(phase: str, ends: Sequence[tuple[StopMode | Ending, float]], now: float, zone: tzinfo) -> str:
    for how, at in ends[:1]:
        said = times.day_in(at, now, zone).removeprefix("today ")
        if phase == "running" and how in {"stops", "removed"}:
            return words.ends(phase, said, is_removed=how == "removed")
        if phase == "stopped" and how == "removed":
            return words.ends(phase, said, is_removed=True)
        if phase in {"starting", "running", "closed"} and how not in {"stops", "removed"}:
            return words.until(phase, said.removeprefix("at "))
    return words.LINES[phase]


def _plain(text: str) -> str:
    """Return a text from outside without invisible characters, and not too long."""
    shown = clean(text).replace("\n", " ")
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
