"""The interface between the store's logic and an engine: transactions of named queries.

Only the engine differs between databases. The logic is synchronous and written once; it may be rerun from the
start (after a rolled-back group), so it must change nothing but the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Protocol, TypeVar

from bot.store.store_time import ClockReading
from bot.support.clock import Clock, Ids

Result = TypeVar("Result")
Row = dict[str, Any]
Parameters = dict[str, Any]


class Priority(IntEnum):
    """Name how soon work is wanted; lower goes first."""

    URGENT = 0  #: a person is waiting: 2 s, then StoreBusy
    STEADY = 1  #: steps, notices: 10 s
    RECORDS = 2  #: results of polls, written in batches; beside other records and claims, of any process
    CLAIMS = 3  #: due rows that nobody else may take: as steady work, and beside others as records
    IDLE = 4  #: what can wait until nobody else wants anything: 10 s, then StoreBusy


class Transaction(Protocol):
    """Run queries within one transaction: those of ``queries.sql`` by name, others as they are."""

    ids: Ids

    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows."""
        ...

    def one(self, query: str, **params: Any) -> Row | None:
        """Return the first row."""
        ...

    def run(self, query: str, **params: Any) -> int:
        """Run a statement; return how many rows were written."""
        ...

    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        """Run a statement for each set of parameters, in no order; the statement must be made for it."""
        ...

    def now(self) -> float:
        """Return the store's epoch seconds."""
        ...

    @property
    def changes(self) -> int:
        """Return how many rows were changed on this connection so far."""
        ...


Work = Callable[[Transaction], Result]


class Engine(Protocol):
    """Supply transactions of one database. The errors are those of ``bot.store.store``.

    ``is_shared``: several processes may serve from it, and its clock is the time of all of them.
    """

    @property
    def is_shared(self) -> bool:
        """Return whether several processes may serve from it."""
        ...

    async def read(self, work: Work[Result], priority: Priority = Priority.URGENT) -> Result:
        """Run read-only work, on one snapshot of the database."""
        ...

    async def write(self, work: Work[Result], priority: Priority = Priority.STEADY, rows: int = 1) -> Result:
        """Run work that writes; durable when it returns. ``rows`` is its weight within a batch."""
        ...

    async def migrate(self, *, holds: bool = False) -> list[str]:
        """Bring the schema up to date; return the names of the migrations that ran.

        Raise StoreTooNew, StoreUnreleased or StoreInUse.

        ``holds``: serve from this database until it is closed; alone, unless it is shared.
        """
        ...

    def now(self) -> float:
        """Return the store's epoch seconds."""
        ...

    def serves(self) -> None:
        """Move times along with the clock from now on; those left by an earlier process are healed."""
        ...

    def clock_reading(self) -> ClockReading:
        """Return how far the store's time is ahead of the machine's monotonic clock."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the clock that tells everybody's time: the machine's, or that of a shared database."""
        ...

    def end_within(self, seconds: float) -> None:
        """Let nobody wait longer than so many seconds from now, because the process ends."""
        ...

    async def hint(self) -> None:
        """Let the processes that listen look for work now."""
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever another process gives a hint, until cancelled."""
        ...

    async def tidy(self) -> None:
        """Reclaim the space of deleted rows, as long as nothing else is to do."""
        ...

    async def close(self) -> None:
        """Finish what is queued and close the database."""
        ...
