"""Sweeping: deleting rows that are no longer needed, in short transactions."""

from functools import partial

from bot.domain.work_items import Outcome
from bot.store import cards, hours, inbox, operations, usage
from bot.store.engine import Engine
from bot.store.fan_out import take_batch
from bot.store.runs import RETENTION_SECONDS
from bot.store.tables import CARDS, WORKSPACES
from bot.store.transaction import Transaction

_DAY = 86_400.0
#: Maps each query that deletes old rows to how long the rows are kept, in seconds. Reply notices show that a
#: message was answered, so notices must be kept at least as long as inbox keys.
_RETENTION_SECONDS = {
    "sweep_inbox": inbox.KEY_RETENTION_SECONDS,
    "sweep_links": _DAY,
    "sweep_notices": 30 * _DAY,
    "sweep_dead_notices": 7 * _DAY,
    "sweep_orphans": 30 * _DAY,
    "sweep_runs": RETENTION_SECONDS,
    "sweep_approvals": 30 * _DAY,
    "sweep_browser_sessions": 0.0,
    "sweep_class_cards": 30 * _DAY,
    "sweep_undoable_actions": 30 * _DAY,
    "sweep_undecryptable_secrets": 7 * _DAY,
    "sweep_owners": _DAY,
    "sweep_rules": 30 * _DAY,
    "sweep_occurrences": 60 * _DAY,
    "sweep_waits": 7 * _DAY,
}
#: Queries that delete operations, runs, classes and waitlist entries, along with their cards. ``_ARE_CARDS``
#: contains the queries that delete notices. If a notice has a card of its own, the card is deleted with it.
_HAVE_CARDS = {"sweep_orphans", "sweep_runs", "sweep_class_cards", "sweep_waits"}
_ARE_CARDS = {"sweep_notices", "sweep_dead_notices"}
_BATCH_SIZE = 50


async def sweep(engine: Engine) -> None:
    """Delete rows that are no longer needed, in short transactions.

    ``docs/operate.md`` says how long the rows of each table are kept. A card's row is deleted together with
    its operation, run, class or notice.
    """
    for short in (_give_up_edits, _sweep_clicks, _end_forgotten):
        while await engine.write(short):
            pass
    for query in _RETENTION_SECONDS:
        while await engine.write(partial(_sweep_aged, query=query)):
            pass
    while await engine.write(partial(usage.fold, limit=_BATCH_SIZE)):
        pass
    while await engine.write(_purge_workspace):
        pass
    for work in (_sweep_operations, _sweep_runs, _sweep_gates):
        after: str | None = ""
        while after is not None:
            after = await engine.write(partial(work, after=after))
    await engine.tidy()


def _give_up_edits(tx: Transaction) -> bool:
    """Drop updates that have waited all day for capacity in Slack. Return whether there may be more.

    As a result, the buttons in some messages stay there although they no longer work.
    """
    late = {"before": tx.now() - _DAY, "limit": _BATCH_SIZE}
    return max(tx.count(one, **late) for one in ("give_up_edits", "give_up_former_edits")) == _BATCH_SIZE


def _end_forgotten(tx: Transaction) -> bool:
    """End open operations on workspaces whose rows an operator has deleted.

    Return whether there may be more.
    """
    forgotten = tx.all("forgotten_operations", limit=_BATCH_SIZE)
    for row in forgotten:
        operations.end(tx, row["id"], Outcome.CANCELLED, "forgotten")
    return len(forgotten) == _BATCH_SIZE


def _sweep_clicks(tx: Transaction) -> bool:
    """Delete some enrollments in classes whose cards are about to expire.

    Return whether there may be more.
    """
    return (
        tx.count(
            "sweep_presses", before=tx.now() - _RETENTION_SECONDS["sweep_class_cards"], limit=_BATCH_SIZE
        )
        == _BATCH_SIZE
    )


def _sweep_aged(tx: Transaction, query: str) -> bool:
    aged = {"before": tx.now() - _RETENTION_SECONDS[query], "limit": _BATCH_SIZE}
    if query in _HAVE_CARDS:
        return _delete_with_cards(tx, query, **aged) == _BATCH_SIZE
    if query in _ARE_CARDS:
        swept = tx.all(query, **aged)
        for row in swept:
            cards.drop(tx, row["id"])
        return len(swept) == _BATCH_SIZE
    return tx.count(query, **aged) == _BATCH_SIZE


def _delete_with_cards(tx: Transaction, query: str, **params: object) -> int:
    deleted = tx.all(query, **params)
    for row in deleted:
        tx.run("delete_cards_of", subject=row["id"])
    return len(deleted)


def _purge_workspace(tx: Transaction) -> bool:
    """Delete a workspace that is long gone, along with all rows about it.

    Return whether there may be more.
    """
    found = tx.one("gone_workspace", before=tx.now() - 30 * _DAY)
    if found is None:
        return False
    gone = found["id"]
    _delete_with_cards(tx, "sweep_all_operations_of", workspace_id=gone)
    CARDS.delete(tx, about=gone)
    hours.delete_rules(tx, gone)
    WORKSPACES.delete(tx, id=gone)
    return True


def _sweep_operations(tx: Transaction, after: str) -> str | None:
    """Delete all but the 50 newest ended operations of each of some workspaces. Return where to continue."""
    found = [row["id"] for row in tx.all("some_workspaces", after=after, limit=_BATCH_SIZE)]
    last = None
    for last in take_batch(tx, found):
        _delete_with_cards(tx, "sweep_operations_of", workspace_id=last)
    return last


def _sweep_runs(tx: Transaction, after: str) -> str | None:
    """Delete all but the 50 newest ended runs of each of some people. Return where to continue."""
    found = [row["principal"] for row in tx.all("some_run_people", after=after, limit=_BATCH_SIZE)]
    last = None
    for last in take_batch(tx, found):
        _delete_with_cards(tx, "sweep_runs_of", principal=last)
    return last


def _sweep_gates(tx: Transaction, after: str) -> str | None:
    """Delete poll gates without a workspace that opened over a day ago. Return where to continue."""
    found = [row["gate_key"] for row in tx.all("some_gates", after=after, limit=_BATCH_SIZE)]
    before = tx.now() - _DAY
    for gate_key in found:
        tx.run("sweep_gate", gate_key=gate_key, before=before)
    return found[-1] if len(found) == _BATCH_SIZE else None
