"""Scheduled work: kinds of rows that come due, each processed by a use case in its owner's name.

A kind is declared in the module of its use cases, and ``bot.reconciler.scheduled_work`` runs them all. A
claimed row is due again after a while, so work that a crash interrupted is done later. ``carry_out`` does
nothing if the row has changed since the claim.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from bot.domain.people import Principal
from bot.services.caller import Caller
from bot.services.context import Context
from bot.store.leases import MAX_CLAIM_SECONDS
from bot.store.transaction import Transaction
from bot.support.errors import Refused

#: Seconds for which a row is claimed, unless its work sets another due time.
CLAIM_LEASE_SECONDS: Final = MAX_CLAIM_SECONDS
#: Seconds until the next try while Slack can't identify a person.
RETRY_SECONDS: Final = 30.0
#: Seconds after which a workspace is read again before anything is decided; and the longest wait for that.
FRESH_SECONDS: Final = 60.0
READ_TIMEOUT_SECONDS: Final = 30.0
#: Seconds between checks whether such a read has come.
POLL_SECONDS: Final = 5.0


class OwnedRow(Protocol):
    """A row with its key and its owner."""

    @property
    def id(self) -> str:
        """Return its key."""
        ...

    @property
    def principal(self) -> Principal:
        """Return its owner."""
        ...


R = TypeVar("R", bound=OwnedRow)


def raise_refusal(_tx: Transaction, _caller: Caller, _row: Any, refusal: Refused) -> None:
    """Raise a refusal as an error."""
    raise refusal


def leave_claimed(_tx: Transaction, _caller: Caller, _row: Any) -> None:
    """Leave a row until it is due again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledWork(Generic[R]):
    """A kind of work on rows that come due.

    ``refuse`` handles a refusal of the work; ``later`` sets when to try again while Slack can't identify the
    owner. ``key`` returns the inbox key for a row's due time, "" for none.
    """

    name: str
    claim: Callable[[Transaction, Context], Sequence[R]]
    carry_out: Callable[[Transaction, Caller, R], None]
    refuse: Callable[[Transaction, Caller, R, Refused], None] = raise_refusal
    later: Callable[[Transaction, Caller, R], None] = leave_claimed
    key: Callable[[R], str] = lambda _: ""
