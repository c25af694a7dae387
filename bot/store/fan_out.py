"""Fan-outs: changes to many rows that result from a change to one row. They are made in batches.

The first batch is part of the transaction that changes the one row. A task makes the other batches, each in
its own transaction. It stops early if the row's current state no longer requires them. After a crash, the
task continues where it left off.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, TypeVar

from bot.domain.tasks import Task, TaskKind
from bot.store.engine import Engine
from bot.store.tables import TASKS
from bot.store.transaction import Priority, Row, Transaction, Work, from_json

Item = TypeVar("Item")
#: A fan-out's batch ends once it has changed this many rows. Its last step may go beyond that, because
#: processing one row may change several others.
FAN_OUT_BATCH_SIZE: Final = 80
#: Number of rows per batch when a whole table is read. ``COUNT_BATCH_SIZE`` applies when rows are counted
#: through an index. Either way, a batch keeps the store's thread busy for a few milliseconds.
READ_BATCH_SIZE: Final = 500
COUNT_BATCH_SIZE: Final = 5_000


#: SQL condition for the rows of an account.
OF_ACCOUNT: Final = "principal = :principal AND connection = :connection"
#: A stage of a fan-out: a query, and a function called with each row found and the fan-out's parameters.
Stage = tuple[str, Callable[[Transaction, Row, Row], Any]]
#: Function that takes a fan-out's parameters, and returns whether the row that caused the fan-out still
#: requires it.
Holds = Callable[[Transaction, Row], bool]
_REGISTERED: Final[dict[str, tuple[Holds | None, tuple[Stage, ...]]]] = {}


def select_some(table: str, condition: str) -> str:
    """Return the query of a stage that changes the rows of a table that meet an SQL condition."""
    return f"SELECT * FROM {table} WHERE {condition} AND id > :after ORDER BY id LIMIT :limit"  # noqa: S608


def register_fan_out(what: str, *stages: Stage, holds: Holds | None = None) -> None:
    """Register a fan-out's stages. They run in order as long as ``holds``, if given, returns True."""
    _REGISTERED[what] = holds, stages


def start_fan_out(tx: Transaction, what: str, **said: Any) -> None:
    """Run the first batch of a fan-out, and queue a task for the rest. ``said`` contains its parameters."""
    tx.be_alone()
    left = run_fan_out_batch(tx, {**said, "what": what, "stage": 0, "after": ""})
    if left is not None:
        name, now = tx.ids.new("task"), tx.now()
        TASKS.add(tx, Task(name, TaskKind.FAN_OUT, name, left, created_at=now, due_at=now))


def run_fan_out_batch(tx: Transaction, said: Row) -> Row | None:
    """Make one batch of changes. Return the next batch's parameters, or None if this was the last batch."""
    (holds, stages), after, before = _REGISTERED[said["what"]], said["after"], tx.changes
    if holds is not None and not holds(tx, said):
        return None
    for stage, (query, do) in enumerate(stages[said["stage"] :], said["stage"]):
        rows = tx.all(query, **{**said, "after": after, "limit": FAN_OUT_BATCH_SIZE})
        for row in take_batch(tx, rows, before):
            do(tx, row, said)
            after = row["id"]
        is_full = len(rows) == FAN_OUT_BATCH_SIZE
        if rows and (is_full or after != rows[-1]["id"] or tx.changes - before >= FAN_OUT_BATCH_SIZE):
            return {**said, "stage": stage, "after": after}
        after = ""
    return None


async def finish_fan_out(engine: Engine, task: Task) -> None:
    """Run the remaining batches of a fan-out."""
    while await engine.write(partial(_run_next_batch, task_id=task.id)):
        pass


def _run_next_batch(tx: Transaction, task_id: str) -> bool:
    row = TASKS.row(tx, id=task_id)
    left = run_fan_out_batch(tx, from_json(row["payload"])) if row is not None else None
    return left is not None and TASKS.count_changed(tx, {"id": task_id}, payload=left) == 1


async def repeat_until_done(engine: Engine, work: Work[int]) -> int:
    """Repeat work that changes a batch of rows until no rows are left. Return how many were changed."""
    count = 0
    while changed := await engine.write(work):
        count += changed
    return count


async def read_batches(engine: Engine, query: str, **params: Any) -> AsyncIterator[list[Row]]:
    """Yield a query's rows in batches.

    Each batch comes from a separate snapshot, so other work can run in between. For each parameter
    ``after_COLUMN``, a batch gets that column's value in the last row of the previous batch.
    """
    while True:
        rows = await read_batch(engine, query, READ_BATCH_SIZE, params)
        yield rows
        if len(rows) < READ_BATCH_SIZE:
            return
        last = {name: rows[-1][name.removeprefix("after_")] for name in params if name.startswith("after_")}
        params = {**params, **last}


async def read_batch(engine: Engine, query: str, size: int, params: Row) -> list[Row]:
    """Return up to ``size`` rows of a query."""
    return await engine.read(lambda tx: tx.all(query, **params, limit=size), Priority.STEADY)


def take_batch(tx: Transaction, rows: Iterable[Item], before: int | None = None) -> Iterator[Item]:
    """Yield rows until enough rows have changed since ``before`` to fill the batch.

    ``before`` is an earlier value of ``tx.changes``. By default, only changes made from now on are counted.
    """
    before = tx.changes if before is None else before
    for number, row in enumerate(rows):
        # Counting changes waits for the database, so don't check before the first row.
        if number and tx.changes - before >= FAN_OUT_BATCH_SIZE:
            return
        yield row
