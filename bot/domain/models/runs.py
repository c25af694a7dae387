"""Job runs: what a person launched, its progress, and its output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.models.forms import Spec
from bot.domain.models.operations import Call
from bot.domain.models.people import Principal
from bot.domain.models.workspaces import Doubt
from bot.domain.times import Deadline, Past, Since, Stays, Step


class RunState(StrEnum):
    """Name the state of a run; the same for every provider."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Return whether the state is final."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


StopKind = Literal["", "stop", "force"]
RunOutcome = Literal["ended", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """Hold what one read of a run found; times are epoch seconds, if the provider gives them.

    ``remote_id`` is set if its id has changed. ``is_last``: the provider will never report more, so nobody
    should wait for the end of the run.
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
    """Hold a piece of a run's output as received: it may end in the middle of a line."""

    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold what a message shows of a run's output: its tail, the number of lines, the redraw interval."""

    tail: str
    lines: int
    every: float
    is_over: bool
    last_lines: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Hold one run: who launched it, from what, and its progress.

    ``remote_id`` is None until the provider accepts it. ``launch_call`` is CALLING before the request is
    sent; found after a crash it means *unknown*, and the run is looked up by name before it is launched
    again. ``stop_wanted`` is the stop the person asked for, ``stop_call`` what is known of that call. A run
    is open until ``outcome`` is set: ``ended`` (``state`` says how), ``failed`` (never launched, or lost;
    ``cause`` names a text), ``cancelled``. ``is_watched``: its output is shown in the thread of its card.

    ``called_at`` is when its call was committed; clock healing moves it. ``sent_at`` is the same time by
    the provider's clock: what a launch made is recognised by its age. ``unknown_since`` is when the call's
    outcome became unknown, ``asked_at`` since when the person is asked whether to launch another one.
    ``held_since`` is since when, for the current cause, it hasn't begun or couldn't be read. The person is
    told at ``deadline_at``, which is None afterwards and while the run is visible.
    """

    id: str
    principal: Principal
    connection: str
    name: str
    #: What it was launched from; None where it was launched elsewhere.
    spec: Spec | None
    created_at: Past
    reference: str
    remote_id: str | None = None
    state: RunState = RunState.QUEUED
    exit_code: int | None = None
    detail: str | None = None
    started_at: Stays | None = None
    finished_at: Stays | None = None
    observed_at: Past | None = None
    launch_call: Call = Call.NONE
    stop_wanted: StopKind = ""
    stop_call: Call = Call.NONE
    called_at: Since | None = None
    sent_at: Past | None = None
    attempts: int = 0
    next_step_at: Step = 0.0
    outcome: RunOutcome | None = None
    cause: str | None = None
    ended_at: Past | None = None
    hold: str | None = None
    channel_id: str | None = None
    is_watched: bool = True
    #: The message showing the tail, in the thread of the card.
    output_ts: str | None = None
    unknown_since: Since | None = None
    asked_at: Past | None = None
    held_since: Past | None = None
    deadline_at: Deadline | None = None
    deadline_number: int = 0
    #: What the latest reads reported that isn't certain yet.
    doubt: Doubt | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the reconciler is still working on it."""
        return self.outcome is None

    @property
    def is_going(self) -> bool:
        """Return whether it hasn't ended yet, as far as is known."""
        return self.is_open and not self.state.is_over

    @property
    def is_late(self) -> bool:
        """Return whether the person was told that it hasn't begun or can't be read."""
        return self.is_open and self.held_since is not None and self.deadline_at is None
