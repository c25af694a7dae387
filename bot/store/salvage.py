"""Recovery of a damaged SQLite file: readable rows are copied to a new file, table by table."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.store.sqlite import LAYOUT, SqliteTransaction, new_database_file, not_served
from bot.store.transaction import StoreTime, Transaction
from bot.support.clock import Ids
from bot.support.errors import StoreUnavailable

#: The largest possible row number.
_MAX_ROWID: Final = 2**63 - 1
#: Errors that reading a damaged place can cause; a length stored there may have any value, so memory may run
#: out.
_UNREADABLE: Final = (sqlite3.Error, OverflowError, MemoryError)


@dataclass(frozen=True, slots=True)
class SavedTable:
    """What was saved of a table: how many rows, and whether any couldn't be read."""

    rows: int
    is_damaged: bool


def save_readable_rows(
    path: Path, target: Path, left: Callable[[Transaction], object], time: StoreTime, ids: Ids
) -> Mapping[str, SavedTable]:
    """Copy the readable rows of a file into a new one, which appears only once it is complete.

    Rows that violate a constraint of their table are left out, and count as damage. ``left`` then writes into
    the new file. Raise StoreUnavailable, or StoreInUse if a process serves from the damaged file.
    """
    with (
        not_served(path),
        new_database_file(target) as fresh,
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(fresh)) as made,
    ):
        source.text_factory = lambda text: text.decode("utf-8", "replace")
        # This makes SQLite read as much as possible of an inconsistent schema.
        source.execute("PRAGMA writable_schema = ON")
        for pragma in LAYOUT:
            made.execute(f"PRAGMA {pragma}")
        for _type, _name, _table, _page, statement in _read_rows(source, "sqlite_schema", []):
            # Statements that depend on a lost part are skipped, such as an index on a lost table.
            with suppress(sqlite3.Error):
                made.execute(statement or "")
        names = [row[0] for row in made.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        saved = {name: _save_table(source, made, name) for name in names if not name.startswith("sqlite_")}
        if not any(table.rows for table in saved.values()):
            raise StoreUnavailable("nothing in it can be read")
        with suppress(sqlite3.Error):
            left(SqliteTransaction(made, time, ids))
        made.commit()
    return saved


def _save_table(source: sqlite3.Connection, made: sqlite3.Connection, name: str) -> SavedTable:
    rows, damage = 0, list[str]()
    for row in _read_rows(source, name, damage):
        marks = ", ".join("?" * len(row))
        try:
            added = made.execute(f'INSERT OR IGNORE INTO "{name}" VALUES ({marks})', row).rowcount  # noqa: S608
        except sqlite3.Error:
            added = 0
        rows += added
        if not added:
            damage.append("a row that its table doesn't take")
    return SavedTable(rows, bool(damage))


def _read_rows(source: sqlite3.Connection, name: str, damage: list[str]) -> Iterator[tuple[Any, ...]]:
    """Yield a table's rows; at a damaged place, skip ahead, then read backwards towards it.

    Each row is read with a separate query, because an error in a larger query would lose the rows before the
    damage.
    """
    after = f'SELECT rowid, * FROM "{name}" WHERE rowid > ? ORDER BY rowid LIMIT 1'  # noqa: S608
    before = f'SELECT rowid, * FROM "{name}" WHERE rowid < ? ORDER BY rowid DESC LIMIT 1'  # noqa: S608
    last, step = 0, 0
    while last + step < _MAX_ROWID:
        try:
            found = source.execute(after, (last + step,)).fetchone()
            if found is not None and found[0] <= last + step:
                raise sqlite3.DatabaseError("rows are out of order")
        except _UNREADABLE as error:
            damage.append(str(error))
            step = step * 2 or 1
            continue
        end = last + step + 1 if found is None else found[0]
        with suppress(*_UNREADABLE):
            while step and (row := source.execute(before, (end,)).fetchone()) and last < row[0] < end:
                end = row[0]
                yield row[1:]
        if found is None:
            return
        last, step = found[0], 0
        yield found[1:]
