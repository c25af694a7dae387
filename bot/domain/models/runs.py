"""Runs of jobs: what a person launched, how far it is, and its output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.models.forms import Spec
from bot.domain.models.operations import Call
from bot.domain.models.people import Principal
from bot.domain.models.workspaces import Doubt


class RunState(StrEnum):
    """Name what a run is; one vocabulary for every provider."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Say whether nothing more will happen."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


StopKind = Literal["", "stop", "force"]
RunOutcome = Literal["ended", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """Hold what one read found of a run; times in epoch seconds where the provider tells them.

    ``remote_id`` is its id where it has another one by now. ``is_last``: the provider will never tell more,
    so that nobody waits for its end.
    """

    state: RunState
    exit_code: int | None = None
    detail: str | None = None
    name: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    remote_id: str | None = None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class FoundRun:
    """Describe one run found in a person's account."""

    remote_id: str
    name: str
    observed: ObservedRun


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """Hold a piece of a run's output, as it came: not cut at lines."""

    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold what a message about an output says: its end, how many lines there are, how often it is drawn."""

    tail: str
    lines: int
    every: float
    is_over: bool
    last_lines: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Hold one run: who launched it, what for, and how far it has come.

    ``remote_id`` is None until the provider took it. ``launch_call`` is CALLING before the request leaves;
    found after a crash it means *unknown*, and the run is looked for by its name before it is launched again.
    ``stop_wanted`` is what its person asked for, ``stop_call`` what is known of that call. It is open until
    ``outcome`` is set: ``ended`` (``state`` says how), ``failed`` (never launched, or lost; ``cause`` names a
    text), ``cancelled``. ``is_watched``: its output is shown in the thread of its card.

    ``called_at`` is when its call was committed; it moves along with jumps of the clock. ``sent_at`` is the
    same, and no jump moves it: what a launch made is known by its age.
    ``unknown_since`` is when the outcome of its call became unknown, ``asked_at`` since when its person is
    asked whether to launch another one. ``held_since``: since when it has not begun or can't be looked at,
    for the cause there is now; at ``deadline_at`` its person is told, and it is None from then on, and while
    the run is seen.
    """

    id: str
    principal: Principal
    connection: str
    name: str
    #: What it was launched from; None where it was launched elsewhere.
    spec: Spec | None
    created_at: float
    reference: str
    remote_id: str | None = None
    state: RunState = RunState.QUEUED
    exit_code: int | None = None
    detail: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    observed_at: float | None = None
    launch_call: Call = Call.NONE
    stop_wanted: StopKind = ""
    stop_call: Call = Call.NONE
    called_at: float | None = None
    sent_at: float | None = None
    attempts: int = 0
    next_step_at: float = 0.0
    outcome: RunOutcome | None = None
    cause: str | None = None
    ended_at: float | None = None
    hold: str | None = None
    channel_id: str | None = None
    is_watched: bool = True
    #: Where the message stands that shows the tail, in the thread of the card.
    output_ts: str | None = None
    unknown_since: float | None = None
    asked_at: float | None = None
    held_since: float | None = None
    deadline_at: float | None = None
    deadline_number: int = 0
    #: What reads said last that was no news yet.
    doubt: Doubt | None = None

    @property
    def is_open(self) -> bool:
        """Say whether the reconciler still works on it."""
        return self.outcome is None

    @property
    def is_going(self) -> bool:
        """Say whether it is still to end, as far as is known."""
        return self.is_open and not self.state.is_over

    @property
    def is_late(self) -> bool:
        """Say whether its person was told that it has not begun, or can't be looked at."""
        return self.is_open and self.held_since is not None and self.deadline_at is None


@dataclass(frozen=True, slots=True)
class NewRun:
    """Describe a run to be accepted; the store gives it its id and times."""

    principal: Principal
    connection: str
    name: str
    spec: Spec
    reference: str
    channel_id: str | None = None
    #: Given where the run exists already and is only to be watched.
    remote_id: str | None = None
    state: RunState = RunState.QUEUED
    is_watched: bool = True
    #: So long it may not have begun before its person is told; None: nobody waits for it to begin.
    deadline_seconds: float | None = None
