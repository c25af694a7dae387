"""Runs of jobs that users launch, with their progress and output."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from bot.domain.forms import Spec
from bot.domain.observations import MAX_CLOCK_SKEW_SECONDS, drop_future_time
from bot.domain.prices import MachineKind, Price, parse_price
from bot.domain.reads import Unconfirmed
from bot.domain.row_times import Past, Stays
from bot.domain.work_items import Call, WorkItem


class RunState(StrEnum):
    """The state of a run, the same for every provider.

    Attributes:
        QUEUED: It hasn't begun.
        RUNNING: It has begun.
        SUCCEEDED: It has ended without an error.
        FAILED: It has ended with an error.
        CANCELLED: It was stopped by someone.
        UNKNOWN: Its state can't be read. The last known state is kept.
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Return whether the run's state is final."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


StopKind = Literal["", "stop", "force"]


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """The result of one read of a run. Whatever the provider doesn't report is None.

    Attributes:
        state: Its state.
        exit_code: The exit status of its command.
        detail: More about it, cleaned, in the provider's words.
        name: Its name, cleaned.
        started_at: When it began (epoch seconds).
        ended_at: When it ended (epoch seconds).
        submitted_at: When it was submitted (epoch seconds). It may have waited in a queue since.
        remote_id: Its id, if that has changed.
        is_last: Whether the provider will never report more, so that there is no point in waiting for the run
            to end.
        was_killed: Whether a signal ended it. Such a signal may come from a stop, but also, for example, from
            a system that has run out of memory.
    """

    state: RunState
    exit_code: int | None = None
    detail: str | None = None
    name: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    submitted_at: float | None = None
    remote_id: str | None = None
    is_last: bool = False
    was_killed: bool = False


def drop_impossible_run_times(seen: ObservedRun, now: float) -> ObservedRun:
    """Return an observation of a run with any future timestamps removed."""
    latest = now + MAX_CLOCK_SKEW_SECONDS
    started_at, ended_at = drop_future_time(seen.started_at, latest), drop_future_time(seen.ended_at, latest)
    submitted_at = drop_future_time(seen.submitted_at, latest)
    if (started_at, ended_at, submitted_at) == (seen.started_at, seen.ended_at, seen.submitted_at):
        return seen
    return replace(seen, started_at=started_at, ended_at=ended_at, submitted_at=submitted_at)


@dataclass(frozen=True, slots=True)
class DiscoveredRun:
    """A run found in a user's account.

    Attributes:
        remote_id: Its id at the provider.
        name: Its name at the provider, cleaned.
        observed: What the list says about it.
        machine: Its machine and price, if the list shows them.
    """

    remote_id: str
    name: str
    observed: ObservedRun
    machine: MachineKind | None = None


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """A piece of a run's output, as received.

    Attributes:
        stream: ``stdout`` or ``stderr``.
        text: The text, which may end in the middle of a line.
    """

    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, slots=True)
class OutputTail:
    """A run's output as messages show it: the end of its text, the number of lines, and the last lines."""

    tail: str
    lines: int
    is_over: bool
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(WorkItem):
    """A run of a job, with the user who launched it, the form they filled in, and its progress.

    ``requested_stop`` is the stop that the user asked for. The outcome is ``ended`` (``state`` says how),
    ``failed`` (never launched, or lost) or ``cancelled``. ``is_watched`` means that its output is being
    followed, to be shown on the card and sent as a file. A run has no deadline as long as the provider shows
    it. Providers read:

    Attributes:
        name: The name that users see.
        spec: The form values that it was launched with; None if it wasn't launched by Usher.
        remote_id: Its id at the provider; None until the provider accepts it.
        state: Its state as last read.
    """

    name: str
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
    #: The run's template, machine size and hourly price, as far as known.
    template: str | None = None
    size: str | None = None
    price: str | None = None
    currency: str | None = None
    #: What recent reads have reported about the run but not yet confirmed. For example, the provider may no
    #: longer list it.
    unconfirmed: Unconfirmed | None = None

    @property
    def title(self) -> str:
        """Return the name by which the user knows the run."""
        return self.name

    @property
    def hourly_price(self) -> Price | None:
        """Return the hourly price, or None if it isn't known."""
        return parse_price(self.price, self.currency)

    @property
    def is_going(self) -> bool:
        """Return whether the run may still be in progress, as far as Usher knows."""
        return self.is_open and not self.state.is_over

    @property
    def is_late(self) -> bool:
        """Return whether the user was told that the run hasn't started or can't be read."""
        return self.is_open and self.blocked_since is not None and self.deadline_at is None


def recognize_stop(run: Run, seen: ObservedRun) -> ObservedRun:
    """Return an observation of a run, as cancelled if the stop that Usher has sent ended the run.

    Some providers report a run that was killed as failed, whoever killed it.
    """
    is_sent = bool(run.requested_stop) and run.stop_call is not Call.NONE
    if seen.was_killed and is_sent and seen.state is RunState.FAILED:
        return replace(seen, state=RunState.CANCELLED)
    return seen
