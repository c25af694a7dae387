"""Counts what happens in the store: statements, decisions, and rows made into models."""

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
#: The tables, by what makes models of their rows.
READERS = {cast("FunctionType", table.parse).__code__: name for name, table in TABLES.items()}


@dataclass
class Count:
    """Count what is committed, until a statement has found something for the last of so many times.

    ``statements`` are those that found or wrote a row; ``fruitless`` those beside them, in the same
    transaction, that didn't. A transaction that nobody waits for and that found nothing is a look of an idle
    loop: their number depends on the time that passes. ``decisions`` are the transactions that PostgreSQL
    runs one at a time. ``models`` are what rows were made into, by their table. ``transactions`` are all that
    aren't such looks; ``waits`` are the round trips to PostgreSQL of all of these, for each transaction with
    what it wrote: a statement that nobody waits for goes with the next one.
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
        """Return whether all that counts has happened."""
        return self.statements[self.last] >= self.times

    def watch(self, work: Work[Result], priority: Priority, writes: bool) -> Work[Result]:
        """Return work that is counted once it is done."""

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
        """Note a row that becomes a model."""
        # They are written at run time, and have no file.
        is_reader = frame.f_code.co_name == "of" and frame.f_code.co_filename == "<string>"
        if event == "call" and is_reader and not self.is_over:
            self.models[READERS.get(frame.f_code, "several tables")] += 1


class _Counted(Transaction):
    """Run a transaction's statements, and keep which found or wrote something, and what waits for them."""

    def __init__(self, tx: Transaction, *, writes: bool, is_urgent: bool) -> None:
        super().__init__(tx._time, tx.ids)
        self._tx = self.bare = tx
        self._writes, self._is_urgent = writes, is_urgent
        self.waits = 0
        #: Whether something was sent that nobody has waited for.
        self._is_under_way = False
        #: How often was waited before a query was sent that is taken later.
        self._ahead: dict[str, int] = {}
        self.asked: list[tuple[str, bool]] = []
        self.written, self.audited = tx.written, tx.audited
        self.may_commit = tx.may_commit
        #: Whether the commit went with the last statement.
        self._is_finished = False
        self.audit_rows = tx.audit_rows

    @property
    def ending(self) -> int:
        """The round trips of the end: until nothing can keep it from its commit, and this, if it writes."""
        if self._is_finished:
            return 0
        return self._writes + ((self._is_under_way and self._is_urgent) or (self._writes and not self.waits))

    def _wait_for(self, query: str) -> None:
        """Wait, unless somebody has since the query was sent."""
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
    """Count for a block, until the statement ``last`` has found something so many times."""
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
    """Be an engine, and note how many rows each transaction changes."""

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
