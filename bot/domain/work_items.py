"""Work items: operations and runs, each done for a person in steps until it ends."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.holds import Hold
from bot.domain.people import Principal
from bot.domain.row_times import Deadline, Past, Since, Step

#: How long a work item may take before its person is told, in seconds.
DEADLINE_SECONDS: Final = 1800.0
#: The cause of an open one whose last call was refused with the credential.
UNAUTHORIZED: Final = "credential_refused"
#: The first word of the cause of an open one whose last call was refused because it is so already.
LOST_TRACK: Final = "lost_track"
#: The first word of the cause of an open one whose last call was refused because something else is under way.
CONFLICT: Final = "conflict"


class Outcome(StrEnum):
    """Outcomes of an operation or a run."""

    FULFILLED = "fulfilled"
    #: Of a run, whose state says how.
    ENDED = "ended"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    #: It can't be determined whether it succeeded.
    UNKNOWN = "unknown"


class Call(StrEnum):
    """Knowledge about the one call that starts or stops something.

    ``CALLING`` is committed before the request is sent; found after a crash, it means *unknown*, and becomes
    *interrupted* where its process is known to be dead.
    """

    NONE = "none"
    CALLING = "calling"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    #: Unknown, and its process has died: nobody can be sending it any more.
    INTERRUPTED = "interrupted"

    @property
    def is_unsure(self) -> bool:
        """Return whether the call's outcome isn't known yet."""
        return self in (Call.CALLING, Call.UNKNOWN, Call.INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """Work for a person, done in steps until it ends: an operation, or a run of a job.

    ``start_call`` is what is known of the call that starts, creates or launches, ``stop_call`` of the one
    that stops. It is open until ``outcome`` is set; ``cause`` then names a text. ``attempts`` counts
    temporary failures in a row, ``deadline_number`` the deadlines set so far. The person is told at
    ``deadline_at``, which is None afterwards; from then on no call is sent that ``expires``, unless they keep
    waiting or ask again.

    ``called_at`` is when its call was committed; clock healing moves it. ``sent_at`` is the same time by the
    provider's clock: what a creation or launch made is recognised by its age. ``unknown_since`` is when the
    call's outcome became unknown, ``question_since`` since when the person is asked whether to repeat it, and
    ``blocked_since`` since when it has been held up for the current cause. ``busy_since`` is since when its
    call has been refused because the provider is busy, with it or altogether, and ``retry_at`` when it may be
    sent again.
    """

    id: str
    principal: Principal
    connection: str
    created_at: Past
    reference: str = ""
    #: The channel of the command: used to tell the person when direct messages don't reach them.
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
    #: What is holding it up now.
    block_reason: Hold | None = None
    outcome: Outcome | None = None
    #: Why it ended as it did. While it is open, what its last call was refused with: a read, or another try,
    #: tells whether that was about the call.
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
        """Return whether its call has failed for now, and will be sent again."""
        return self.is_open and self.attempts > 0 and self.start_call is not Call.ACCEPTED

    @property
    def was_unauthorized(self) -> bool:
        """Return whether the credential was refused for its last call, which is tried once more."""
        return self.is_open and self.cause == UNAUTHORIZED

    @property
    def refusal(self) -> str | None:
        """Return the cause to fail with unless a read shows that its last call isn't needed."""
        is_other = self.was_unauthorized or bool(self.contradiction or self.conflict)
        return self.cause if self.is_open and self.cause and not is_other else None

    @property
    def contradiction(self) -> str | None:
        """Return the cause to fail with unless a read confirms that it is so already."""
        return self.cause if self.is_open and (self.cause or "").startswith(LOST_TRACK) else None

    @property
    def conflict(self) -> str | None:
        """Return the cause of the last call's refusal if that passes: something else is under way."""
        is_refused = self.is_open and self.busy_since is not None
        return self.cause if is_refused and (self.cause or "").startswith(CONFLICT) else None

    @property
    def is_asked(self) -> bool:
        """Return whether its person is being asked whether to repeat it."""
        return self.is_open and self.question_since is not None
