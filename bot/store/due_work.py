"""When each kind of work is due next, and how much work is overdue."""

from collections.abc import Collection, Iterable
from functools import cache
from math import inf

from bot.domain.tasks import TaskKind
from bot.store import owners
from bot.store.queues import DECLARED_QUEUES
from bot.store.tables import SERVING
from bot.store.transaction import Priority, Transaction, as_json, prioritize


@cache
def list_kinds() -> tuple[str, ...]:
    """Return the kinds of work that can become due. Call this only after all modules have been loaded."""
    return tuple(dict.fromkeys(queue.kind for queue in DECLARED_QUEUES.values()))


@cache
def make_next_due_query() -> str:
    """Return the query that finds when the first row is due in each of the queues in ``:names``."""
    cases = "\n".join(f"WHEN '{queue.name}' THEN ({queue.first_due})" for queue in DECLARED_QUEUES.values())
    case = f"CASE wanted.key\n{cases}\nEND"
    return f"SELECT wanted.key AS name, {case} AS due_at FROM json_each(:names) wanted"  # noqa: S608 - made here


@prioritize(Priority.STEADY)
def find_next_due(
    tx: Transaction,
    kinds: Collection[str],
    connections: Iterable[str],
    served: Iterable[TaskKind],
    warn_seconds: float,
) -> dict[str, float]:
    """Map each kind of work to the number of seconds until it is due, or to infinity if there is none.

    ``served`` are the kinds of tasks that this process handles. Nothing can be claimed before the returned
    time. At that time, a claim may still find nothing.
    """
    now = tx.now()
    wanted = {queue.name: queue.kind for queue in DECLARED_QUEUES.values() if queue.kind in kinds}
    keys = {"names": wanted, "connections": connections, "served": served}
    given = {name: as_json(dict.fromkeys(some, 1)) for name, some in keys.items()}
    found = dict.fromkeys(kinds, inf)
    for row in tx.all(make_next_due_query(), now=now, warn_seconds=warn_seconds, **given):
        if row["due_at"] is not None:
            kind = wanted[row["name"]]
            found[kind] = min(found[kind], row["due_at"] - now)
    return found


@prioritize(Priority.STEADY)
def count_overdue(tx: Transaction, seconds: float) -> dict[str, int]:
    """Count overdue work by kind. Tasks are counted by their own kinds.

    Only work that is overdue by more than ``seconds`` is counted. Time during which no process was running
    isn't counted. If one process has the database to itself, its last heartbeat counts as the current time.
    """
    alive = SERVING.row(tx, id=1)
    if alive is None and not any(one.works for one in owners.list_processes(tx)):
        return {}
    at = (tx.now() if alive is None else alive["seen_at"]) - seconds
    found = {row["kind"]: row["count"] for row in tx.all("overdue_tasks", now=at)}
    for queue in DECLARED_QUEUES.values():
        if not queue.is_scheduled:
            continue
        row = tx.one(queue.count, **queue.get_margins(at))
        if row is not None and row["count"]:
            found[queue.kind] = found.get(queue.kind, 0) + row["count"]
    return dict(sorted(found.items()))
