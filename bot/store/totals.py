"""What administrators see of everybody: counts, slow starts, what failed, how many are linked where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.facts import ConnectionCounts
from bot.domain.runs import Run
from bot.domain.workspaces import Operation
from bot.store import outages
from bot.store.tables import OPERATIONS, RUNS
from bot.store.transaction import Row, Transaction


@dataclass(frozen=True, slots=True)
class Totals:
    """Hold counts of everybody's rows, and the rows that stand out; ``outages`` says since when."""

    at: Mapping[str, ConnectionCounts]
    outages: Mapping[str, float]
    open_runs: int
    dead_notices: int
    starting: int
    failed_runs: int
    slow: Sequence[Operation] = ()
    failed: Sequence[Operation] = ()
    lost_runs: Sequence[Run] = ()


def of_all(
    tx: Transaction,
    connections: Sequence[str],
    *,
    slow_unless_known: float,
    failed_within: float,
    limit: int,
    place: str = "",
) -> Totals:
    """Count everything, and find the oldest slow starts and the newest failures, ``limit`` of each.

    A start is slow by ``bot.domain.settling.is_slow``, else after ``slow_unless_known`` seconds. Only rows of
    people whose keys begin with ``place`` count.
    """
    now = tx.now()
    since = now - failed_within
    counts = tx.one("counts_of_place", since=since, place=place) or {}
    linked = _by_connection(tx.all("links_by_connection", place=place))
    known = _by_connection(tx.all("workspaces_by_connection", place=place))
    at, failed = {}, []
    for name in connections:
        links, workspaces = linked.get(name, {}), known.get(name, {})
        at[name] = ConnectionCounts(
            linked=int(links.get("linked") or 0),
            refused=int(links.get("refused") or 0),
            workspaces=int(workspaces.get("known") or 0),
            running=int(workspaces.get("running") or 0),
            failed=_count(tx, "count_failed_operations", connection=name, since=since, place=place),
        )
        if at[name].failed:
            found = tx.all("failed_operations", connection=name, since=since, limit=limit, place=place)
            failed += [OPERATIONS.of(row) for row in found]
    failed.sort(key=lambda operation: (-(operation.ended_at or 0.0), operation.id))
    slow = tx.all("slow_starts", now=now, unless_known=slow_unless_known, limit=limit, place=place)
    lost = tx.all("failed_runs", since=since, limit=limit, place=place)
    return Totals(
        at=at,
        outages=outages.current(tx),
        open_runs=int(counts.get("open_runs", 0)),
        dead_notices=int(counts.get("dead_notices", 0)),
        starting=int(counts.get("starting", 0)),
        failed_runs=int(counts.get("failed_runs", 0)),
        slow=[OPERATIONS.of(row) for row in slow],
        failed=failed[:limit],
        lost_runs=[RUNS.of(row) for row in lost],
    )


def refusals(tx: Transaction, connection: str, since: float) -> int:
    """Count the operations on a connection that ended since then because a permission was refused."""
    return _count(tx, "count_refusals", connection=connection, since=since, cause="forbidden%")


def _by_connection(found: Sequence[Row]) -> Mapping[str, Row]:
    return {str(row["connection"]): row for row in found}


def _count(tx: Transaction, query: str, **params: Any) -> int:
    row = tx.one(query, **params)
    return int(row["count"]) if row else 0
