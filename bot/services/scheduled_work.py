"""Scheduled work: kinds of rows that become due. A use case processes each row on its owner's behalf.

Each kind is declared in the module that contains its use cases, and ``bot.reconciler.scheduled_work`` runs
them all. A process *claims* a due row, which reserves it for a while. After that, the row is due again, so
work interrupted by a crash is done later. ``carry_out`` does nothing if the row has changed since the claim.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from bot.domain.people import Principal
from bot.services.caller import Caller
from bot.services.context import Context
from bot.store.leases import MAX_CLAIM_SECONDS
from bot.store.transaction import Transaction
from bot.support.errors import Refused

#: How long a row stays claimed, in seconds, unless the work sets the row's next due time.
CLAIM_LEASE_SECONDS: Final = MAX_CLAIM_SECONDS
#: Delay, in seconds, before retrying scheduled work that isn't possible yet.
RETRY_SECONDS: Final = 30.0
#: Maximum age, in seconds, of a workspace's state that scheduled work may rely on. If the state is older, the
#: work waits up to ``READ_TIMEOUT_SECONDS`` for a new read.
FRESH_SECONDS: Final = 60.0
READ_TIMEOUT_SECONDS: Final = 30.0
#: How often, in seconds, to check whether a requested read of a workspace is done.
POLL_SECONDS: Final = 5.0


class OwnedRow(Protocol):
    """A row that has a key and an owner."""

    @property
    def id(self) -> str:
        """Return the row's key."""
        ...

    @property
    def principal(self) -> Principal:
        """Return the row's owner."""
        ...


R = TypeVar("R", bound=OwnedRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledWork(Generic[R]):
    """A kind of work that is done for rows when they become due.

    ``refuse`` handles a refusal of the work. ``later`` is called instead if Slack can't identify the owner.
    Without them, the row stays claimed, and is due again when the claim expires. ``key`` returns the
    inbox key for a row's due time, or "" for none.
    """

    name: str
    claim: Callable[[Transaction, Context], Sequence[R]]
    carry_out: Callable[[Transaction, Caller, R], None]
    refuse: Callable[[Transaction, Caller, R, Refused], None] | None = None
    later: Callable[[Transaction, Caller, R], None] | None = None
    key: Callable[[R], str] = lambda _: ""
