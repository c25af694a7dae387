"""A workspace's state as its page shows it: which phase, which words, which buttons; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.domain.models import Effects, Operation, OperationVerb, State, Workspace
from bot.domain.models.stopping import NO_EFFECTS, is_final
from bot.domain.progress import is_slow
from bot.messages.texts import cards, times
from bot.messages.texts import ide as words
from bot.support.visible import clean

#: An upcoming end is shown when it is no further away than this, in seconds.
SOON = 10 * 60.0

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
    until: str = "",
) -> PageState:
    """Derive it from the row, its newest operation and what stopping means; ``title`` is the connection's.

    ``until`` is when its person wants it stopped, with its day; empty without a timer.
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
        _sentence(phase, workspace, now, until),
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


def _sentence(phase: str, workspace: Workspace, now: float, until: str) -> str:
    left = None if workspace.ends_at is None else workspace.ends_at - now
    if left is not None and 0 < left <= SOON:
        minutes = max(round(left / 60), 1)
        if phase == "running":
            return words.runs_until(minutes, is_removed=workspace.ends_how == "removed")
        if phase == "stopped" and workspace.ends_how == "removed":
            return words.kept_until(minutes)
    if until and phase in {"starting", "running", "closed"}:
        return words.until(phase, until)
    return words.LINES[phase]


def _plain(text: str) -> str:
    """Return a text from outside without invisible characters, and not too long."""
    shown = clean(text).replace("\n", " ")
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
