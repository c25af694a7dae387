"""The schema of a SQLite file: finding and running missing migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.support.errors import StoreTooNew, StoreUnreleased

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlite_utils import Database

_UNRELEASED = (
    "The database {path} was made by an earlier, unreleased version of Usher. Set USHER_DATABASE_URL "
    "to a new file; people link their accounts again there."
)
#: The first migration of all versions before the first release: their tables had other names.
_BEFORE_RELEASE = "0001_foundation"


def missing(database: Database, scripts: Mapping[str, str], path: str) -> list[str]:
    """Return the migrations still to run, in order. Raise StoreTooNew or StoreUnreleased."""
    database.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
    )
    applied = {row[0] for row in database.execute("SELECT name FROM migrations")}
    if _BEFORE_RELEASE in applied:
        raise StoreUnreleased(_UNRELEASED.format(path=path))
    if unknown := sorted(applied - scripts.keys()):
        raise StoreTooNew(f"the database was migrated by a newer release ({', '.join(unknown)})")
    return [name for name in scripts if name not in applied]


def run(database: Database, scripts: Mapping[str, str], names: Sequence[str], now: float) -> None:
    """Run migrations and record them, within the caller's open transaction: all or nothing."""
    for name in names:
        database.executescript(scripts[name])
        database.execute("INSERT INTO migrations VALUES (?, ?)", [name, now])
