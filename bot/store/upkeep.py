"""Upkeep and totals for operators and administrators: counts, and the sweep of outdated rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal

from bot.domain.facts import ConnectionCounts
from bot.domain.operations import Operation
from bot.domain.outages import SLACK, Reached
from bot.domain.runs import Run
from bot.store import audit, cards, outages, owners
from bot.store.runs import KEPT_SECONDS
from bot.store.tables import OPERATIONS, PARTICIPANTS, RUNS, SERVING, UPKEEP
from bot.store.transaction import Engine, Row, Transaction
from bot.support.environment import command
from bot.support.errors import StoreOutdated

_DAY = 86_400.0
#: The name of the row that is written to see whether anything can be.
_TRIED = "trial"
#: How long rows are kept, in seconds, by the query that deletes older ones.
_KEPT = {
    "sweep_inbox": _DAY,
    "sweep_links": _DAY,
    "sweep_notices": 30 * _DAY,
    "sweep_dead_notices": 7 * _DAY,
    "sweep_orphans": 30 * _DAY,
    "sweep_runs": KEPT_SECONDS,
    "sweep_approvals": 30 * _DAY,
    "sweep_browser_sessions": 0.0,
    "sweep_class_cards": 30 * _DAY,
    "sweep_homes": _DAY,
    "sweep_conversations": _DAY,
    "sweep_forgotten": 7 * _DAY,
    "sweep_owners": _DAY,
    "sweep_rules": 30 * _DAY,
    "sweep_occurrences": 60 * _DAY,
}
#: The rows that these delete may have a card, which is deleted too; or have been messages that change.
_HAVE_CARDS = {"sweep_orphans", "sweep_runs", "sweep_class_cards"}
_ARE_CARDS = {"sweep_notices", "sweep_dead_notices"}
#: Rows per transaction: some milliseconds.
_SOME = 200


def did_daily(tx: Transaction, work: str) -> None:
    """Note that daily work is done."""
    UPKEEP.put(tx, work=work, done_at=tx.now())


def last_did(tx: Transaction, work: str) -> float | None:
    """Return when daily work was last done, None if never."""
    row = UPKEEP.row(tx, work=work)
    return None if row is None else float(row["done_at"])


def try_writing(tx: Transaction) -> None:
    """Write one tiny row, always the same: who may only look, or has no space left, learns it here."""
    did_daily(tx, _TRIED)


#: What nobody may serve from as it is. ``moved``: this file was copied to another database, which is in use.
#: ``copied``: it is a backup itself.
_OUTDATED: Final = {
    "moved": (
        "This database was copied to another one on {day}, and people may have used that since: set "
        "USHER_DATABASE_URL to it. To go back to this one, stop the Usher that uses the other, and run: "
        f"{command('restored')}"
    ),
    "copied": (
        "This database is a backup made on {day}. What it has planned may have been done or cancelled since, "
        f"so put that on hold before you start Usher: {command('restored')}"
    ),
}


Left = Literal["moved", "copied"]


def mark(tx: Transaction, left: Left) -> None:
    """Mark a database as one that nobody may serve from as it is."""
    did_daily(tx, left)


def unmark(tx: Transaction, *marks: Left) -> None:
    """Take marks away again."""
    for left in marks:
        UPKEEP.delete(tx, work=left)


def outdated(tx: Transaction) -> str:
    """Return why nobody may serve from a database as it is, and what to do; "" if anybody may."""
    for left, said in _OUTDATED.items():
        if (at := last_did(tx, left)) is not None:
            return said.format(day=datetime.fromtimestamp(at, UTC).date())
    return ""


def refuse_outdated(tx: Transaction) -> None:
    """Raise StoreOutdated if nobody may serve from a database as it is."""
    if said := outdated(tx):
        raise StoreOutdated(said)


def made_at(tx: Transaction) -> float:
    """Return when a backup was made: by its mark, otherwise when the database was last in use."""
    if (at := last_did(tx, "copied")) is not None:
        return at
    beat, last = SERVING.row(tx, id=1), audit.audit_entries(tx, after=audit.audit_head(tx)[0] - 1, limit=1)
    times = [beat["seen_at"]] if beat is not None else []
    return float(max([*times, *(row["at"] for row in last)], default=tx.now()))


def statistics(tx: Transaction) -> Mapping[str, int]:
    """Count what doctor, metrics and readiness show.

    Keys: open_operations, open_runs, pending_notices, waiting_edits, dead_notices, accounts,
    owed_revocations, workspaces, tasks, people.
    """
    return tx.one("statistics") or {}


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold what the database tells whoever monitors Usher: the same from every process."""

    counts: Mapping[str, int]
    #: For how many seconds the message that is due for longest has waited.
    waited: float
    #: For how many seconds each outage lasts, by its name in the store.
    outages: Mapping[str, float]
    #: How many processes of each role serve from a shared database; empty where one has it to itself.
    processes: Mapping[str, int]


def figures(tx: Transaction) -> Figures:
    """Measure everything for the metrics."""
    now, oldest = tx.now(), tx.one("oldest_notice", now=tx.now())
    since = now if oldest is None or oldest["since"] is None else float(oldest["since"])
    running = [one.name.partition(":")[0] for one in owners.running(tx)]
    away = dict(outages.outages(tx))
    if (slack := outages.reached(tx).get(SLACK)) is not None and slack.silent_since is not None:
        away[SLACK] = slack.silent_since
    return Figures(
        counts=statistics(tx),
        waited=max(now - since, 0.0),
        outages={name: max(now - began, 0.0) for name, began in away.items()},
        processes={role: running.count(role) for role in owners.ROLES} if running else {},
    )


