"""Queues: tables whose rows come due, and the statements with which a process takes due rows for itself.

Each queue is declared beside its table, and belongs to its subject. ``bot.store.due_work`` asks all
of them together when the first row of each is due. Only PostgreSQL is told to skip rows that another process
takes at the moment: SQLite has one writer. What is taken is chosen as an array, once: PostgreSQL may run a
subquery again for each row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from bot.store.statements import fill
from bot.store.transaction import CLAIM, Row, Transaction

#: In place of a column: rows are looked at for as long as they are there.
ALWAYS: Final = "0.0"
#: The parameter of the connection whose rows are claimed; ``connections`` has all of a process as JSON.
_CONNECTION: Final = ":connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement that changes some rows, so that nobody else takes them, and returns them.

    Its parts may have the parts of the SQL files in braces.
    """

    table: str
    where: str
    changes: str
    order: str = ""
    limit: str = ":limit"
    key: str = "id"
    returning: str = "*"

    @property
    def statement(self) -> str:
        """Return the SQL, with named parameters."""
        return _make_claim(self)


@cache
def _make_claim(claim: Claim) -> str:
    order = f" ORDER BY {claim.order}" if claim.order else ""
    return fill(f"""{CLAIM} UPDATE {claim.table} SET {claim.changes}
WHERE {claim.key} IN (/* postgresql: SELECT unnest(ARRAY( */
    SELECT {claim.key} FROM {claim.table} WHERE {claim.where}{order} LIMIT {claim.limit}
    /* postgresql: FOR UPDATE SKIP LOCKED)) */
)
RETURNING {claim.returning}""")  # noqa: S608 - of declarations alone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Queue:
    """The rows of a table in the order in which they come due.

    ``due`` is the column with the time, ``where`` the condition of the index by it, ``delay`` the SQL of how
    many seconds later than that they are due. ``only`` says what else decides a claim: a row that is due and
    can't be claimed (another process owns it, it waits behind another) is tried again after a pause. A claim
    makes ``changes``; without a change of its own, the row is due again at ``:until``. ``margins`` are
    further parameters: so many seconds before now. ``kind`` names the work that is done with the rows. What
    time alone asks for ``is_scheduled``: doing it makes a row due later, so nobody does one that stays due.
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
    limit: str = ":limit"
    key: str = "id"
    returning: str = "*"
    margins: Mapping[str, float] = field(default_factory=dict)
    is_scheduled: bool = False

    @property
    def is_claimed(self) -> bool:
        """Return whether its rows are claimed, and not only looked at by everybody."""
        return self.due != ALWAYS

    @property
    def is_open(self) -> str:
        """Return the condition of rows that are due some time."""
        return self.where or f"{self.due} IS NOT NULL"

    @property
    def is_due(self) -> str:
        """Return the condition of rows that may be claimed now."""
        latest = f":now - ({self.delay})" if self.delay else ":now"
        return " AND ".join(part for part in (self.is_open, f"{self.due} <= {latest}", self.only) if part)

    @property
    def claim(self) -> str:
        """Return the statement that claims due rows, with the parameters ``now``, ``until`` and ``limit``."""
        return Claim(
            table=self.table,
            where=self.is_due,
            changes=self.changes or f"{self.due} = :until",
            order=self.order or self.due,
            limit=self.limit,
            key=self.key,
            returning=self.returning,
        ).statement

    @property
    def count(self) -> str:
        """The query that counts the rows that could be claimed."""
        return fill(f"SELECT COUNT(*) AS count FROM {self.table} WHERE {self.is_due}")  # noqa: S608

    @property
    def first_due(self) -> str:
        """Return the query for the time at which the first row is due, of all ``connections`` at once."""
        due = f"{self.due} + ({self.delay})" if self.delay else self.due
        order = f"ORDER BY {self.order or self.due} " if self.is_claimed else ""
        rows = f"{self.table} WHERE {self.is_open} {order}LIMIT 1"
        query = f"SELECT {due} AS due_at FROM {rows}"  # noqa: S608 - of declarations alone
        if _CONNECTION in query:
            each = query.replace(_CONNECTION, "one.key")
            firsts = f"SELECT ({each}) AS due_at FROM json_each(:connections) one"  # noqa: S608
            query = f"SELECT MIN(due_at) FROM ({firsts}) firsts"  # noqa: S608
        return fill(query)

    def get_margins(self, now: float) -> Row:
        """Return ``now`` and the parameters of the margins before it."""
        return {"now": now, **{name: now - seconds for name, seconds in self.margins.items()}}

    def take(
        self, tx: Transaction, lease: float, limit: int, now: float | None = None, **named: object
    ) -> list[Row]:
        """Claim due rows for ``lease`` seconds, at most ``limit``; return them as they are now.

        ``now`` is the time at which it begins, if the caller has to know it.
        """
        now = tx.now() if now is None else now
        given = {**self.get_margins(now), "until": now + lease, "limit": limit}
        return tx.all(self.claim, **given, **named)


#: Every queue by its name, in the order of the modules that declare them.
DECLARED_QUEUES: Final[dict[str, Queue]] = {}


def declare_queue(queue: Queue) -> Queue:
    """Declare a queue, whose rows are looked for from then on; raise ValueError if its name is taken."""
    if DECLARED_QUEUES.setdefault(queue.name, queue) is not queue:
        raise ValueError(f"two queues are named {queue.name}")
    return queue
