"""Upkeep: counts for operators, and the sweep of outdated rows in short transactions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bot.store.found_runs import KEPT_SECONDS
from bot.store.tables import PARTICIPANTS, UPKEEP
from bot.store.transaction import Engine, Transaction

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
    "sweep_owners": _DAY,
}
#: The rows that these delete may have a card, which is deleted too.
_HAVE_CARDS = {"sweep_orphans", "sweep_runs", "sweep_class_cards"}
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


def statistics(tx: Transaction) -> Mapping[str, int]:
    """Count what doctor, metrics and readiness show.

    Keys: open_operations, open_jobs, pending_notices, dead_notices, accounts, workspaces, tasks, people.
    """
    return tx.one("statistics") or {}


def migrated(tx: Transaction) -> list[str]:
    """Return the names of the migrations that ran here."""
    return [row["name"] for row in tx.all("migrated")]


async def sweep(engine: Engine) -> None:
    """Delete what is no longer needed, in short transactions.

    Inbox rows, links and unused Homes after a day, browser sessions at their end, sent notices after 30
    days, dead ones after 7, ended operations beyond the 50 newest of a workspace, ended runs beyond the
    50 newest of a person or after 30 days, decided requests after 30 days, classes with their presses
    after 30 days, unwatched gates and what dead processes owned after a day. A card is deleted with its
    operation, run or class.
    """
    for query in _KEPT:
        while await engine.write(partial(_sweep_aged, query=query)):
            pass
    for work in (_sweep_operations, _sweep_runs, _sweep_gates):
        after: str | None = ""
        while after is not None:
            after = await engine.write(partial(work, after=after))
    await engine.tidy()


def _sweep_aged(tx: Transaction, query: str) -> bool:
    """Delete some rows that are too old; return whether there may be more."""
    aged = {"before": tx.now() - _KEPT[query], "limit": _SOME}
    if query in _HAVE_CARDS:
        return _delete_with_cards(tx, query, **aged) == _SOME
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
