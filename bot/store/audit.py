"""The audit: append-only rows, each bound to the one before by a hash, and a head that knows the length.

An edit, a removed or reordered row breaks the chain; a cut at the end contradicts the head. Whoever can
write the whole database can forge all of it: copy the head's hash elsewhere where that matters.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from bot.store.text import as_json, clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.models import AuditEntry
    from bot.store.store import Store
    from bot.store.transaction import Row, Transaction

_CONTENT = ("seq", "at", "actor", "action", "target", "result", "detail", "previous_hash")


def hash_of(row: Mapping[str, Any]) -> str:
    """Return the hash that a row must carry: SHA-256 over the canonical JSON of all the rest of it."""
    return hashlib.sha256(as_json([row[column] for column in _CONTENT]).encode()).hexdigest()


def append_audit(tx: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Append audit rows with their hash chain."""
    if not entries:
        return
    head = tx.one("lengthen_audit", more=len(entries))
    assert head is not None  # the migration writes it
    now, previous, before = float(tx.now()), head["hash"], head["count"] - len(entries)
    for seq, entry in enumerate(entries, before + 1):
        row: Row = {
            "seq": seq,
            "at": now,
            "actor": clean(entry.actor),
            "action": clean(entry.action),
            "target": clean(entry.target),
            "result": clean(entry.result),
            "detail": as_json(entry.detail),
            "previous_hash": previous,
        }
        previous = hash_of(row)
        tx.run("append_audit", **row, hash=previous)
    tx.run("end_audit", hash=previous)


def entries(tx: Transaction, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
    """Return audit rows in order.

    Keys: seq, at, actor, action, target, result, detail (JSON), previous_hash, hash.
    """
    return list(tx.all("audit_entries", after=after, limit=limit))


def head(tx: Transaction) -> tuple[int, str]:
    """Return how many audit rows there are and the hash of the last ("" when there is none)."""
    row = tx.one("audit_head")
    assert row is not None  # the migration writes it
    return int(row["count"]), str(row["hash"])


async def verify_audit(store: Store, page: int = 1000) -> int | None:
    """Follow the whole chain; return the first bad seq, None when all is well.

    A row is bad when it is wrong, missing or too much. Rows may be appended meanwhile: they are followed too.
    """
    last, previous = 0, ""
    while True:
        count, end = await store.audit_head()
        rows = await store.audit_entries(after=last, limit=page)
        for row in rows:
            if row["seq"] != last + 1 or row["previous_hash"] != previous or hash_of(row) != row["hash"]:
                return last + 1
            last, previous = int(row["seq"]), str(row["hash"])
            if last == count and previous != end:
                return last
        if not rows:
            # The head was read before the rows were: it can't know more than they hold.
            return None if last == count else min(last, count) + 1
