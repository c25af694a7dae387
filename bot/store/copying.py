"""Moving an installation from a SQLite file into a PostgreSQL database.

Everything is copied in one transaction: after an interruption the target is as empty as before. Nobody may
serve from either of them meanwhile.
"""

import sqlite3
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from bot.store.schema import Table
from bot.store.sqlite import SqliteEngine, why_not_opened
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreError, StoreInUse, StoreUnavailable

_SERVED = "Usher is running on {path}: stop it, then copy again."
_DIFFERS = "The audit record of the copy differs from that of {path}: drop the copy, and report this."


@dataclass(frozen=True, slots=True)
class Copied:
    """Hold what was copied: rows by table, and the first bad row of an audit that was already broken."""

    counts: dict[str, int]
    broken_at: int | None


async def copy_store(path: Path, url: str) -> Copied:
    """Copy a file into an empty database. Raise StoreError with what to do; then nothing was copied."""
    from bot.store.postgres import PostgresEngine  # noqa: PLC0415 - only where it is used

    clock, ids = SystemClock(), SystemIds()
    source = SqliteEngine(str(path), clock, ids)
    await source.open()
    try:
        try:
            await source.migrate(serves=True)
        except StoreInUse:
            raise StoreInUse(_SERVED.format(path=path)) from None
        target = PostgresEngine(url, clock, ids)
        await target.open()
        try:
            await target.migrate(serves=True)
            counts = await target.fill(partial(_tables, str(path)))
            broken_at = await _compare(Store(source), Store(target), path)
        finally:
            await target.close()
    finally:
        await source.close()
    return Copied(counts, broken_at)


async def _compare(source: Store, target: Store, path: Path) -> int | None:
    """Return the first bad row of the audit, the same in both."""
    broken_at = await source.verify_audit()
    heads = await source.audit_head(), await target.audit_head()
    if heads[0] != heads[1] or await target.verify_audit() != broken_at:
        raise StoreError(_DIFFERS.format(path=path))
    return broken_at


def _tables(path: str) -> Generator[Table]:
    """Yield every table of a file, as of one moment; those that others refer to come first."""
    try:
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("BEGIN")
            for table in sorted(
                Database(database, recursive_triggers=False, execute_plugins=False).tables,
                key=lambda table: (bool(table.foreign_keys), table.name),
            ):
                # SQLite's own tables, such as the statistics of ANALYZE, stay with it.
                if table.name != "migrations" and not table.name.startswith("sqlite_"):
                    rows = database.execute(f'SELECT * FROM "{table.name}"')  # noqa: S608
                    yield Table(table.name, tuple(table.columns_dict), rows)
    except sqlite3.Error as error:
        raise StoreUnavailable(why_not_opened(path, error)) from None
