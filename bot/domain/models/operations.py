"""What people want: operations, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.models.people import Principal
from bot.domain.models.workspaces import State


class OperationVerb(StrEnum):
    """Name what a person can ask of a workspace."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    CREATE = "create"
    SUSPEND = "suspend"
    #: Stop without asking the IDE: what is not saved is lost.
    FORCE = "force"
    REMOVE = "remove"

    @property
    def brings_down(self) -> bool:
        """Say whether it ends what runs; the others end in something that runs."""
        return self in (OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE, OperationVerb.REMOVE)


class Outcome(StrEnum):
    """Name how an operation ended."""

    FULFILLED = "fulfilled"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    #: Nobody can tell whether it came true.
    UNKNOWN = "unknown"


class Call(StrEnum):
    """Name what is known of an operation's one start (or stop) call.

    ``CALLING`` is committed before the request leaves: claimed after a crash, it is *unknown*.
    """

    NONE = "none"
    CALLING = "calling"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"

    @property
    def is_unsure(self) -> bool:
        """Say whether nobody knows yet what became of it."""
        return self in (Call.CALLING, Call.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Surface:
    """Say where a request came from, so that its answer finds the way back."""

    kind: Literal["command", "button", "message", "mention", "view", "replay"]
    channel_id: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    is_direct: bool = False
    #: The inbox key: one effect per interaction, however often it arrives.
    interaction: str = ""
    #: The form that a request came from, or that its answer is to fill: Slack's id, or one of our own.
    view_id: str | None = None
    view_hash: str | None = None
    view_external_id: str | None = None

    @property
    def is_form(self) -> bool:
        """Say whether the answer redraws a form that is open."""
        return self.view_id is not None or self.view_external_id is not None


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold what a person wants, and how far it has come.

    It is open until ``outcome`` is set. ``deadline_number`` counts the deadlines that were set;
    ``deadline_at`` is None once the person was told that it takes longer. ``attempts`` counts temporary
    failures in a row.
    ``called_at`` is when its call was committed; it moves along with jumps of the clock. ``sent_at`` is the
    same, and no jump moves it: what a creation made is known by its age.
    ``read_since`` is the time after which a read must have happened before the next call (unknown outcomes).
    ``unknown_since`` is when the outcome of its call became unknown, ``called_from`` the state that was known
    when it left. ``prior_call`` is what the operation before it had sent the other way at ``prior_at``: that
    takes effect all the same. ``asked_at``: since when its person is asked whether to do it once more.
    ``held_since``: since when what holds it up does.
    """

    id: str
    principal: Principal
    workspace_id: str
    connection: str
    verb: OperationVerb
    created_at: float
    deadline_at: float | None
    deadline_number: int = 1
    start_call: Call = Call.NONE
    stop_call: Call = Call.NONE
    called_at: float | None = None
    sent_at: float | None = None
    unknown_since: float | None = None
    called_from: State | None = None
    prior_call: Call = Call.NONE
    prior_at: float | None = None
    asked_at: float | None = None
    held_since: float | None = None
    read_since: float | None = None
    attempts: int = 0
    next_step_at: float = 0.0
    outcome: Outcome | None = None
    cause: str | None = None
    ended_at: float | None = None
    #: The furthest that the card's bar has been, 0–100: it never goes back.
    progress_floor: int = 0
    #: A sentence on what holds it up right now ("Saturn Cloud has not answered since 14:02").
    hold: str | None = None
    reference: str = ""
    #: Its person agreed that the workspace ends for good. A restart then makes a new one from its spec, as it
    #: does of one that has failed for good: from that moment on it is an operation to create, and this is
    #: set.
    agreed: bool = False
    #: Where it was typed: there its person is told when no direct message reaches them.
    channel_id: str | None = None

    @property
    def asked_verb(self) -> OperationVerb:
        """Return what its person asked for: a restart, where another workspace is made for that."""
        return OperationVerb.RESTART if self.is_renewal else self.verb

    @property
    def is_renewal(self) -> bool:
        """Say whether it makes a workspace in the place of one that a restart has ended."""
        return self.agreed and self.verb is OperationVerb.CREATE

    @property
    def is_open(self) -> bool:
        """Say whether the reconciler still works on it."""
        return self.outcome is None

    @property
    def has_called(self) -> bool:
        """Say whether a call has left for it."""
        return self.start_call is not Call.NONE or self.stop_call is not Call.NONE
