"""Work items: operations and runs. Each is carried out for a user, step by step, until it ends."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.holds import Hold
from bot.domain.people import Principal
from bot.domain.row_times import Deadline, Past, Retry, Since, Step

#: How long, in seconds, a work item may take before the user is told that it is late.
DEADLINE_SECONDS: Final = 1800.0
#: The ``cause`` of an open work item whose last call was refused because of the credential.
UNAUTHORIZED: Final = "credential_refused"
#: First word of ``cause`` if the provider refused a call because the workspace was already in the desired
#: state. The item fails with this cause unless a read confirms that state.
LOST_TRACK: Final = "lost_track"
#: First word of ``cause`` if the provider refused the last call because another change was in progress.
CONFLICT: Final = "conflict"


class Outcome(StrEnum):
    """The possible outcomes of an operation or a run."""

    FULFILLED = "fulfilled"
    #: The run has ended, and its state says how. Operations don't have this outcome.
    ENDED = "ended"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    #: Usher can't find out whether the operation or run succeeded.
    UNKNOWN = "unknown"


class Call(StrEnum):
    """What is known about a call that starts or stops something.

    ``CALLING`` is committed before the request is sent. After a crash, it means *unknown*, and it becomes
    *interrupted* once the process that sent the call is known to be dead.
    """

    NONE = "none"
    CALLING = "calling"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    #: The call's outcome is unknown, and the process that was sending it has died.
    INTERRUPTED = "interrupted"

    @property
    def is_unsure(self) -> bool:
        """Return whether the call's outcome isn't known yet."""
        return self in (Call.CALLING, Call.UNKNOWN, Call.INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """Work that is done for a user in steps until it ends: an operation, or a run of a job.

    ``start_call`` is the state of the call that starts, creates or launches, and ``stop_call`` is the state
    of the call that stops. The item is open until ``outcome`` is set. ``cause`` then names the text that
    explains it. ``attempts`` counts temporary failures in a row, and ``deadline_number`` the deadlines set so
    far. At ``deadline_at``, which is None afterwards, the user is told that the item is late. From then on,
    no call that ``expires`` is sent, unless the user keeps waiting or asks again.

    ``called_at`` is when the item's call was committed. Clock corrections change it. ``sent_at`` is the same
    time without corrections, used to recognise the result of a creation or launch by its age.
    ``unknown_since`` is when the call's outcome became unknown. The other times are when the user was first
    asked whether to repeat the call (``question_since``), when the current reason began to hold the work up
    (``blocked_since``), when the provider began to refuse the call because it is busy (``busy_since``), and
    when the call may be sent again (``retry_at``).
    """

    id: str
    principal: Principal
    connection: str
    created_at: Past
    reference: str = ""
    #: The channel where the user typed the command, used to reach them if direct messages fail.
    channel_id: str | None = None
    start_call: Call = Call.NONE
    stop_call: Call = Call.NONE
    called_at: Since | None = None
    sent_at: Past | None = None
    unknown_since: Since | None = None
    question_since: Past | None = None
    blocked_since: Past | None = None
    busy_since: Since | None = None
    retry_at: Retry | None = None
    deadline_at: Deadline | None = None
    deadline_number: int = 0
    attempts: int = 0
    next_step_at: Step = 0.0
    #: Why the work item can't continue at the moment.
    block_reason: Hold | None = None
    outcome: Outcome | None = None
    #: Why the item ended or, while it is open, why its last call was refused. A read or another attempt may
    #: still show that the refusal doesn't matter.
    cause: str | None = None
    ended_at: Past | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the reconciler is still working on the item."""
        return self.outcome is None

    @property
    def has_called(self) -> bool:
        """Return whether a call has been sent for the item."""
        return self.start_call is not Call.NONE or self.stop_call is not Call.NONE

    @property
    def is_failing(self) -> bool:
        """Return whether the item's call failed temporarily and will be retried."""
        return self.is_open and self.attempts > 0 and self.start_call is not Call.ACCEPTED

    @property
    def was_unauthorized(self) -> bool:
        """Return whether the last call was refused because of the credential.

        If so, the call is sent once more.
        """
        return self.is_open and self.cause == UNAUTHORIZED

    @property
    def refusal(self) -> str | None:
        """Return the cause with which the item will fail, unless a read shows that the call isn't needed."""
        is_other = self.was_unauthorized or bool(self.contradiction or self.conflict)
        return self.cause if self.is_open and self.cause and not is_other else None

    @property
    def contradiction(self) -> str | None:
        """Return the cause with which the item will fail, unless a read confirms the desired state."""
        return self.cause if self.is_open and (self.cause or "").startswith(LOST_TRACK) else None

    @property
    def conflict(self) -> str | None:
        """Return the cause of the last refusal if it was temporary: another change was in progress."""
        is_refused = self.is_open and self.busy_since is not None
        return self.cause if is_refused and (self.cause or "").startswith(CONFLICT) else None

    @property
    def is_asked(self) -> bool:
        """Return whether the user is currently being asked whether to repeat the call."""
        return self.is_open and self.question_since is not None
