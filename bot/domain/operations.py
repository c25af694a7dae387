"""Operations: people's requests about workspaces, and their progress."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from bot.domain.holds import NOTHING, Hold
from bot.domain.row_times import Past, Since, Stays
from bot.domain.stops import Consent
from bot.domain.work_items import Call, WorkItem
from bot.domain.workspaces import State

#: Remarks in an answer if something else happens than the verb alone suggests; "" if nothing does.
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
#: Remarks that a read has to confirm before anything is done. If the read confirms it, nothing is done.
CHECKED: Final[frozenset[Remark]] = frozenset({"starting_running", "stopping_stopped", "suspended_already"})


#: Seconds after its time from which a planned start counts as late.
LATE_START_SECONDS: Final = 300.0
#: Seconds within which a call counts as sent at once, so that durations count from the request.
MAX_PROMPT_SECONDS: Final = 15.0


class OperationVerb(StrEnum):
    """Verbs of requests about a workspace."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    CREATE = "create"
    SUSPEND = "suspend"
    #: A stop that doesn't ask the IDE first, so that unsaved work is lost.
    FORCE = "force"
    REMOVE = "remove"

    @property
    def brings_down(self) -> bool:
        """Return whether the verb brings a workspace down; the other verbs lead to a running workspace."""
        return self in (OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE, OperationVerb.REMOVE)

    @property
    def expires(self) -> bool:
        """Return whether its call isn't sent after the deadline; stops are, as they only end what runs."""
        return not self.brings_down or self is OperationVerb.REMOVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(WorkItem):
    """A person's request about a workspace, and its progress.

    ``read_since``: after an unknown outcome, a read later than this is required before the next call.
    ``called_from`` is the last known state when the call was sent. If that was *failed*, an early read may
    still show the earlier failure. ``prior_call`` and ``prior_at`` describe the opposite call of the previous
    operation, which may still take effect. ``failed_at`` is the first read since the call that found the
    workspace failed, which another read has to confirm.
    """

    workspace_id: str
    verb: OperationVerb
    deadline_number: int = 1
    called_from: State | None = None
    prior_call: Call = Call.NONE
    prior_at: Since | None = None
    read_since: Past | None = None
    failed_at: Past | None = None
    #: Whether the person agreed to an irreversible end of the workspace. A restart then creates a new one
    #: from the same spec, as it does if the workspace has failed irreversibly. From then on the verb is
    #: CREATE, with this set.
    agreed: Consent = Consent.NONE
    #: The time of the timer or plan that it carries out; None if its person asked for it directly.
    planned_for: Stays | None = None
    #: Until when a planned start may be sent; None: until the deadline.
    good_until: Stays | None = None
    #: The last reason that held it up before it was sent.
    delayed_by: Hold = NOTHING
    #: Seconds that the workspace was to run from the request on, if the person said so; 0: it isn't to be
    #: started at all.
    run_seconds: Stays | None = None
    #: Usual seconds of such starts, and seconds after which one is slow, as known when it was accepted.
    usual_seconds: Stays | None = None
    slow_seconds: Stays | None = None

    @property
    def creates_stopped(self) -> bool:
        """Return whether it creates the workspace without starting it."""
        return self.run_seconds == 0.0

    @property
    def has_lapsed(self) -> bool:
        """Return whether its deadline passed before anything was sent, so that its person is asked first."""
        is_late = self.is_open and self.deadline_at is None and self.good_until is None
        return is_late and self.verb.expires and not self.has_called

    @property
    def is_planned_ahead(self) -> bool:
        """Return whether it is a planned start that is still to be sent."""
        return self.is_open and self.good_until is not None and not self.has_called

    @property
    def was_sent_late(self) -> bool:
        """Return whether it is a planned start that was sent late."""
        latest = (self.planned_for or 0.0) + LATE_START_SECONDS
        return self.good_until is not None and self.called_at is not None and self.called_at >= latest

    @property
    def began_at(self) -> float:
        """Return the time from which its duration counts: its request, or its call if that had to wait."""
        was_prompt = self.called_at is None or self.called_at - self.created_at < MAX_PROMPT_SECONDS
        return self.created_at if was_prompt else self.called_at or self.created_at

    @property
    def usual_end_at(self) -> float | None:
        """Return the time by which such starts are usually ready, None if that isn't known."""
        return None if self.usual_seconds is None else self.began_at + self.usual_seconds

    @property
    def slow_at(self) -> float | None:
        """Return the time from which the start is slow, None if that isn't known."""
        return None if self.slow_seconds is None else (self.called_at or self.created_at) + self.slow_seconds

    @property
    def seconds_waited(self) -> float | None:
        """Return the seconds from the request to the end; None if it was planned, not sent or isn't over.

        The call alone would leave out queues, retries and outages before it. If the clock was set back in
        between, the length is unknown (None).
        """
        if self.ended_at is None or self.called_at is None or self.planned_for is not None:
            return None
        seconds = self.ended_at - self.created_at
        return seconds if seconds > 0.0 else None

    @property
    def asked_verb(self) -> OperationVerb:
        """Return the verb that the person asked for: RESTART if this creates the workspace's replacement."""
        return OperationVerb.RESTART if self.replaces_ended_workspace else self.verb

    @property
    def replaces_ended_workspace(self) -> bool:
        """Return whether it creates the replacement of a workspace that a restart ended."""
        return bool(self.agreed) and self.verb is OperationVerb.CREATE
