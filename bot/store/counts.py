"""Row counts for the metrics and ``usher doctor``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.domain.outages import SLACK
from bot.store import maintenance, outages, owners, waitlist
from bot.store.engine import Engine
from bot.store.fan_out import COUNT_BATCH_SIZE, read_batch
from bot.store.transaction import Priority, Row, Transaction

#: The tables that grow with the number of people. For each: its key column, and a condition that selects the
#: rows to count.
_COUNTED_IN_BATCHES: Final = {
    "accounts": ("id", "state <> 'revoking'"),
    "workspaces": ("id", "hidden = 0"),
    "people": ("principal", "is_deleted = 0"),
}
#: Maps each table in ``_COUNTED_IN_BATCHES`` to a query that counts a batch of its rows and returns the last
#: key in the batch.
BATCH_COUNTS: Final = {
    table: f"SELECT COUNT(*) AS size, MAX({key}) AS last FROM (SELECT {key} FROM {table} "  # noqa: S608
    f"WHERE {condition} AND {key} > :after ORDER BY {key} LIMIT :limit) AS batch"
    for table, (key, condition) in _COUNTED_IN_BATCHES.items()
}


async def count_rows(engine: Engine) -> Mapping[str, int]:
    """Return the row counts shown by doctor and the metrics.

    The keys are open_operations, open_runs, pending_notices, waiting_edits, dead_notices, accounts,
    owed_revocations, workspaces, tasks, left_to_later_releases and people.
    """
    (found,) = await engine.read(lambda tx: tx.all("statistics"), Priority.STEADY)
    for name, query in BATCH_COUNTS.items():
        found[name], size, after = 0, COUNT_BATCH_SIZE, ""
        while size == COUNT_BATCH_SIZE:
            (row,) = await read_batch(engine, query, COUNT_BATCH_SIZE, {"after": after})
            size, after = row["size"], row["last"]
            found[name] += size
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures for monitoring. They are the same in every process."""

    counts: Mapping[str, int]
    #: How long, in seconds, the most overdue message has been waiting.
    waited: float
    #: Maps the name of each current outage to its duration so far, in seconds.
    outages: Mapping[str, float]
    #: Number of processes in each role (``bot.store.owners.ROLES``). Empty if a single process has the
    #: database to itself.
    processes: Mapping[str, int]
    #: The waitlist's figures by connection and kind of capacity: the number of people waiting, and the
    #: average wait, in seconds, of those who got capacity within the last day.
    waiting: Mapping[tuple[str, str], tuple[int, float]] = field(default_factory=dict)


async def measure_figures(engine: Engine) -> Figures:
    """Compute all figures for the metrics."""
    counts = await count_rows(engine)
    return await engine.read(lambda tx: _measure(tx, counts), Priority.STEADY)


def _measure(tx: Transaction, counts: Mapping[str, int]) -> Figures:
    now, oldest = tx.now(), tx.one("oldest_notice", now=tx.now())
    since = now if oldest is None or oldest["since"] is None else float(oldest["since"])
    running = [one.role for one in owners.list_processes(tx)]
    away = dict(outages.list_outages(tx))
    if (slack := outages.list_reached(tx).get(SLACK)) is not None and slack.silent_since is not None:
        away[SLACK] = slack.silent_since
    # A failover takes only a moment, so report it for a day to make sure that operators notice it.
    if (last := maintenance.find_failover(tx)) is not None and now - last["detected_at"] < 86_400.0:
        away["#failover"] = last["detected_at"]
    if maintenance.find_problem(tx, maintenance.BACKUP):
        away["#backup"] = maintenance.find_last_done(tx, maintenance.BACKUP) or now
    return Figures(
        counts=counts,
        waited=max(now - since, 0.0),
        outages={name: max(now - began, 0.0) for name, began in away.items()},
        processes={role: running.count(role) for role in owners.ROLES} if running else {},
        waiting={
            (row["connection"], row["kind"]): (row["waiting"], float(row["waited"] or 0.0))
            for row in waitlist.summarize_lines(tx, now - 86_400.0)
        },
    )


def count_uses(tx: Transaction) -> Mapping[str, Row]:
    """Count people, running workspaces, planned stops and rules for working hours on each connection."""
    return {str(row["connection"]): row for row in tx.all("uses")}


def count_refusals(tx: Transaction, connection: str, since: float) -> int:
    """Count a connection's operations that failed since a given time because a permission was missing."""
    (row,) = tx.all("count_refusals", connection=connection, since=since, cause="forbidden%")
    return int(row["count"])
