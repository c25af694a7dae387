"""The audit log's witness: a small file that reveals whether the database was replaced by an older one.

Nothing in a restored database shows that it came from a backup. So Usher keeps a file next to the database,
outside all backups, that records how long the audit log was when this machine last used the database. If the
audit log is now shorter, or its history differs, the database has been replaced by an older one. Using the
older one would bring back links that have since been ended.
"""

import asyncio
import json
from pathlib import Path
from typing import Final

import structlog

from bot.store import audit
from bot.store.store import Store
from bot.support.environment import command

log = structlog.get_logger(__name__)


#: Message about a database that is older than its witness file. ``HOLD_FIRST`` is the advice shown with it.
OLDER: Final = "The database is older than when Usher last ran here: it was restored from a backup"
HOLD_FIRST: Final = f"Put on hold what it has planned, then start Usher: {command('restored')}"


class AuditWitness:
    """The file next to the database that stores the length and the last hash of the audit log.

    If the path is None, nothing is stored or reported.
    """

    def __init__(self, database: Path | None) -> None:
        self._path = None if database is None else database.with_name(f"{database.name}.seen")
        self._written: tuple[int, str] | None = None

    async def note(self, store: Store) -> None:
        """Write the audit log's length and last hash to the file if they have changed. Raises StoreError."""
        head = await store.read(audit.read_audit_head)
        if self._path is not None and head != self._written:
            try:
                await asyncio.to_thread(_write, self._path, head)
            except OSError as error:
                log.warning(
                    "the length of the audit log could not be written to its witness file",
                    problem=error.strerror,
                )
            else:
                self._written = head

    async def contradicts(self, store: Store) -> bool:
        """Return whether the file contradicts the audit log in the database. Raises StoreError."""
        known = None if self._path is None else await asyncio.to_thread(_read, self._path)
        if known is None or known[0] == 0:
            return False
        rows = await store.read(audit.read_audit, after=known[0] - 1, limit=1)
        if not rows:
            return True
        # If a release before 0.4.0 has archived the row, there is nothing left to compare.
        return bool(rows[0]["seq"] == known[0] and rows[0]["hash"] != known[1])


def _read(path: Path) -> tuple[int, str] | None:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        return int(noted["length"]), str(noted["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, head: tuple[int, str]) -> None:
    """Replace the whole file in one step. A crash leaves either the old version or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    # Never follow a symbolic link, because Usher may run as root, and others may be able to write to the
    # folder.
    with fresh.open("x", encoding="utf-8") as file:
        json.dump({"length": head[0], "hash": head[1]}, file)
    fresh.replace(path)
