"""Job runs: what a person launched, its progress, and its output."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.forms import Spec
from bot.domain.reads import Unconfirmed
from bot.domain.row_times import Past, Stays
from bot.domain.work_items import WorkItem


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


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run as one read found it; times are epoch seconds, if the provider gives them.

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
class DiscoveredRun:
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
class OutputTail:
    """The part of a run's output in messages: its tail, the number of lines, the last few at its end."""

    tail: str
    lines: int
    is_over: bool
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(WorkItem):
    """Hold one run: who launched it, from what, and its progress.

    ``remote_id`` is None until the provider accepts it. ``requested_stop`` is its person's.
    Its outcome is ``ended`` (``state`` says how), ``failed`` (never launched, or lost) or ``cancelled``.
    ``is_watched``: its output is read, for its card and as a file. While it is visible it has no deadline.
    """

    name: str
    #: What it was launched from; None where it was launched elsewhere.
    spec: Spec | None
    remote_id: str | None = None
    state: RunState = RunState.QUEUED
    exit_code: int | None = None
    detail: str | None = None
    started_at: Stays | None = None
    finished_at: Stays | None = None
    observed_at: Past | None = None
    requested_stop: StopKind = ""
    is_watched: bool = True
    #: What the latest reads reported that isn't certain yet.
    unconfirmed: Unconfirmed | None = None

    @property
    def is_going(self) -> bool:
        """Return whether it hasn't ended yet, as far as is known."""
        return self.is_open and not self.state.is_over

    @property
    def is_late(self) -> bool:
        """Return whether the person was told that it hasn't begun or can't be read."""
        return self.is_open and self.blocked_since is not None and self.deadline_at is None
