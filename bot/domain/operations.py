"""Operations: what a person asked Usher to do with a workspace, and its progress."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from bot.domain.holds import NOTHING, Hold
from bot.domain.row_times import Past, Since, Stays
from bot.domain.stops import Consent
from bot.domain.work_items import Call, WorkItem
from bot.domain.workspaces import State

#: What happens instead of what a verb alone suggests, "" for nothing else.
Remark = Literal[
    "",
    "calling_off",
    "renewing",
    "restarting_keeps",
    "resuming",
    "starting_after_stop",
    "starting_running",
    "stopping_pending",
    "stopping_started",
    "stopping_stopped",
    "suspended_already",
]
#: What is looked at again before anything is done; nothing is, if it is so.
CHECKED: Final[frozenset[Remark]] = frozenset({"starting_running", "stopping_stopped", "suspended_already"})


#: From how long after its time on a start by a plan counts as late.
LATE_START_SECONDS: Final = 300.0
#: What is sent within this many seconds counts from its request: nobody has to know of the call.
MAX_PROMPT_SECONDS: Final = 15.0


class OperationVerb(StrEnum):
    """Verbs of requests about a workspace."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    CREATE = "create"
    SUSPEND = "suspend"
    #: Stop without asking the IDE first: unsaved work is lost.
    FORCE = "force"
    REMOVE = "remove"

    @property
    def brings_down(self) -> bool:
        """Return whether it ends a running workspace; the other verbs result in a running one."""
        return self in (OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE, OperationVerb.REMOVE)

    @property
    def expires(self) -> bool:
        """Return whether its calls aren't sent after the deadline; a stop costs nothing but what runs."""
        return not self.brings_down or self is OperationVerb.REMOVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(WorkItem):
    """A person's request about a workspace, and its progress.

    ``read_since``: after an unknown outcome, a read later than this is required before the next call.
    ``called_from`` is the last known state when the call was sent; until then, *failed* is the prior call's.
    ``prior_call`` and ``prior_at`` describe the opposite call sent by the previous operation, which may still
    take effect. ``failed_at`` is the first read since the call that found the workspace failed; another
    confirms it.
    """

    workspace_id: str
    verb: OperationVerb
    deadline_number: int = 1
    called_from: State | None = None
    prior_call: Call = Call.NONE
    prior_at: Since | None = None
    read_since: Past | None = None
    failed_at: Past | None = None
    #: The person agreed that the workspace ends for good. A restart then creates a new one from the same
    #: spec, as it does for a workspace that failed for good: from then on its verb is CREATE, with this set.
    agreed: Consent = Consent.NONE
    #: The time of the timer that it carries out, if it does.
    planned_for: Stays | None = None
    #: Until when a start by a plan may be sent; None: until the deadline.
    good_until: Stays | None = None
    #: Its last block reason before it was sent.
    delayed_by: Hold = NOTHING
    #: For how many seconds its workspace was to run from when it was asked for, if that was said; 0: it isn't
    #: to be started at all.
    run_seconds: Stays | None = None
    #: How long such starts usually take, and after how long one is slow, as known when it was accepted.
    usual_seconds: Stays | None = None
    slow_seconds: Stays | None = None

    @property
    def creates_stopped(self) -> bool:
        """Return whether its workspace is made, and not started."""
        return self.run_seconds == 0.0

    @property
    def has_lapsed(self) -> bool:
        """Return whether its deadline has passed before anything was sent: its person is asked first."""
        is_late = self.is_open and self.deadline_at is None and self.good_until is None
        return is_late and self.verb.expires and not self.has_called

    @property
    def is_planned_ahead(self) -> bool:
        """Return whether it is a start by a plan that is still to be sent."""
        return self.is_open and self.good_until is not None and not self.has_called

    @property
    def was_sent_late(self) -> bool:
        """Return whether a start by a plan was sent late."""
        latest = (self.planned_for or 0.0) + LATE_START_SECONDS
        return self.good_until is not None and self.called_at is not None and self.called_at >= latest

    @property
    def began_at(self) -> float:
        """Return the begin of its duration: its request, or its call if that had to wait."""
        was_prompt = self.called_at is None or self.called_at - self.created_at < MAX_PROMPT_SECONDS
        return self.created_at if was_prompt else self.called_at or self.created_at

    @property
    def usual_end_at(self) -> float | None:
        """Return the time by which such starts are usually ready, None if that isn't known."""
        return None if self.usual_seconds is None else self.began_at + self.usual_seconds

    @property
    def slow_at(self) -> float | None:
        """Return the threshold of a slow start as a time, None if that isn't known."""
        return None if self.slow_seconds is None else (self.called_at or self.created_at) + self.slow_seconds

    @property
    def seconds_waited(self) -> float | None:
        """Return the seconds from its person's request to its end, None if it had no request or no call.

        What the call alone took says nothing of a queue, a retry or an outage before it. A clock that was
        moved back in between leaves the length unknown.
        """
        if self.ended_at is None or self.called_at is None or self.planned_for is not None:
            return None
        seconds = self.ended_at - self.created_at
        return seconds if seconds > 0.0 else None

    @property
    def asked_verb(self) -> OperationVerb:
        """Return the verb of the person's request: RESTART where this creates the replacement workspace."""
        return OperationVerb.RESTART if self.replaces_ended_workspace else self.verb

    @property
    def replaces_ended_workspace(self) -> bool:
        """Return whether it creates the replacement for a workspace that a restart ended."""
        return bool(self.agreed) and self.verb is OperationVerb.CREATE
