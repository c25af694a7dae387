"""Steps of operations and runs: the rows that a step claims, and the changes that it saves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar

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


class Update(NamedTuple):
    """The changes that a step saves. If a field is None, its column doesn't change.

    An empty ``block_reason`` clears the stored one. ``next_in`` is the number of seconds until the next step.
    An update with an ``outcome`` ends the operation or run. While a call is in flight (``CALLING``), the step
    keeps its lease (its exclusive claim on the row) for ``next_in`` seconds, so no other step can run at the
    same time. A wake-up that is recorded in the meantime takes effect at the next save.
    """

    id: str
    next_in: float
    #: What wakes the operation before its next step is due: any recorded read (``read``), only a read that
    #: changes the state, URL, actions or hold (``change``), or nothing (``time``).
    waits_for: Literal["read", "change", "time"] = "time"
    start_call: Call | None = None
    stop_call: Call | None = None
    called: bool = False  #: whether to set ``called_at`` and ``sent_at`` to the store's time
    called_from: State | None = None  #: the workspace's state when an operation's call is sent
    attempts: int | None = None
    block_reason: Hold | None = None
    outcome: Outcome | None = None
    cause: str | None = None  #: why the item ended, or why its last call was refused ("" if it wasn't)
    deadline_passed: bool = False  #: clear ``deadline_at``, because the person is told now
    asked: bool | None = None  #: whether the person is now being asked whether to repeat the call
    #: When the provider began to refuse calls because it was too busy. ``retry_at`` is when the next call may
    #: be sent.
    busy_since: float | None = None
    retry_at: float | None = None
    #: Whether the user chose to keep waiting, which restarts the time for answering the question.
    keeps_waiting: bool = False
    #: The row's ``question_since`` when the step decided to end the operation or run. It is set only with an
    #: ``outcome``. If the row's value has changed since, for instance because the user has answered, the step
    #: is repeated instead.
    question_since: float | None = None
    card_dirty: bool = False
    notices: Sequence[NewNotice] = ()  #: notices to write; one without a subject is about this item
    audit: Sequence[AuditEntry] = ()
    #: The account and the person as they were when the step decided to make a call, or None if it makes no
    #: call. If either has changed since, the call isn't made.
    account: Account | None = None
    person: Person | None = None
    #: Identifies the lease (exclusive claim on the row) of the step that saves this update, as in
    #: ``Claimed.claim``. It is "" if something other than a step saves the update. The update is then saved
    #: even if a step is running. The running step keeps its lease, and the next step starts once it has
    #: ended.
    claim: str = ""

    # Only operations use the fields from here to ``name``.
    read_needed: bool = False  #: set ``read_since`` to the store's time, and request a read
    wants_read: bool = False  #: request a read in the same transaction, as ``gates.want`` does
    failed_at: float | None = None
    hides: bool = False  #: with an ``outcome``: remove the workspace from its owner's list
    name: FreeName | None = None  #: the new workspace's name, set with a creation's first call

    # Only runs use the fields from here on.
    remote_id: str | None = None
    observed: ObservedRun | None = None
    unconfirmed: Unconfirmed | None = None
    #: How many seconds to wait before the user is told that the run can't be read. They aren't told if a read
    #: succeeds before then.
    deadline_in: float | None = None

    @property
    def is_calling(self) -> bool:
        """Return whether a call will be sent as soon as this update has been saved."""
        return Call.CALLING in {self.start_call, self.stop_call}


@dataclass(frozen=True, slots=True)
class Claimed(Generic[_Subject]):
    """A claimed operation or run, with everything needed for a step.

    ``account`` is None if the user has unlinked it, and ``person`` is None until Slack has been asked about
    them. ``claim`` identifies this lease. Each update carries it, so that a step whose lease has expired
    can't overwrite the changes of a later step.
    """

    subject: _Subject
    account: Account | None
    person: Person | None
    claim: str
    #: The stored row, which is needed to save the step's result.
    row: dict[str, Any]

    def update(self, next_in: float, **changes: Any) -> Update:
        """Return an update with these changes and this step's claim."""
        return Update(self.subject.id, next_in, claim=self.claim, **changes)


@dataclass(frozen=True, slots=True)
class ClaimedOperation(Claimed[Operation]):
    """A claimed operation, with its workspace."""

    workspace: Workspace


class ClaimedRun(Claimed[Run]):
    """A claimed run."""

    __slots__ = ()
