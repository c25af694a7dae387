"""The audit: append-only rows, each bound to the one before by a hash, and a head that knows the length.

An edited, removed or reordered row breaks the chain; truncation contradicts the head. Anyone who can write
the whole database can forge all of it: if that matters, copy the head's hash elsewhere. Old rows leave only
for an archive, in order, and the chain goes on from an anchor (``docs/adr/0038-archives-of-the-audit.md``).
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bot.domain.audit import AuditEntry
from bot.store.tables import AUDIT
from bot.store.transaction import Engine, Priority, Row, Transaction, as_json, clean, from_json

#: The action of the entry that says up to which other one entries were archived (``through`` in its detail).
ARCHIVED: Final = "audit.archive"
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
        AUDIT.add(tx, **row, hash=previous)
    tx.run("end_audit", hash=previous)


def audit_entries(tx: Transaction, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
    """Return audit rows in order.

    Keys: seq, at, actor, action, target, result, detail (JSON), previous_hash, hash.
    """
    return list(tx.all("audit_entries", after=after, limit=limit))


def _head(tx: Transaction) -> Row:
    row = tx.one("audit_head")
    assert row is not None  # the migration writes it
    return row


def audit_head(tx: Transaction) -> tuple[int, str]:
    """Return the number of audit rows and the hash of the last one ("" if there is none)."""
    row = _head(tx)
    return int(row["count"]), str(row["hash"])


def audit_anchor(tx: Transaction) -> tuple[int, str]:
    """Return the last archived entry and its hash, from which the chain goes on (0 and "" if none)."""
    row = _head(tx)
    return int(row["archived"]), str(row["archived_hash"])


def leave_to_archive(tx: Transaction, through: int, limit: int, entries_: Sequence[AuditEntry] = ()) -> bool:
    """Delete the next rows up to ``through``, which an archive has; return whether there may be more.

    The anchor moves along, so the chain is whole after each transaction. ``entries_`` say what is done.
    """
    append_audit(tx, entries_)
    before, _ = audit_anchor(tx)
    last = min(before + limit, through)
    if last <= before:
        return False
    (kept,) = audit_entries(tx, after=last - 1, limit=1)
    tx.run("begin_audit_at", seq=last, hash=kept["hash"])
    tx.run("drop_archived_audit", seq=last)
    return last < through


async def verify_audit(engine: Engine, page: int = 1000) -> int | None:
    """Verify the whole chain from its anchor; return the first bad seq, or None if it is intact.

    A row is bad if it is wrong, missing or surplus. Rows appended meanwhile are verified too, and so is that
    what is missing before the anchor was archived: an entry after it has to say so.
    """
    last, previous, after, claimed = 0, "", 0, 0
    while True:
        both = partial(lambda tx, after: (_head(tx), audit_entries(tx, after, page)), after=after)
        head_, rows = await engine.read(both, Priority.STEADY)
        count, end, archived = int(head_["count"]), head_["hash"], int(head_["archived"])
        if archived > last:
            last, previous = archived, head_["archived_hash"]
        for row in rows:
            if row["seq"] != last + 1 or row["previous_hash"] != previous or hash_of(row) != row["hash"]:
                return last + 1
            if row["action"] == ARCHIVED:
                claimed = max(claimed, int(from_json(row["detail"])["through"]))
            after = last = int(row["seq"])
            previous = str(row["hash"])
            if last == count and previous != end:
                return last
        if not rows:
            # The head was read with the rows, so it can't be ahead of them.
            if last != count:
                return min(last, count) + 1
            return None if archived <= claimed else archived
