"""The base class of both engines. An engine runs transactions on a database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import ClassVar

from bot.store.database_thread import Session, WriteQueue
from bot.store.transaction import (
    BESIDE,
    ClockReading,
    NotAlone,
    OnWrite,
    Priority,
    Result,
    StoreTime,
    Transaction,
    Work,
    keys_in_use,
    used_keys,
)
from bot.support.clock import Clock
from bot.support.errors import StoreMigrated


class Engine(ABC):
    """Runs transactions on a database in separate threads, and keeps the store's time.

    Its methods raise the errors described in ``bot.store.store``.
    """

    #: Whether several processes can share this database. If so, all of them use its clock.
    is_shared: ClassVar[bool] = False

    def __init__(self, clock: Clock, patience: Mapping[Priority, float]) -> None:
        #: The clock used for stored times: the machine's or, if the database is shared, the database's own.
        self.clock = clock
        self._time = StoreTime(clock)
        #: Whether this process serves people. If so, it adjusts the stored times when the clock jumps.
        self._serves = False
        self._on_migrated: Callable[[StoreMigrated], None] = lambda _: None
        self._write_queue = self._read_queue = WriteQueue(patience)

    @property
    def is_exclusive(self) -> bool:
        """Return whether no other process can be serving. If so, other processes' leases can be ignored."""
        return False

    @property
    def is_whole(self) -> bool:
        """Return whether the engine can read and write. If it can't, the process claims and owns nothing."""
        return True

    @property
    def problem(self) -> str:
        """Return why the engine can't read and write, in words for operators, or "" if it can."""
        return ""

    @property
    def warning(self) -> str:
        """Return a warning for operators if something is wrong even though the engine works, otherwise ""."""
        return ""

    @property
    def has_jumped(self) -> bool:
        """Return whether the clock has jumped ahead. If so, the next write adjusts the stored times."""
        return self._serves and self._time.jump() > 0

    def now(self) -> float:
        """Return the current time by the store's clock, in epoch seconds."""
        return self._time.now()

    def clock_reading(self) -> ClockReading:
        """Return a reading that shows how far the store's time is ahead of the machine's monotonic clock."""
        return ClockReading(self.clock.boot(), self._time.ahead())

    def serves(self) -> None:
        """From now on, adjust stored times if the clock jumps.

        Earlier jumps must have been corrected already.
        """
        self._serves = True

    @abstractmethod
    async def open(self) -> None:
        """Start the threads and open the database. Raise StoreUnavailable if that fails."""

    @abstractmethod
    async def migrate(self, *, serves: bool = False) -> list[str]:
        """Bring the schema up to date, and return the names of the migrations that ran.

        If ``serves`` is true, this process serves from the database until the engine is closed. Unless the
        database is shared, no other process may serve from it. Raise StoreTooOld, StoreTooNew,
        StoreUnreleased or StoreInUse.
        """

    @abstractmethod
    async def exclude_others(self) -> None:
        """Prevent processes from starting to serve from the database until the engine is closed.

        Raise StoreInUse if a process is already serving from it.
        """

    @abstractmethod
    async def close(self) -> None:
        """Finish the queued work and close the database."""

    async def tidy(self) -> None:  # noqa: B027 - not every database needs it
        """Reclaim the space of deleted rows. This is called if there is nothing else to do."""

    async def read(self, work: Work[Result], priority: Priority = Priority.URGENT) -> Result:
        """Run work that only reads, on one snapshot of the database."""
        is_patient = priority is Priority.IDLE
        result: Result = await self._read_queue.submit(work, priority, is_read=True, is_patient=is_patient)
        return result

    async def write(
        self,
        work: Work[Result],
        priority: Priority = Priority.STEADY,
        subjects: Sequence[str] = (),
    ) -> Result:
        """Run work that writes. Its changes are durable when this returns.

        ``subjects`` says whose rows the work reads and writes (see ``concerns``). If it is empty, the rows
        may be anyone's.
        """
        queue = self._queue_of(priority, subjects)
        if priority in BESIDE:
            priority = Priority.STEADY
        try:
            result: Result = await queue.submit(work, priority, is_read=False, subjects=subjects)
        except NotAlone:
            result = await self._write_queue.submit(work, priority, is_read=False)
        except StoreMigrated as error:
            self._on_migrated(error)
            raise
        return result

    async def _write_patiently(self, work: Work[Result]) -> Result:
        """Run work that writes, no matter how long it takes, because only an operator is waiting for it."""
        result: Result = await self._write_queue.submit(work, Priority.STEADY, is_read=False, is_patient=True)
        return result

    def end_within(self, seconds: float) -> None:
        """Limit every wait to this many seconds from now, because the process is ending."""
        for queue in self._queues():
            queue.end_within(seconds)

    def report_to(self, on_write: OnWrite) -> None:
        """Call ``on_write`` after each commit by this process, with the names of the tables written."""
        for queue in self._queues():
            queue.on_write = on_write

    def end_on_migration(self, end: Callable[[StoreMigrated], None]) -> None:
        """Call ``end`` if a newer release migrates the database. From then on, all writes fail."""
        self._on_migrated = end

    async def listen(self, on_write: OnWrite, is_wanted: Callable[[], bool] = lambda: True) -> None:  # noqa: B027
        """Call ``on_write`` with the names of tables that other processes write, until cancelled.

        It isn't called while ``is_wanted`` returns False. By default, this method does nothing. Engines with
        a shared database override it.
        """

    def _queues(self) -> list[WriteQueue]:
        return [self._write_queue]

    def _queue_of(self, priority: Priority, subjects: Sequence[str]) -> WriteQueue:  # noqa: ARG002
        return self._write_queue

    @abstractmethod
    def _begin_write(self, session: Session, subjects: Sequence[str] = ()) -> None:
        """Begin a writing transaction. This is called in a thread."""


async def run_write(
    engine: Engine, work: Work[Result], priority: Priority, subjects: Sequence[str] = ()
) -> Result:
    """Run work that writes, in a thread. After the commit, record which of the request's inbox keys it used.

    The work may be run more than once.
    """
    used = used_keys.get()
    if used is None:
        return await engine.write(work, priority, subjects=subjects)
    using: set[str] = set()
    context = copy_context()
    context.run(keys_in_use.set, using)

    def attempt(tx: Transaction) -> Result:
        using.clear()
        return context.run(work, tx)

    result = await engine.write(attempt, priority, subjects=subjects)
    used |= using
    return result
