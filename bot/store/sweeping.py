"""Sweeping: deleting rows that are no longer needed, in short transactions."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, Final

from bot.domain.work_items import Outcome
from bot.store import cards, inbox, operations, usage
from bot.store.engine import Engine
from bot.store.fan_out import read_batches
from bot.store.runs import RETENTION_SECONDS
from bot.store.tables import (
    ACCEPTED_REQUESTS,
    APPROVALS,
    BROWSER_SESSIONS,
    CARDS,
    INBOX,
    LINKS,
    NOTICES,
    OCCURRENCES,
    OPERATIONS,
    OWNERS,
    RULES,
    RUNS,
    UNDECRYPTABLE_SECRETS,
    WAITLIST_ENTRIES,
    WORKSPACES,
    Table,
)
from bot.store.transaction import Priority, Row, Transaction, as_json

_DAY = 86_400.0
#: Rows that are deleted once they are old: their table, the column that their age is counted from, a
#: condition, and how many seconds they are kept. Reply notices show that a message was answered, so notices
#: must be kept at least as long as inbox keys.
OLD_ROWS: Final[dict[str, tuple[Table[Any], str, str, float]]] = {
    "inbox": (INBOX, "seen_at", "", inbox.KEY_RETENTION_SECONDS),
    "links": (LINKS, "expires_at", "", _DAY),
    "notices": (NOTICES, "sent_at", "state = 'sent'", 30 * _DAY),
    "dead_notices": (NOTICES, "created_at", "state = 'dead'", 7 * _DAY),
    "orphans": (OPERATIONS, "ended_at", "is_orphan = 1", 30 * _DAY),
    "runs": (RUNS, "ended_at", "outcome IS NOT NULL", RETENTION_SECONDS),
    "approvals": (APPROVALS, "decided_at", "decided_at IS NOT NULL", 30 * _DAY),
    "browser_sessions": (BROWSER_SESSIONS, "expires_at", "", 0.0),
    "undoable_actions": (ACCEPTED_REQUESTS, "done_at", "", 30 * _DAY),
    "undecryptable_secrets": (UNDECRYPTABLE_SECRETS, "removed_at", "", 7 * _DAY),
    "owners": (OWNERS, "until", "", _DAY),
    "rules": (RULES, "processed_until", "paused = 'unlinked'", 30 * _DAY),
    "occurrences": (OCCURRENCES, "at", "", 60 * _DAY),
    "waits": (WAITLIST_ENTRIES, "ended_at", "", 7 * _DAY),
}
#: Tables in ``OLD_ROWS`` whose rows are the subjects of cards. The cards are deleted along with the rows.
#: Notices aren't listed: a notice's card has the notice's id, so ``_sweep_old`` deletes it by that id.
_HAVE_CARDS: Final = (OPERATIONS, RUNS, WAITLIST_ENTRIES)
_BATCH_SIZE = 50


async def sweep(engine: Engine) -> None:
    """Delete rows that are no longer needed, in short transactions.

    Of each workspace's operations and each person's runs, only the 50 newest and open ones are kept.
    ``docs/operate.md`` says how long the rows of each table are kept. A card's row is deleted together with
    its operation, run, class or notice.
    """
    for short in (_give_up_edits, _end_forgotten, _sweep_classes):
        while await engine.write(short):
            pass
    for name in OLD_ROWS:
        while await engine.write(partial(_sweep_old, name=name)):
            pass
    while await engine.write(partial(usage.fold, limit=_BATCH_SIZE)):
        pass
    while await engine.write(_purge_workspace):
        pass
    for some, query, delete in (
        ("some_workspaces", "surplus_operations", partial(_delete_ended, query="sweep_ended_operations")),
        ("some_run_people", "surplus_runs", partial(_delete_ended, query="sweep_ended_runs")),
        ("some_gates", "unwatched_gates", _delete_gates),
    ):
        # A transaction that writes may hold up everybody, so look for the rows without one.
        async for rows in read_batches(engine, some, after_id=""):
            found = await engine.read(partial(_find_needless, query=query, rows=rows), Priority.STEADY)
            for start in range(0, len(found), _BATCH_SIZE):
                await engine.write(partial(delete, rows=found[start : start + _BATCH_SIZE]))
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


def _sweep_classes(tx: Transaction) -> bool:
    """Delete some old classes, after the enrollments in them. Return whether there may be more."""
    old = {"before": tx.now() - 30 * _DAY, "limit": _BATCH_SIZE}
    return (
        tx.count("sweep_presses", **old) == _BATCH_SIZE
        or _delete_with_cards(tx, "sweep_class_cards", **old) == _BATCH_SIZE
    )


@cache
def make_sweep_query(name: str) -> str:
    """Return the statement that deletes some of the rows that ``OLD_ROWS`` lists under this name."""
    table, age, condition, _ = OLD_ROWS[name]
    key, where = ", ".join(table.keys[0]), f"{condition} AND {age}" if condition else age
    old = f"SELECT {key} FROM {table.name} WHERE {where} < :before ORDER BY {age} LIMIT :limit"  # noqa: S608
    return f"DELETE FROM {table.name} WHERE ({key}) IN ({old}) RETURNING {key}"  # noqa: S608 - the names above


def _sweep_old(tx: Transaction, name: str) -> bool:
    table, _, _, seconds = OLD_ROWS[name]
    old = {"before": tx.now() - seconds, "limit": _BATCH_SIZE}
    if table in _HAVE_CARDS:
        return _delete_with_cards(tx, make_sweep_query(name), **old) == _BATCH_SIZE
    deleted = tx.all(make_sweep_query(name), **old)
    for row in deleted if table is NOTICES else ():
        cards.drop(tx, row["id"])
    return len(deleted) == _BATCH_SIZE


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
    RULES.delete(tx, workspace_id=gone)
    WORKSPACES.delete(tx, id=gone)
    return True


def _find_needless(tx: Transaction, query: str, rows: Sequence[Row]) -> list[Row]:
    return tx.all(query, ids=as_json({row["id"]: 1 for row in rows}), before=tx.now() - _DAY)


def _delete_ended(tx: Transaction, rows: Sequence[Row], query: str) -> None:
    """Delete rows with their cards, except those that have been reopened in the meantime."""
    _delete_with_cards(tx, query, ids=as_json({row["id"]: 1 for row in rows}))


def _delete_gates(tx: Transaction, rows: Sequence[Row]) -> None:
    for row in rows:
        tx.run("sweep_gate", gate_key=row["id"], before=tx.now() - _DAY)
