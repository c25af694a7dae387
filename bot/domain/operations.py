"""Operations: users' requests about workspaces, and their progress."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from bot.domain.holds import NOTHING, Hold
from bot.domain.row_times import Past, Since, Stays
from bot.domain.stops import Consent
from bot.domain.work_items import Call, WorkItem
from bot.domain.workspaces import State

#: A remark for the answer if Usher does something other than what the verb suggests, otherwise "".
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
#: Remarks, in the answer to a request, that the workspace already is in the requested state, for example
#: running. If a read confirms that, the operation has nothing left to do.
CHECKED: Final[frozenset[Remark]] = frozenset({"starting_running", "stopping_stopped", "suspended_already"})


#: How late a planned start must be, in seconds, to be reported as late.
LATE_START_SECONDS: Final = 300.0
#: If a start's call is sent within this many seconds of the request, the start's duration is measured from
#: the request. Otherwise, it is measured from the call.
MAX_PROMPT_SECONDS: Final = 15.0


class OperationVerb(StrEnum):
    """The verbs that users can request for a workspace."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    CREATE = "create"
    SUSPEND = "suspend"
    #: Stop the workspace without asking its IDE first, so unsaved work is lost.
    FORCE = "force"
    REMOVE = "remove"

    @property
    def brings_down(self) -> bool:
        """Return whether the verb brings a workspace down. All other verbs result in a running workspace."""
        return self in (OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE, OperationVerb.REMOVE)

    @property
    def expires(self) -> bool:
        """Return whether the call must be sent before the deadline. Stops needn't be."""
        return not self.brings_down or self is OperationVerb.REMOVE


#: Verbs whose operations are complete once the workspace is running.
BRINGING_UP: Final = frozenset(verb for verb in OperationVerb if not verb.brings_down)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(WorkItem):
    """A user's request about a workspace, and its progress.

    ``read_since`` is set after an unknown outcome. The next call then needs a read that is newer than this
    time. ``called_from`` is the last known state when the call was sent. If that was *failed*, an early read
    may still show the earlier failure. ``prior_call`` and ``prior_at`` describe the opposite call of the
    previous operation, which may still take effect. ``failed_at`` is the time of the first read since the
    call that found the workspace failed. Another read has to confirm that.
    """

    workspace_id: str
    verb: OperationVerb
    deadline_number: int = 1
    called_from: State | None = None
    prior_call: Call = Call.NONE
    prior_at: Since | None = None
    read_since: Past | None = None
    failed_at: Past | None = None
    #: Whether the user agreed that the workspace may be ended irreversibly. A restart may then end it and
    #: create a new one from the same spec. For that, the operation's verb is changed to CREATE, and
    #: ``agreed`` stays set. A workspace that has already ended by failing is replaced even without consent.
    agreed: Consent = Consent.NONE
    #: The time for which this operation's timer or plan was set, or None if the user requested it directly.
    planned_for: Stays | None = None
    #: The latest time at which a planned start may be sent. If it is None, only the deadline applies.
    good_until: Stays | None = None
    #: The last hold (the stored reason for waiting) before the operation's call was sent. It is kept, so that
    #: messages can explain why a start was late.
    delayed_by: Hold = NOTHING
    #: How long the user wants the workspace to keep running, in seconds from the request. None if they didn't
    #: say, and 0 if the workspace should be created without being started.
    run_seconds: Stays | None = None
    #: How many seconds a start like this usually takes, as estimated when the request was accepted. After
    #: ``slow_seconds``, the start counts as slow.
    usual_seconds: Stays | None = None
    slow_seconds: Stays | None = None

    @property
    def creates_stopped(self) -> bool:
        """Return whether the operation creates the workspace without starting it."""
        return self.run_seconds == 0.0

    @property
    def has_lapsed(self) -> bool:
        """Return whether the deadline passed before a call was sent, so that the user must be asked first."""
        is_late = self.is_open and self.deadline_at is None and self.good_until is None
        return is_late and self.verb.expires and not self.has_called

    @property
    def is_planned_ahead(self) -> bool:
        """Return whether this is a planned start that hasn't been sent yet."""
        return self.is_open and self.good_until is not None and not self.has_called

    @property
    def was_sent_late(self) -> bool:
        """Return whether this is a planned start that was sent late."""
        latest = (self.planned_for or 0.0) + LATE_START_SECONDS
        return self.good_until is not None and self.called_at is not None and self.called_at >= latest

    @property
    def began_at(self) -> float:
        """Return the time from which a start is measured: the request or, if that had to wait, the call."""
        was_prompt = self.called_at is None or self.called_at - self.created_at < MAX_PROMPT_SECONDS
        return self.created_at if was_prompt else self.called_at or self.created_at

    @property
    def usual_end_at(self) -> float | None:
        """Return when a start like this is usually ready, or None if that isn't known."""
        return None if self.usual_seconds is None else self.began_at + self.usual_seconds

    @property
    def slow_at(self) -> float | None:
        """Return the time after which the start counts as slow, or None if that isn't known."""
        return None if self.slow_seconds is None else (self.called_at or self.created_at) + self.slow_seconds

    @property
    def seconds_waited(self) -> float | None:
        """Return how many seconds passed between the request and the end.

        Return None if the operation was planned, was never sent, or isn't over. Counting from the call would
        leave out any queues, retries and outages before it. If the clock was set back in between, the
        duration is unknown (None).
        """
        if self.ended_at is None or self.called_at is None or self.planned_for is not None:
            return None
        seconds = self.ended_at - self.created_at
        return seconds if seconds > 0.0 else None

    @property
    def asked_verb(self) -> OperationVerb:
        """Return the verb that the user asked for. For the creation in a restart, that is RESTART."""
        return OperationVerb.RESTART if self.replaces_ended_workspace else self.verb

    @property
    def replaces_ended_workspace(self) -> bool:
        """Return whether this operation creates the replacement for a workspace that a restart ended."""
        return bool(self.agreed) and self.verb is OperationVerb.CREATE
