"""Records when daily work was done and when failovers were noticed, and decides whether a process may serve.

After a failover, the last commits of the old primary may be missing from the new one, and there is no way to
tell which ones. So a row records when the failover was noticed. Two SQL fragments rely on this row: *doubted*
finds notices that may have been sent although the database doesn't say so, and *settled* delays new claims
until all lost claims have expired.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Final, Literal

from bot.domain.audit import AuditEntry
from bot.store import audit
from bot.store.tables import DATABASE_TIMELINE, SERVING, UPKEEP
from bot.store.transaction import Priority, Row, Transaction, from_json, prioritize
from bot.support.environment import command
from bot.support.errors import StoreOutdated

#: Name of the row that records the nightly backups.
BACKUP: Final = "backup"
#: Name of the row that says when Usher last began to serve again after downtime. It exists only on SQLite.
AWAY: Final = "away"
#: Name of the row that is written to test whether the database is writable.
_TRIAL = "trial"


def note_daily_work(tx: Transaction, work: str, problem: str = "") -> None:
    """Record that daily work is done or, if there was a ``problem``, that it failed and must be retried."""
    done_at = find_last_done(tx, work) or 0.0 if problem else tx.now()
    UPKEEP.upsert(tx, work=work, done_at=done_at, detail={"problem": problem} if problem else None)


@prioritize(Priority.STEADY)
def find_last_done(tx: Transaction, work: str) -> float | None:
    """Return when daily work was last done, or None if it has never been done."""
    row = UPKEEP.row(tx, work=work)
    return None if row is None else float(row["done_at"])


@prioritize(Priority.STEADY)
def find_problem(tx: Transaction, work: str) -> str:
    """Return the problem that made the daily work fail last time, or "" if it succeeded."""
    row = UPKEEP.row(tx, work=work)
    return str(from_json(row["detail"])["problem"]) if row and row["detail"] else ""


@prioritize(Priority.URGENT)
def try_writing(tx: Transaction) -> None:
    """Rewrite a row that exists only to test writing. Fail if the database is read-only or out of space."""
    UPKEEP.upsert(tx, work=_TRIAL, done_at=tx.now())


#: Maps each ``Mark`` of a database to a message that explains why no process may serve from it. ``moved``
#: means that the database was copied to another one, which is now in use. ``copied`` means that the database
#: is itself a backup.
_OUTDATED_MESSAGES: Final = {
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


Mark = Literal["moved", "copied"]


def mark(tx: Transaction, left: Mark) -> None:
    """Mark a database so that no process serves from it until the mark is removed."""
    UPKEEP.upsert(tx, work=left, done_at=tx.now())


def explain_outdated(tx: Transaction) -> str:
    """Return why no process may serve from a database, and what to do about it, or "" if a process may."""
    for left, said in _OUTDATED_MESSAGES.items():
        if (at := find_last_done(tx, left)) is not None:
            return said.format(day=datetime.fromtimestamp(at, UTC).date())
    return ""


def refuse_outdated(tx: Transaction) -> None:
    """Raise StoreOutdated if a mark says that no process may serve from the database."""
    if said := explain_outdated(tx):
        raise StoreOutdated(said)


def read_restore_state(tx: Transaction) -> tuple[float, float, Counter[str]]:
    """Return when a backup was made, when its restore began, and how much work of each kind is on hold."""
    row = UPKEEP.row(tx, work="copied")
    held = (row and from_json(row["detail"])) or {}
    return find_backup_time(tx), held.pop("began", tx.now()), Counter(held)


def note_held(tx: Transaction, backup_at: float, began: float, held: Counter[str]) -> None:
    """Record how much work has been put on hold so far.

    No process serves until all work is on hold. If the restore is interrupted and resumed, it uses the same
    ``backup_at`` and ``began``.
    """
    UPKEEP.upsert(tx, work="copied", done_at=backup_at, detail={"began": began, **held})


def find_backup_time(tx: Transaction) -> float:
    """Return when a backup was made, according to its mark.

    Without a mark, return when it was last in use.
    """
    if (at := find_last_done(tx, "copied")) is not None:
        return at
    beat, last = SERVING.row(tx, id=1), audit.read_audit(tx, after=audit.read_audit_head(tx)[0] - 1, limit=1)
    times = [beat["seen_at"]] if beat is not None else []
    return float(max([*times, *(row["at"] for row in last)], default=tx.now()))


#: Seconds to wait after a failover before claiming work that calls a provider or sends a message (the SQL
#: fragment *settled*). By then, every claim that the failover lost has expired, so no other process is still
#: doing the same work. Lost counts of calls to Slack no longer matter either, because Slack's limits apply
#: per minute.
FAILOVER_CONFIRM_SECONDS: Final = 62.0


def compare(tx: Transaction, server: str) -> None:
    """Compare the server and its timeline with the stored ones. If they differ, record a failover."""
    if tx.count("note_failover", server=server, now=tx.now()):
        audit.append_audit(tx, [AuditEntry("usher", "store.failover", "database", "ok", {"server": server})])
    DATABASE_TIMELINE.add_missing(tx, id=1, server=server)


def note_same_data(tx: Transaction) -> None:
    """Accept the next server without recording a failover, because it has all rows (as after an upgrade)."""
    DATABASE_TIMELINE.delete(tx, id=1)


@prioritize(Priority.STEADY)
def find_failover(tx: Transaction) -> Row | None:
    """Return when the last failover was noticed, and since when rows may be missing."""
    return tx.one("failover")
