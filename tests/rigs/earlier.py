"""Databases of earlier releases, made by their migrations.

Current rows are converted to a release's format.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bot.store.schema import read_migrations
from bot.store.sqlite import SqliteEngine
from bot.store.transaction import Row, Transaction
from bot.support.clock import SystemClock, SystemIds

#: The last migration of each release from which Usher can upgrade.
LAST_MIGRATIONS: Final = {
    "0.3.1": "0056_until_0_3_1",
    "0.4.0": "0064_no_bar",
    "0.4.1": "0065_account_ids",
    "0.5.0": "0087_stored_once",
}
_POSTGRES_COLUMNS: Final = (
    "SELECT table_name AS name, column_name AS part FROM information_schema.columns "
    "WHERE table_schema = current_schema() ORDER BY ordinal_position"
)
_SQLITE_COLUMNS: Final = (
    "SELECT t.name AS name, c.name AS part FROM sqlite_master t JOIN pragma_table_info(t.name) c "
    "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
)
#: Tables with information about the database itself, rather than about Usher's users.
_OWN: Final = frozenset({"migrations", "schema_changes", "database_timeline", "owners"})

#: Patterns of the renames in a migration: tables, columns, and words, both as a whole value and within a
#: text.
_RENAMED_TABLE: Final = re.compile(r"^ALTER TABLE (\w+) RENAME TO (\w+);", re.MULTILINE)
_RENAMED_COLUMN: Final = re.compile(r"^ALTER TABLE (\w+) RENAME COLUMN (\w+) TO (\w+);", re.MULTILINE)
_RENAMED_WORD: Final = re.compile(r"^UPDATE (\w+) SET (\w+) = '(.*)' WHERE \2 = '(.*)';", re.MULTILINE)
_CHANGED_TEXTS: Final = re.compile(
    r"^UPDATE (\w+) SET\s([^;]*REPLACE\([^;]*?)(?:WHERE kind IN \(([^;]*)\))?;", re.MULTILINE
)
_CHANGED_TEXT: Final = re.compile(r"(\w+) = (?:REPLACE\(\s*)+\1,((?:\s*'.*?', '.*?'\),?)+)")
_PAIR: Final = re.compile(r"'(.*?)', '(.*?)'\)")

Rows = Mapping[str, Sequence[Row]]

#: Values for columns that 0.4.1 and earlier releases required and that no longer exist.
_REQUIRED: Final[Mapping[str, Row]] = {
    "undoable_actions": {"old_values": "{}", "new_values": "{}"},
    "rules": {"seen_zone": "UTC"},
}


def scripts_of(release: str) -> dict[str, str]:
    """Return the names and scripts of the migrations that belong to a release."""
    return {name: script for name, script in read_migrations().items() if name <= LAST_MIGRATIONS[release]}


def read_columns(tx: Transaction, *, is_postgres: bool) -> dict[str, list[str]]:
    """Return the columns of each table."""
    found: dict[str, list[str]] = {}
    for row in tx.all(_POSTGRES_COLUMNS if is_postgres else _SQLITE_COLUMNS):
        found.setdefault(row["name"], []).append(row["part"])
    return found


def read_rows(tx: Transaction, *, is_postgres: bool) -> Rows:
    """Return all rows by table, except those with information about the database itself."""
    names = read_columns(tx, is_postgres=is_postgres).keys() - _OWN
    return {name: tx.all(f"SELECT * FROM {name}") for name in names}


def write_rows(tx: Transaction, rows: Rows, *, is_postgres: bool) -> None:
    """Write rows into a database of an earlier release, in place of the rows there.

    Tables and columns that the release doesn't have are left out.
    """
    columns = read_columns(tx, is_postgres=is_postgres)
    # Rows of other tables refer to these two tables, so they come first.
    order = sorted(rows.keys() & columns.keys(), key=lambda name: (name != "gates", name != "workspaces"))
    for name in order:
        tx.run(f"DELETE FROM {name}")
        for row in rows[name]:
            given = {part: row[part] for part in columns[name] if part in row}
            values = ", ".join(f":{part}" for part in given)
            tx.run(f"INSERT INTO {name} ({', '.join(given)}) VALUES ({values})", **given)


async def turn_back(path: Path, release: str) -> None:
    """Replace a SQLite file by a database of an earlier release that has the same contents."""
    rows = as_of(release, await _run(path, read_rows))
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    await _run(path, lambda tx, **about: write_rows(tx, rows, **about), scripts_of(release))


async def _run(path: Path, work: Callable[..., Any], scripts: Mapping[str, str] | None = None) -> Any:
    engine = SqliteEngine(str(path), SystemClock(), SystemIds(), scripts=scripts)
    await engine.open()
    try:
        if scripts is not None:
            await engine.migrate()
        return await engine.write(lambda tx: work(tx, is_postgres=False))
    finally:
        await engine.close()


def as_of(release: str, rows: Rows) -> Rows:
    """Return current rows in the format of an earlier release."""
    required = {name: [_REQUIRED.get(name, {}) | row for row in found] for name, found in rows.items()}
    return _rename_back(release, required)


def list_renamed_kinds(release: str) -> dict[tuple[str, str], str]:
    """Return the kinds renamed since a release, as a mapping from table and old name to current name."""
    scripts = [script for name, script in read_migrations().items() if name > LAST_MIGRATIONS[release]]
    words = [found for script in scripts for found in _RENAMED_WORD.findall(script)]
    return {(table, old): new for table, column, new, old in words if column == "kind"}


def _rename_back(release: str, rows: Rows) -> Rows:
    """Undo the renames of all migrations since a release in the rows."""
    before = {name: [dict(row) for row in rows[name]] for name in rows}
    for name, script in sorted(read_migrations().items(), reverse=True):
        if name <= LAST_MIGRATIONS[release]:
            break
        for table, column, new, old in _RENAMED_WORD.findall(script):
            for row in before.get(table, ()):
                row[column] = old if row[column] == new else row[column]
        for table, changes, kinds in _CHANGED_TEXTS.findall(script):
            changed = [row for row in before[table] if not kinds or f"'{row['kind']}'" in kinds]
            for column, pairs in _CHANGED_TEXT.findall(changes):
                for row in changed:
                    row[column] = _restore(row.get(column), _PAIR.findall(pairs))
        for table, old, new in _RENAMED_COLUMN.findall(script):
            for row in before.get(table, ()):
                if new in row:
                    row[old] = row.pop(new)
        for old, new in _RENAMED_TABLE.findall(script):
            before[old] = before.pop(new, [])
    # In that release, the head of the audit log was in a table of its own.
    heads = [row for row in before["audit"] if row["seq"] == 0]
    before["audit"] = [row for row in before["audit"] if row["seq"] != 0]
    head = {"archived": 0, "archived_hash": ""}
    before["audit_head"] = [
        {"id": 1, "count": int(row["detail"]), "hash": row["hash"], **head} for row in heads
    ]
    return before


def _restore(text: str | None, pairs: Sequence[tuple[str, str]]) -> str | None:
    for old, new in pairs:
        text = text and text.replace(new, old)
    return text
