"""The audit log: append-only rows in a hash chain, and a head that counts them.

The head precedes the first row, and is the only row that ever changes.

Editing, removing or reordering rows breaks the chain, and truncating it contradicts the head. Anyone who can
write to the whole database can forge the entire log. To guard against this, keep a copy of the head's hash
elsewhere.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from bot.domain.audit import AuditEntry
from bot.store.engine import Engine
from bot.store.transaction import Priority, Transaction, as_json, clean, from_json, hash_text, prioritize

#: Before release 0.4.0, Usher moved old rows to a file, and then wrote an audit entry with this action. In
#: the entry's detail, ``through`` is the number of the last row moved.
_ARCHIVED: Final = "audit.archive"
_CONTENT: Final = ("at", "actor", "action", "target", "result", "detail")


def hash_of(row: Mapping[str, Any]) -> str:
    """Return the hash that a row should have: the SHA-256 of the canonical JSON of its other columns."""
    return hash_text(as_json([row[column] for column in ("seq", *_CONTENT, "previous_hash")]))


@prioritize(Priority.URGENT)
def append_audit(tx: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Queue audit rows. They are appended just before the transaction commits."""
    for entry in entries:
        said = {name: clean(getattr(entry, name)) for name in ("actor", "action", "target", "result")}
        tx.audit_rows.append({"at": float(tx.now()), **said, "detail": as_json(entry.detail)})


def append_rows(tx: Transaction) -> None:
    """Append the queued rows to the hash chain. This locks the head, so nothing but the commit may follow."""
    rows, tx.audit_rows = tx.audit_rows, []
    for row in rows:
        # Leave out the first and the last value of the canonical JSON, because the query takes them from the
        # head.
        content = as_json([row[column] for column in _CONTENT])[1:-1]
        tx.run("append_audit", **row, content=content)
        tx.audited = row


@prioritize(Priority.STEADY)
def read_audit(tx: Transaction, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
    """Return audit rows in order.

    Their columns are seq, at, actor, action, target, result, detail (JSON), previous_hash and hash.
    """
    return list(tx.all("audit_entries", after=after, limit=limit))


@prioritize(Priority.STEADY)
def is_database_used(tx: Transaction) -> bool:
    """Return whether anyone has ever used the database, or has an account in it.

    Only the oldest 200 audit rows are checked. If there are more rows, people must have caused some of them.
    """
    return tx.one("used_database") is not None


@prioritize(Priority.STEADY)
def read_audit_head(tx: Transaction) -> tuple[int, str]:
    """Return the number of audit rows and the hash of the last one ("" if there is none)."""
    row = tx.one("audit_head")
    return (int(row["count"]), str(row["hash"])) if row is not None else (0, "")


async def verify_audit(engine: Engine, page: int = 1000) -> int | None:
    """Verify the whole chain. Return the seq of the first bad row, or None if the chain is intact.

    A row is bad if it is wrong, missing or surplus. Rows that are appended during the check are verified,
    too. The first rows may be missing if a later row says that they were archived.
    """
    last, previous, archived, claimed = 0, "", 0, 0
    while True:
        both = partial(lambda tx, after: (tx.one("audit_head"), read_audit(tx, after, page)), after=last)
        head, rows = await engine.read(both, Priority.STEADY)
        if head is None:
            return last + 1
        count, end = int(head["count"]), head["hash"]
        if not last and rows and rows[0]["seq"] > 1:
            last = archived = int(rows[0]["seq"]) - 1
            previous = str(rows[0]["previous_hash"])
        for row in rows:
            if row["seq"] != last + 1 or row["previous_hash"] != previous or hash_of(row) != row["hash"]:
                return last + 1
            if row["action"] == _ARCHIVED:
                claimed = max(claimed, int(from_json(row["detail"])["through"]))
            last, previous = int(row["seq"]), str(row["hash"])
            if last == count and previous != end:
                return last
        if not rows:
            # The head was read in the same transaction as the rows, so it can't be ahead of them.
            if last != count:
                return min(last, count) + 1
            return None if archived <= claimed else claimed + 1
