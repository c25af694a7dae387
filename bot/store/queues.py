"""Queues: tables whose rows become due, and the statements with which processes claim due rows.

Each queue is declared in its table's module. One query in ``bot.store.due_work`` then finds when the first
row of each queue is due. On PostgreSQL (but not on SQLite, which has only one writer), a claim has to skip
rows that another process is claiming. It also selects its rows as an array, because PostgreSQL might
otherwise run the subquery again for each row. In the declarations' SQL, ``{name}`` stands for the fragment of
that name in the SQL files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from bot.store.transaction import CLAIM, Row, Transaction

#: The ``due`` value of queues whose rows are always due and never claimed.
ALWAYS: Final = "0.0"
#: Query parameter that limits a query to the rows of one connection. Queries for several connections use
#: ``:connections``, a JSON list.
_CONNECTION: Final = ":connection"


def build_claim(
    *,
    table: str,
    where: str,
    changes: str,
    order: str = "",
    limit: str = ":limit",
    key: str = "id",
    returning: str = "*",
) -> str:
    """Return a statement that claims rows by changing them, and returns the rows."""
    order = f" ORDER BY {order}" if order else ""
    return f"""{CLAIM} UPDATE {table} SET {changes}
WHERE {key} IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT {key} FROM {table} WHERE {where}{order} LIMIT {limit}
    /* postgresql: FOR UPDATE SKIP LOCKED)) */
)
RETURNING {returning}"""  # noqa: S608 - of declarations alone


@dataclass(frozen=True, kw_only=True, eq=False)
class Queue:
    """A table's rows in the order in which they become due.

    ``kind`` names the work done on the rows. ``due`` is the column that holds the time, ``where`` is the
    condition of the index on that column, and ``delay`` is SQL for seconds to add to the time. ``only`` is an
    additional condition for a claim. A due row that doesn't meet it (say, because another process owns the
    row) is tried again after a pause. ``changes`` is what a claim changes. By default, a claim makes the row
    due again at ``:until``. ``margins`` maps additional parameters to seconds. Each parameter's value is the
    time that many seconds ago. ``is_scheduled`` marks work that becomes due merely because time passes. Doing
    such work makes its row due later, so a row that stays due shows that the work isn't being done.
    """

    name: str
    kind: str
    table: str
    due: str
    where: str = ""
    only: str = ""
    delay: str = ""
    changes: str = ""
    order: str = ""
    key: str = "id"
    returning: str = "*"
    margins: Mapping[str, float] = field(default_factory=dict)
    is_scheduled: bool = False

    @property
    def is_claimed(self) -> bool:
        """Return whether the queue's rows are claimed. If not, every process simply reads them."""
        return self.due != ALWAYS

    @property
    def is_open(self) -> str:
        """Return the SQL condition for rows that are due now or will be later."""
        return self.where or f"{self.due} IS NOT NULL"

    @property
    def is_due(self) -> str:
        """Return the SQL condition for rows that may be claimed now."""
        latest = f":now - ({self.delay})" if self.delay else ":now"
        return " AND ".join(part for part in (self.is_open, f"{self.due} <= {latest}", self.only) if part)

    @cached_property
    def claim(self) -> str:
        """Return the statement that claims due rows. Its parameters are ``now``, ``until`` and ``limit``."""
        return build_claim(
            table=self.table,
            where=self.is_due,
            changes=self.changes or f"{self.due} = :until",
            order=self.order or self.due,
            key=self.key,
            returning=self.returning,
        )

    @property
    def count(self) -> str:
        """Return a query that counts the rows that may be claimed now."""
        return f"SELECT COUNT(*) AS count FROM {self.table} WHERE {self.is_due}"  # noqa: S608

    @property
    def first_due(self) -> str:
        """Return a query for the time at which the first row becomes due on any of ``:connections``."""
        due = f"{self.due} + ({self.delay})" if self.delay else self.due
        order = f"ORDER BY {self.order or self.due} " if self.is_claimed else ""
        rows = f"{self.table} WHERE {self.is_open} {order}LIMIT 1"
        query = f"SELECT {due} AS due_at FROM {rows}"  # noqa: S608 - of declarations alone
        if _CONNECTION in query:
            each = query.replace(_CONNECTION, "one.key")
            firsts = f"SELECT ({each}) AS due_at FROM json_each(:connections) one"  # noqa: S608
            query = f"SELECT MIN(due_at) FROM ({firsts}) firsts"  # noqa: S608
        return query

    def get_margins(self, now: float) -> Row:
        """Return the query parameter ``now`` and one for each margin: the time that many seconds ago."""
        return {"now": now, **{name: now - seconds for name, seconds in self.margins.items()}}

    def ask(self, tx: Transaction, lease: float, limit: int, now: float, **named: object) -> None:
        """Prefetch the claim that ``take`` will make if it is called with the same arguments."""
        tx.ask(self.claim, **self._fill(now, lease, limit), **named)

    def _fill(self, now: float, lease: float, limit: int) -> Row:
        return {**self.get_margins(now), "until": now + lease, "limit": limit}

    def take(
        self,
        tx: Transaction,
        lease: float,
        limit: int,
        now: float | None = None,
        *,
        is_last: bool = False,
        **named: object,
    ) -> list[Row]:
        """Claim up to ``limit`` due rows for ``lease`` seconds, and return them as the claim leaves them.

        ``now`` is the time of the claim, for callers that need to know it. ``is_last`` means that no other
        statement follows in the transaction.
        """
        now = tx.now() if now is None else now
        if is_last:
            self.ask(tx, lease, limit, now, **named)
            tx.finish()
        return tx.all(self.claim, **self._fill(now, lease, limit), **named)


#: All queues by name, in the order in which they were declared.
DECLARED_QUEUES: Final[dict[str, Queue]] = {}
#: Maps each table to the kinds of work that may become due after a write to it.
KINDS_BY_TABLE: Final[dict[str, set[str]]] = {}


def declare_queue(queue: Queue) -> Queue:
    """Register a queue so that its rows are processed. Raise ValueError if its name is already in use."""
    if DECLARED_QUEUES.setdefault(queue.name, queue) is not queue:
        raise ValueError(f"two queues are named {queue.name}")
    KINDS_BY_TABLE.setdefault(queue.table, set()).add(queue.kind)
    return queue
