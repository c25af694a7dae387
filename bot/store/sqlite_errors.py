"""What SQLite's errors mean to the store's callers. SQLite's own words hold no values of rows."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from bot.support.environment import NAME
from bot.support.errors import StoreError, StoreNotMigrated, StoreUnavailable

_LOCKED = "the database is locked by another process"
_MOVED = "{name} was moved or deleted while it was in use: put it back if you can, and restart Usher"
_DAMAGED = (
    "the database is damaged: stop Usher and restore the newest backup, or save what can still be read "
    "(docs/operate.md, “Backups”)"
)
_CAUSES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database can't be opened",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: "the file isn't a SQLite database",
    sqlite3.SQLITE_PERM: "this user isn't allowed to use the database",
    sqlite3.SQLITE_AUTH: "this user isn't allowed to use the database",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
}
_SYSTEM_CAUSES = {
    errno.ENOENT: "its folder doesn't exist",
    errno.ENOTDIR: "its folder doesn't exist",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "this user isn't allowed to use it",
    errno.EPERM: "this user isn't allowed to use it",
    errno.EROFS: "the disk is read-only",
    errno.ENOSPC: "the disk is full",
}


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code; the extended ones carry more in the upper bits."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def is_locked(error: BaseException) -> bool:
    """Return whether another process has the database locked."""
    return isinstance(error, sqlite3.Error) and _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_missing_table(error: BaseException) -> bool:
    """Return whether the schema is missing."""
    return isinstance(error, sqlite3.OperationalError) and "no such table" in str(error)


def translated(error: Exception) -> Exception:
    """Translate an error of SQLite or the system to one that callers know; return others unchanged."""
    if isinstance(error, FileNotFoundError):
        return StoreUnavailable(_MOVED.format(name=Path(str(error.filename)).name))
    if isinstance(error, OSError):
        return StoreUnavailable(f"the database file can't be used: {error.strerror}")
    if not isinstance(error, sqlite3.Error):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        return StoreError(f"the data's own rules forbid it ({error})")
    if is_missing_table(error):
        return StoreNotMigrated(f"the database is not migrated; run: {NAME} migrate")
    cause, colon, step = _CAUSES.get(_code(error), "the database failed").partition(": ")
    return StoreUnavailable(f"{cause} ({error}){colon}{step}")


def why_not_opened(path: str, error: Exception) -> str:
    """Return the cause for operators when a database can't be opened."""
    if isinstance(error, OSError):
        cause = _SYSTEM_CAUSES.get(error.errno or 0, error.strerror or "the system refused it")
        return f"{Path(path).absolute()} can't be opened: {cause}"
    return f"{Path(path).absolute()} can't be opened: {translated(error)}"