def uses(tx: Transaction) -> Mapping[str, Row]:
    """Count people, running workspaces, planned stops and hours, by connection."""
    return _by_connection(tx.all("uses"))


def migrated(tx: Transaction) -> dict[str, str]:
    """Return the names of the migrations that 0.1.0 has, or that it must know of."""
    return {row["name"]: "" for row in tx.all("migrated")}


def schema_changes(tx: Transaction) -> dict[str, str]:
    """Return the later ones, each with the oldest release that may serve what it left."""
    return {row["name"]: row["oldest"] for row in tx.all("schema_changes")}


async def sweep(engine: Engine) -> None:
    """Delete what is no longer needed, in short transactions.

    Inbox rows, links and unused Homes after a day, browser sessions at their end, sent notices after 30
    days, dead ones and forgotten secrets after 7, ended operations beyond the 50 newest of a workspace,
    ended runs beyond the 50 newest of a person or after 30 days, decided requests after 30 days, classes
    with their presses after 30 days, hours of what was unlinked after 30 days and what became of hours after
    60, unwatched gates and what dead processes owned after a day. A card is deleted with its operation, run
    or class, and with its notice. Edits of what others have taken the place of are given up after a day.
    """
    while await engine.write(_give_up_edits):
        pass
    for query in _KEPT:
        while await engine.write(partial(_sweep_aged, query=query)):
            pass
    for work in (_sweep_operations, _sweep_runs, _sweep_gates):
        after: str | None = ""
        while after is not None:
            after = await engine.write(partial(work, after=after))
    await engine.tidy()


def _give_up_edits(tx: Transaction) -> bool:
    return cards.give_up(tx, tx.now() - _DAY, _SOME) >= _SOME


def _sweep_aged(tx: Transaction, query: str) -> bool:
    """Delete some rows that are too old; return whether there may be more."""
    aged = {"before": tx.now() - _KEPT[query], "limit": _SOME}
    if query in _HAVE_CARDS:
        return _delete_with_cards(tx, query, **aged) == _SOME
    if query in _ARE_CARDS:
        swept = tx.all(query, **aged)
        for row in swept:
            cards.drop(tx, row["id"])
        return len(swept) == _SOME
    return tx.run(query, **aged) == _SOME


def _delete_with_cards(tx: Transaction, query: str, **params: object) -> int:
    deleted = tx.all(query, **params)
    for row in deleted:
        tx.run("delete_cards_of", subject=row["id"])
        if query == "sweep_class_cards":
            PARTICIPANTS.delete(tx, card_id=row["id"])
    return len(deleted)


def _sweep_operations(tx: Transaction, after: str) -> str | None:
    """Delete ended operations beyond each workspace's 50 newest; return where to continue, or None."""
    found = [row["id"] for row in tx.all("some_workspaces", after=after, limit=_SOME)]
    for workspace_id in found:
        _delete_with_cards(tx, "sweep_operations_of", workspace_id=workspace_id)
    return found[-1] if len(found) == _SOME else None


def _sweep_runs(tx: Transaction, after: str) -> str | None:
    """Delete the ended runs beyond each person's 50 newest; return where to continue, or None."""
    found = [row["principal"] for row in tx.all("some_run_people", after=after, limit=_SOME)]
    for principal in found:
        _delete_with_cards(tx, "sweep_runs_of", principal=principal)
    return found[-1] if len(found) == _SOME else None


def _sweep_gates(tx: Transaction, after: str) -> str | None:
    """Delete some gates that nobody watches, a day after they opened; return where to continue."""
    found = [row["gate_key"] for row in tx.all("some_gates", after=after, limit=_SOME)]
    before = tx.now() - _DAY
    for gate_key in found:
        tx.run("sweep_gate", gate_key=gate_key, before=before)
    return found[-1] if len(found) == _SOME else None


@dataclass(frozen=True, slots=True)
class Totals:
    """Hold counts of everybody's rows, and the rows that stand out; ``reached`` says what doesn't answer."""

    at: Mapping[str, ConnectionCounts]
    reached: Mapping[str, Reached]
    open_runs: int
    dead_notices: int
    starting: int
    failed_runs: int
    slow: Sequence[Operation] = ()
    failed: Sequence[Operation] = ()
    lost_runs: Sequence[Run] = ()


def totals(
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
            failed += OPERATIONS.found(
                tx, "failed_operations", connection=name, since=since, limit=limit, place=place
            )
    failed.sort(key=lambda operation: (-(operation.ended_at or 0.0), operation.id))
    here = {"limit": limit, "place": place}
    return Totals(
        at=at,
        reached=outages.reached(tx),
        open_runs=int(counts.get("open_runs", 0)),
        dead_notices=int(counts.get("dead_notices", 0)),
        starting=int(counts.get("starting", 0)),
        failed_runs=int(counts.get("failed_runs", 0)),
        slow=OPERATIONS.found(tx, "slow_starts", now=now, unless_known=slow_unless_known, **here),
        failed=failed[:limit],
        lost_runs=RUNS.found(tx, "failed_runs", since=since, **here),
    )


def refusals(tx: Transaction, connection: str, since: float) -> int:
    """Count the operations on a connection that ended since then because a permission was refused."""
    return _count(tx, "count_refusals", connection=connection, since=since, cause="forbidden%")


def _by_connection(found: Sequence[Row]) -> Mapping[str, Row]:
    return {str(row["connection"]): row for row in found}


def _count(tx: Transaction, query: str, **params: Any) -> int:
    row = tx.one(query, **params)
    return int(row["count"]) if row else 0
