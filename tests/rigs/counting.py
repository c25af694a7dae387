"""Counts of a store's work: its statements, its serialized transactions, and the rows parsed into models."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, FunctionType
from typing import Any, TypeVar, cast

from bot.store.engine import Engine
from bot.store.store import Store
from bot.store.tables import TABLES
from bot.store.transaction import BESIDE, Parameters, Priority, Row, Transaction, Work
from tests.rigs.engine import EngineWithoutThread

Result = TypeVar("Result")
#: Maps the code of each table's ``parse`` to the table's name.
READERS = {cast("FunctionType", table.parse).__code__: name for name, table in TABLES.items()}


@dataclass
class Count:
    """Counts committed work until the statement ``last`` has found something ``times`` times.

    ``statements`` are those that found or wrote a row. ``fruitless`` are those in the same transactions that
    didn't. A transaction that found nothing, and that no caller waits for, is an idle loop's poll. Polls
    aren't counted, because their number depends on how much time passes.

    ``decisions`` are the transactions that PostgreSQL runs one at a time. ``models`` are the rows parsed into
    models, by table. ``transactions`` are all transactions that aren't polls. ``waits`` are the round trips
    of these to PostgreSQL, listed for each transaction with whether it wrote. A statement whose result nobody
    waits for is sent along with the next one.
    """

    last: str
    times: int
    statements: Counter[str] = field(default_factory=Counter)
    fruitless: Counter[str] = field(default_factory=Counter)
    decisions: list[list[str]] = field(default_factory=list)
    models: Counter[str] = field(default_factory=Counter)
    transactions: int = 0
    waits: list[tuple[int, list[str]]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Return whether everything that should be counted has happened."""
        return self.statements[self.last] >= self.times

    def watch(self, work: Work[Result], priority: Priority, writes: bool) -> Work[Result]:
        """Return the work, wrapped so that it is counted when it is done."""

        def counted(tx: Transaction) -> Result:
            through = _Counted(tx, writes=writes, is_urgent=priority is Priority.URGENT)
            result = work(through)
            self._note(through, priority, writes=writes)
            return result

        return counted

    def _note(self, through: _Counted, priority: Priority, *, writes: bool) -> None:
        asked = through.asked
        is_idle = priority is not Priority.URGENT and not any(found for _, found in asked)
        if self.is_over or is_idle:
            return
        self.transactions += 1
        self.waits.append((through.waits + through.ending, [query for query, _ in asked]))
        for query, found in asked:
            (self.statements if found else self.fruitless)[query] += 1
        if writes and priority not in BESIDE:
            self.decisions.append([query for query, _ in asked])

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        """Count a row that is parsed into a model."""
        # The ``of`` methods are generated at run time, so their code has no file.
        is_reader = frame.f_code.co_name == "of" and frame.f_code.co_filename == "<string>"
        if event == "call" and is_reader and not self.is_over:
            self.models[READERS.get(frame.f_code, "several tables")] += 1


class _Counted(Transaction):
    """Runs a transaction's statements.

    Records which of them found or wrote something, and the round trips.
    """

    def __init__(self, tx: Transaction, *, writes: bool, is_urgent: bool) -> None:
        super().__init__(tx._time, tx.ids)
        self._tx = self.bare = tx
        self._writes, self._is_urgent = writes, is_urgent
        self.waits = 0
        #: Whether a statement was sent whose result nobody has waited for.
        self._is_under_way = False
        #: For each query that was sent ahead: the number of waits so far.
        self._ahead: dict[str, int] = {}
        self.asked: list[tuple[str, bool]] = []
        self.written, self.audited = tx.written, tx.audited
        self.may_commit = tx.may_commit
        #: Whether the commit was sent along with the last statement.
        self._is_finished = False
        self.audit_rows = tx.audit_rows

    @property
    def ending(self) -> int:
        """Return the round trips at the end: the last answer and, if the transaction wrote, the commit."""
        if self._is_finished:
            return 0
        return self._writes + ((self._is_under_way and self._is_urgent) or (self._writes and not self.waits))

    def _wait_for(self, query: str) -> None:
        """Count a round trip, unless there was one after the query was sent."""
        if self._ahead.pop(query, self.waits) == self.waits:
            self._wait()

    def _wait(self) -> None:
        self.waits += 1
        self._is_under_way = False

    def all(self, query: str, **params: Any) -> list[Row]:
        self._wait_for(query)
        rows = self._tx.all(query, **params)
        self.asked.append((query, bool(rows)))
        return rows

    def one(self, query: str, **params: Any) -> Row | None:
        self._wait_for(query)
        row = self._tx.one(query, **params)
        self.asked.append((query, row is not None))
        return row

    def run(self, query: str, **params: Any) -> None:
        self._is_under_way = True
        self.asked.append((query, self._tx.count(query, **params) > 0))

    def ask(self, query: str, **params: Any) -> None:
        self._tx.ask(query, **params)
        self._ahead[query] = self.waits

    def finish(self) -> None:
        if not self._tx.audit_rows:
            self._wait()
            self._is_finished = True

    def count(self, query: str, **params: Any) -> int:
        self._wait()
        written = self._tx.count(query, **params)
        self.asked.append((query, written > 0))
        return written

    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        self._is_under_way |= bool(params)
        self._tx.run_each(query, params)
        self.asked += [(query, True)] * bool(params)

    @property
    def changes(self) -> int:
        if self._is_under_way:
            self._wait()
        return self._tx.changes


@contextmanager
def counting(store: Store, last: str, times: int) -> Iterator[Count]:
    """Count within a block, until the statement ``last`` has found something ``times`` times."""
    engine, count = store.engine, Count(last, times)
    assert isinstance(engine, EngineWithoutThread)
    former = sys.getprofile()
    engine.watch = count.watch
    sys.setprofile(count.profile)
    try:
        yield count
    finally:
        sys.setprofile(former)
        engine.watch = None


class RowsCounted:
    """An engine that records how many rows each transaction changes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.rows: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def write(
        self,
        work: Work[Result],
        priority: Priority = Priority.STEADY,
        subjects: Sequence[str] = (),
    ) -> Result:
        def counted(tx: Transaction) -> Result:
            before = tx.changes
            result = work(tx)
            self.rows.append(tx.changes - before)
            return result

        return await self._engine.write(counted, priority, subjects)
