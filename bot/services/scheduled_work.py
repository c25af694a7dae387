"""Scheduled work: kinds of due rows, each run as a use case in its person's name.

A kind is declared in the module of its use cases; ``bot.reconciler.scheduled_work`` drives them all. A claim
makes its rows due again after a while, so what a crash cuts short is done later; ``carry_out`` leaves alone
what somebody has changed since.
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

#: For how long a row is claimed that nothing else makes due again.
CLAIM_LEASE_SECONDS: Final = MAX_CLAIM_SECONDS
#: When to ask again while Slack can't say who somebody is.
RETRY_SECONDS: Final = 30.0
#: A workspace read longer ago than this is read again before anything is decided, and waited for this long.
FRESH_SECONDS: Final = 60.0
READ_TIMEOUT_SECONDS: Final = 30.0
#: How often it is looked whether such a read has come.
POLL_SECONDS: Final = 5.0


class OwnedRow(Protocol):
    """A row with its key and its person."""

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
    """A kind of work on rows that come due; those with a smaller ``order`` go first in a step.

    ``refuse`` writes what follows where it may not be carried out, ``later`` when to try again while Slack
    can't say who somebody is. ``key`` is the inbox key of a row's due time, if it is told from others by one.
    """

    name: str
    order: int
    claim: Callable[[Transaction, Context], Sequence[R]]
    carry_out: Callable[[Transaction, Caller, R], None]
    refuse: Callable[[Transaction, Caller, R, Refused], None] = raise_refusal
    later: Callable[[Transaction, Caller, R], None] = leave_claimed
    key: Callable[[R], str] = lambda _: ""
