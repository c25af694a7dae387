"""Work items: operations and runs. Each is done for a person, step by step, until it ends."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.holds import Hold
from bot.domain.people import Principal
from bot.domain.row_times import Deadline, Past, Since, Step

#: Seconds that a work item may take before its person is told.
DEADLINE_SECONDS: Final = 1800.0
#: Cause of an open work item whose last call was refused because of the credential.
UNAUTHORIZED: Final = "credential_refused"
#: First word of the cause if the provider refused the last call because the wanted state is reached already.
LOST_TRACK: Final = "lost_track"
#: First word of the cause if the provider refused the last call because another change is in progress.
CONFLICT: Final = "conflict"


class Outcome(StrEnum):
    """Outcomes of an operation or a run."""

    FULFILLED = "fulfilled"
    #: For a run, whose state says how it ended.
    ENDED = "ended"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    #: Nobody can tell whether it succeeded.
    UNKNOWN = "unknown"


class Call(StrEnum):
    """What is known about the one call that starts or stops something.

    ``CALLING`` is committed before the request is sent. Found after a crash it means *unknown*, and becomes
    *interrupted* once the process that sent it is known to be dead.
    """

    NONE = "none"
    CALLING = "calling"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    #: Unknown, and the process has died that was sending it.
    INTERRUPTED = "interrupted"

    @property
    def is_unsure(self) -> bool:
        """Return whether the call's outcome isn't known yet."""
        return self in (Call.CALLING, Call.UNKNOWN, Call.INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """Work for a person, done in steps until it ends: an operation, or a run of a job.

    ``start_call`` is the state of the call that starts, creates or launches, ``stop_call`` that of the call
    that stops. The item is open until ``outcome`` is set. ``cause`` then names a text. ``attempts`` counts
    temporary failures in a row, ``deadline_number`` the deadlines set so far. The person is told at
    ``deadline_at``, which is None afterwards. From then on no call is sent that ``expires``, unless the
    person keeps waiting or asks again.

    ``called_at`` is when its call was committed; clock corrections move it. ``sent_at`` is the same time
    unmoved, to recognise the result of a creation or launch by its age. ``unknown_since`` is when the call's
    outcome became unknown. The other times say since when the person has been asked whether to repeat the
    call (``question_since``), the current reason has held it up (``blocked_since``), and the provider has
    refused the call because it is busy (``busy_since``), and when it may be sent again (``retry_at``).
    """

    id: str
    principal: Principal
    connection: str
    created_at: Past
    reference: str = ""
    #: The channel of the command, to tell the person if direct messages don't reach them.
    channel_id: str | None = None
    start_call: Call = Call.NONE
    stop_call: Call = Call.NONE
    called_at: Since | None = None
    sent_at: Past | None = None
    unknown_since: Since | None = None
    question_since: Past | None = None
    blocked_since: Past | None = None
    busy_since: Since | None = None
    retry_at: Step | None = None
    deadline_at: Deadline | None = None
    deadline_number: int = 0
    attempts: int = 0
    next_step_at: Step = 0.0
    #: The reason that holds it up now.
    block_reason: Hold | None = None
    outcome: Outcome | None = None
    #: Why it ended as it did. While it is open, why its last call was refused. A read, or another try, then
    #: tells whether that matters.
    cause: str | None = None
    ended_at: Past | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the reconciler is still working on it."""
        return self.outcome is None

    @property
    def has_called(self) -> bool:
        """Return whether a call was sent for it."""
        return self.start_call is not Call.NONE or self.stop_call is not Call.NONE

    @property
    def is_failing(self) -> bool:
        """Return whether its call has failed temporarily and will be sent again."""
        return self.is_open and self.attempts > 0 and self.start_call is not Call.ACCEPTED

    @property
    def was_unauthorized(self) -> bool:
        """Return whether its last call was refused because of the credential; it is tried once more."""
        return self.is_open and self.cause == UNAUTHORIZED

    @property
    def refusal(self) -> str | None:
        """Return the cause to fail with, unless a read shows that the refused call isn't needed."""
        is_other = self.was_unauthorized or bool(self.contradiction or self.conflict)
        return self.cause if self.is_open and self.cause and not is_other else None

    @property
    def contradiction(self) -> str | None:
        """Return the cause to fail with, unless a read confirms that the wanted state is reached already."""
        return self.cause if self.is_open and (self.cause or "").startswith(LOST_TRACK) else None

    @property
    def conflict(self) -> str | None:
        """Return the cause of the last refusal if it passes: another change is still in progress."""
        is_refused = self.is_open and self.busy_since is not None
        return self.cause if is_refused and (self.cause or "").startswith(CONFLICT) else None

    @property
    def is_asked(self) -> bool:
        """Return whether its person is being asked whether to repeat its call."""
        return self.is_open and self.question_since is not None
