"""Upkeep: when daily work was done, whether anybody may serve from a database as it is, and failovers.

A promoted standby may lack what its primary committed last, and nobody can tell which rows that was. So one
row says when it was noticed, and what follows is read from it: the parts *doubted* and *settled*.
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

#: The nightly backup, and when Usher last began to serve again after a pause (SQLite only).
BACKUP: Final = "backup"
AWAY: Final = "away"
#: The name of the row that is written to see whether anything can be.
_TRIAL = "trial"


def note_daily_work(tx: Transaction, work: str, problem: str = "") -> None:
    """Note that daily work is done, or its problem: then it stays due."""
    done_at = find_last_done(tx, work) or 0.0 if problem else tx.now()
    UPKEEP.upsert(tx, work=work, done_at=done_at, detail={"problem": problem} if problem else None)


@prioritize(Priority.STEADY)
def find_last_done(tx: Transaction, work: str) -> float | None:
    """Return when daily work was last done, None if never."""
    row = UPKEEP.row(tx, work=work)
    return None if row is None else float(row["done_at"])


@prioritize(Priority.STEADY)
def find_problem(tx: Transaction, work: str) -> str:
    """Return the reason for which daily work isn't done since it last was, "" if there is no problem."""
    row = UPKEEP.row(tx, work=work)
    return str(from_json(row["detail"])["problem"]) if row and row["detail"] else ""


@prioritize(Priority.URGENT)
def try_writing(tx: Transaction) -> None:
    """Write one tiny row, always the same: who may only look, or has no space left, learns it here."""
    UPKEEP.upsert(tx, work=_TRIAL, done_at=tx.now())


#: What nobody may serve from as it is. ``moved``: this file was copied to another database, which is in use.
#: ``copied``: it is a backup itself.
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
    """Mark a database as one that nobody may serve from as it is."""
    UPKEEP.upsert(tx, work=left, done_at=tx.now())


def remove_marks(tx: Transaction, *marks: Mark) -> None:
    """Take marks away again."""
    for left in marks:
        UPKEEP.delete(tx, work=left)


def forget_upkeep(tx: Transaction) -> None:
    """Delete the marks of a copy and its upkeep, so that the next start does all daily work.

    Since the copy was made, people may have left, and its own backups may be lost with their disk.
    """
    tx.run("delete_upkeep")


def explain_outdated(tx: Transaction) -> str:
    """Return the reason for which nobody may serve from a database as it is, with a next step.

    "" if anybody may.
    """
    for left, said in _OUTDATED_MESSAGES.items():
        if (at := find_last_done(tx, left)) is not None:
            return said.format(day=datetime.fromtimestamp(at, UTC).date())
    return ""


def refuse_outdated(tx: Transaction) -> None:
    """Raise StoreOutdated if nobody may serve from a database as it is."""
    if said := explain_outdated(tx):
        raise StoreOutdated(said)


def read_restore_state(tx: Transaction) -> tuple[float, float, Counter[str]]:
    """Return the times of the restored backup and of the restoring, and the work on hold, by kind."""
    row = UPKEEP.row(tx, work="copied")
    held = (row and from_json(row["detail"])) or {}
    return find_backup_time(tx), held.pop("began", tx.now()), Counter(held)


def note_held(tx: Transaction, backup_at: float, began: float, held: Counter[str]) -> None:
    """Write the amount of work on hold.

    Until all is, nobody serves, and whoever goes on knows the same moment.
    """
    UPKEEP.upsert(tx, work="copied", done_at=backup_at, detail={"began": began, **held})


def find_backup_time(tx: Transaction) -> float:
    """Return when a backup was made: by its mark, otherwise when the database was last in use."""
    if (at := find_last_done(tx, "copied")) is not None:
        return at
    beat, last = SERVING.row(tx, id=1), audit.read_audit(tx, after=audit.read_audit_head(tx)[0] - 1, limit=1)
    times = [beat["seen_at"]] if beat is not None else []
    return float(max([*times, *(row["at"] for row in last)], default=tx.now()))


#: For so many seconds after a failover nothing is claimed that is called or sent: the part *settled*.
#: No lease of what was claimed in the lost seconds lasts longer; nor does the minute in which Slack counts.
FAILOVER_CONFIRM_SECONDS: Final = 62.0


def compare(tx: Transaction, server: str) -> None:
    """Compare the server and its timeline with the rows' own: one process, once, notes a failover."""
    if tx.count("note_failover", server=server, now=tx.now()):
        audit.append_audit(tx, [AuditEntry("usher", "store.failover", "database", "ok", {"server": server})])
    DATABASE_TIMELINE.add_missing(tx, id=1, server=server)


def note_same_data(tx: Transaction) -> None:
    """Take over the next server that is found without a failover: it has all rows, as after an upgrade."""
    DATABASE_TIMELINE.delete(tx, id=1)


@prioritize(Priority.STEADY)
def find_failover(tx: Transaction) -> Row | None:
    """Return the moment since which rows may be lost, and the moment of noticing; None if it never was."""
    return tx.one("failover")
