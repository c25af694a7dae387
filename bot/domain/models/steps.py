"""What a step is given, and what it leaves to be written: for operations and for runs of jobs alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from bot.domain.models.notices import NewNotice
from bot.domain.models.operations import Call, Operation, Outcome
from bot.domain.models.people import Account, Person
from bot.domain.models.runs import ObservedRun, Run, RunOutcome
from bot.domain.models.work import AuditEntry
from bot.domain.models.workspaces import Doubt, Workspace

_Subject = TypeVar("_Subject", Operation, Run)


@dataclass(frozen=True, slots=True)
class Update:
    """Describe what a step learned. None leaves a column as it is; ``hold`` "" clears it.

    ``next_in`` is seconds until the next step. With ``outcome`` the operation or run ends. While a call is
    under way (``CALLING``) the lease is kept for ``next_in`` instead of given back, so nothing can wake a
    second step beside it; what was recorded meanwhile counts at the next save.
    """

    id: str
    next_in: float
    #: Of operations. ``read``: any recorded read wakes it; ``change``: only one that changes state, url,
    #: detail or progress; ``time``: only ``next_in``.
    waits_for: Literal["read", "change", "time"] = "time"
    start_call: Call | None = None  #: of operations
    launch_call: Call | None = None  #: of runs
    stop_call: Call | None = None
    called: bool = False  #: set ``called_at`` and ``sent_at`` to the store's now
    attempts: int | None = None
    hold: str | None = None
    outcome: Outcome | RunOutcome | None = None
    cause: str | None = None
    deadline_passed: bool = False  #: clear ``deadline_at``: the person was told
    asked: bool | None = None  #: its person is asked from now on whether to do it once more; False: no more
    looks_again: bool = False  #: its person, who is asked, waits on: the time to answer begins again
    #: With ``outcome``: since when its person was asked when the end was decided; an answer since counts.
    asked_at: float | None = None
    card_dirty: bool = False
    notices: Sequence[NewNotice] = ()  #: a subject of "" becomes the id
    audit: Sequence[AuditEntry] = ()
    #: ``Claimed.claim``. "" is for others: what they write counts, but a step under way keeps its lease, and
    #: the next one comes as soon as that one is saved.
    claim: str = ""

    # Of operations.
    read_needed: bool = False  #: set ``read_since`` to the store's now, and make the gate due
    wants_read: bool = False  #: make the gate due as ``want_read`` does, in the same transaction
    progress_floor: int | None = None
    hides: bool = False  #: with ``outcome``: take the workspace off its person's list

    # Of runs.
    remote_id: str | None = None
    observed: ObservedRun | None = None
    doubt: Doubt | None = None
    #: It can't be looked at, which is told after so many seconds; seen queued or running ends both.
    deadline_in: float | None = None


@dataclass(frozen=True, slots=True)
class Claimed(Generic[_Subject]):
    """Hold a claimed operation or run with all that a step needs.

    ``account`` is None after an unlink, ``person`` while nobody has looked them up yet. ``claim`` names this
    lease: handed back with an update, it keeps a step whose lease ran out from writing over the one that came
    after it.
    """

    subject: _Subject
    account: Account | None
    person: Person | None
    claim: str

    def update(self, next_in: float, **fields: Any) -> Update:
        """Return an update of this step's own; the fields are those of ``Update``."""
        return Update(self.subject.id, next_in, claim=self.claim, **fields)


@dataclass(frozen=True, slots=True)
class ClaimedOperation(Claimed[Operation]):
    """Hold a claimed operation with its workspace."""

    workspace: Workspace

    @property
    def operation(self) -> Operation:
        """Return what is stepped."""
        return self.subject


class ClaimedRun(Claimed[Run]):
    """Hold a claimed run."""

    __slots__ = ()

    @property
    def run(self) -> Run:
        """Return what is stepped."""
        return self.subject
