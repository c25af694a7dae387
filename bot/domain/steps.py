"""A step of an operation or a run: what was claimed for it, and what it learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.domain.forms import FreeName
from bot.domain.holds import Hold
from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.domain.people import Person
from bot.domain.reads import Unconfirmed
from bot.domain.runs import ObservedRun, Run
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State, Workspace

_Subject = TypeVar("_Subject", Operation, Run)


@dataclass(frozen=True, slots=True)
class Update:
    """The changes that a step writes. None leaves a column unchanged; an empty ``block_reason`` clears it.

    ``next_in`` is the seconds until the next step. With ``outcome`` the operation or run ends. While a call
    is in flight (``CALLING``) the lease is kept for ``next_in`` instead of released, so that no second step
    can run at the same time; wake-ups recorded meanwhile take effect at the next save.
    """

    id: str
    next_in: float
    #: For operations. ``read``: any recorded read wakes it; ``change``: only one that changes its state, url
    #: or actions, or what holds it up; ``time``: only ``next_in``.
    waits_for: Literal["read", "change", "time"] = "time"
    start_call: Call | None = None
    stop_call: Call | None = None
    called: bool = False  #: set ``called_at`` and ``sent_at`` to the store's now
    called_from: State | None = None  #: with ``called``, for operations: what the workspace was doing
    attempts: int | None = None
    block_reason: Hold | None = None
    outcome: Outcome | None = None
    cause: str | None = None  #: how it ended; without ``outcome`` why its last call was refused, "" for not
    deadline_passed: bool = False  #: clear ``deadline_at``: the person was told
    asked: bool | None = None  #: from now on the person is asked whether to repeat it; False: no longer
    #: The call was refused as its provider is busy: since when, and when it may be sent again.
    busy_since: float | None = None
    retry_at: float | None = None
    keeps_waiting: bool = False  #: their answer when asked: the time to answer restarts
    #: With ``outcome``: ``question_since`` when the end was decided, so that an answer given since isn't
    #: lost.
    question_since: float | None = None
    card_dirty: bool = False
    notices: Sequence[NewNotice] = ()  #: a subject of "" becomes the id
    audit: Sequence[AuditEntry] = ()
    #: With a call: as whom it was decided that it may be made. It isn't committed to if that has changed.
    account: Account | None = None
    person: Person | None = None
    #: ``Claimed.claim``. "" is for writers other than the step: their changes apply, but a running step keeps
    #: its lease, and the next step follows as soon as that one is saved.
    claim: str = ""

    # For operations.
    read_needed: bool = False  #: set ``read_since`` to the store's now, and make the gate due
    wants_read: bool = False  #: make the gate due as ``gates.want`` does, in the same transaction
    failed_at: float | None = None  #: ``Operation.failed_at``
    hides: bool = False  #: with ``outcome``: remove the workspace from its person's list
    name: FreeName | None = None  #: with the first call of a creation: what the workspace is called

    # For runs.
    remote_id: str | None = None
    observed: ObservedRun | None = None
    unconfirmed: Unconfirmed | None = None
    #: It can't be read: tell the person after this many seconds, unless it is seen queued or running first.
    deadline_in: float | None = None

    @property
    def is_calling(self) -> bool:
        """Return whether a call is sent once this is saved."""
        return Call.CALLING in {self.start_call, self.stop_call}


@dataclass(frozen=True, slots=True)
class Claimed(Generic[_Subject]):
    """Hold a claimed operation or run with everything a step needs.

    ``account`` is None after an unlink, ``person`` until they have been looked up. ``claim`` identifies this
    lease: passed back with an update, it keeps a step whose lease expired from overwriting its successor.
    """

    subject: _Subject
    account: Account | None
    person: Person | None
    claim: str
    #: The row that it is, for saving what follows from it.
    row: dict[str, Any]

    def update(self, next_in: float) -> Update:
        """Return an update that carries this step's claim, for ``replace`` to add its changes to."""
        return Update(self.subject.id, next_in, claim=self.claim)


@dataclass(frozen=True, slots=True)
class ClaimedOperation(Claimed[Operation]):
    """Hold a claimed operation with its workspace."""

    workspace: Workspace

    @property
    def operation(self) -> Operation:
        """Return the claimed operation."""
        return self.subject


class ClaimedRun(Claimed[Run]):
    """Hold a claimed run."""

    __slots__ = ()

    @property
    def run(self) -> Run:
        """Return the claimed run."""
        return self.subject
