"""The audit: append-only rows, each bound to the one before by a hash, and a head that knows the length.

An edited, removed or reordered row breaks the chain; truncation contradicts the head. Anyone who can write
the whole database can forge all of it: if that matters, copy the head's hash elsewhere.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.store.text import as_json, clean
from bot.store.transaction import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.models import AuditEntry
    from bot.store.transaction import Engine, Row, Transaction

_CONTENT = ("seq", "at", "actor", "action", "target", "result", "detail", "previous_hash")


def hash_of(row: Mapping[str, Any]) -> str:
    """Return the hash that a row must have: SHA-256 over the canonical JSON of the rest of it."""
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
    """Return the number of audit rows and the hash of the last one ("" if there is none)."""
    row = tx.one("audit_head")
    assert row is not None  # the migration writes it
    return int(row["count"]), str(row["hash"])


async def verify(engine: Engine, page: int = 1000) -> int | None:
    """Verify the whole chain; return the first bad seq, or None if it is intact.

    A row is bad if it is wrong, missing or surplus. Rows appended meanwhile are verified too.
    """
    last, previous = 0, ""
    while True:
        count, end = await engine.read(head, Priority.STEADY)
        rows = await engine.read(partial(entries, after=last, limit=page), Priority.STEADY)
        for row in rows:
            if row["seq"] != last + 1 or row["previous_hash"] != previous or hash_of(row) != row["hash"]:
                return last + 1
            last, previous = int(row["seq"]), str(row["hash"])
            if last == count and previous != end:
                return last
        if not rows:
            # The head was read before the rows, so it can't be ahead of them.
            return None if last == count else min(last, count) + 1
