"""Copies of a SQLite file: making a backup, restoring one, and saving the readable rows of a damaged file."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from bot.store.schema import (
    find_missing_migrations,
    list_migrations,
    list_own_tables,
    list_schema_changes,
    read_migrations,
)
from bot.store.sqlite import (
    INDEX,
    LAYOUT,
    LOG,
    SqliteTransaction,
    find_primary_code,
    not_served,
    translate,
)
from bot.store.transaction import StoreTime, Transaction
from bot.support.clock import Ids
from bot.support.errors import StoreNotMigrated, StoreUnavailable

#: Number of pages copied per step (about 1 MB in all). Each step is written to disk before the next begins.
COPY_BATCH_PAGES: Final = 1000
_MAX_ROWID: Final = 2**63 - 1
#: Length of a SQLite file's header, in bytes. ``_PAGE_COUNTS`` is the part of it that says how many pages the
#: file has and which are unused.
_HEADER_BYTES: Final = 100
_PAGE_COUNTS: Final = slice(28, 40)
#: Errors that may occur while a damaged part of a file is read. MemoryError is one of them, because a value's
#: damaged length may be enormous.
_UNREADABLE: Final = (sqlite3.Error, OverflowError, MemoryError)


def write_backup(
    path: Path,
    target: Path,
    left: Callable[[Transaction], object],
    time: StoreTime,
    ids: Ids,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Copy a database that may be in use to a new file. The file appears only once it has been checked.

    The copy shows the database at a single moment, and writers don't have to wait for it. At the end,
    ``left`` is called to write to the copy. ``is_over`` is called after every batch of pages. If it returns
    True, the copy is abandoned. Raise StoreError if copying fails or the file already exists.
    """
    with (
        new_database_file(target) as fresh,
        closing(open_to_read(path)) as source,
        closing(sqlite3.connect(fresh)) as copy,
        fresh.open("rb") as written,
    ):

        def keep(*_pages: int) -> None:
            # Write this batch to disk now. If everything were left to the end, the next commit would have to
            # wait until the whole copy had been written.
            os.fdatasync(written)
            if is_over():
                raise StoreUnavailable("the backup was given up")

        # Use a transaction, so that the copy doesn't start over when other processes commit.
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_master").fetchall()
        source.backup(copy, pages=COPY_BATCH_PAGES, progress=keep)
        # In WAL mode, the copy couldn't be opened in a read-only folder.
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        copy.set_progress_handler(is_over, 100_000)
        if (found := copy.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise StoreUnavailable(f"the copy is damaged: {found}")
        left(SqliteTransaction(copy, time, ids))
        copy.commit()


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a database that may be in use, even if a failing disk has been made read-only."""
    address, log = f"{path.absolute().as_uri()}?mode=ro", Path(f"{path.resolve()}{LOG}")
    source = sqlite3.connect(address, uri=True)
    try:
        source.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.Error as error:
        # On a read-only disk, SQLite can't write the index of its log. If there is no log, it needs none.
        is_alone = not log.exists() or not log.stat().st_size
        if is_alone and find_primary_code(error) == sqlite3.SQLITE_CANTOPEN:
            source.close()
            source = sqlite3.connect(f"{address}&immutable=1", uri=True)
    return source


@contextmanager
def new_database_file(target: Path) -> Iterator[Path]:
    """Yield an empty file that only its owner can read. Once it has been written, it becomes the target file.

    Raise StoreError for SQLite and system errors, and if the target already exists.
    """
    fresh = Path(f"{target.absolute()}.new")
    try:
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield fresh
        fresh.rename(target)
    except OSError as error:
        raise StoreUnavailable(error.strerror or "the system refused it") from None
    except sqlite3.Error as error:
        raise translate(error) from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def replace_database(backup: Path, path: Path, time: StoreTime, ids: Ids) -> None:
    """Replace a database with a backup. The new file gets the owner of the old one.

    The database must not be in use. It is kept next to the new one under a different name. If this release
    can't use the backup, nothing is replaced. This may raise OSError or StoreError.
    """
    if not backup.is_file():
        raise StoreUnavailable(f"There's no file {backup.absolute()}.")
    held, fresh = Path(f"{path}.lock"), Path(f"{path}.restored")
    owner = (held if held.exists() else path.parent).stat()
    with not_served(path):
        fresh.unlink(missing_ok=True)
        try:
            refuse = partial(_refuse_other_releases, name=str(backup.absolute()))
            write_backup(backup, fresh, refuse, time, ids)
        except StoreNotMigrated:
            raise StoreUnavailable(f"{backup.absolute()} is no database of Usher's.") from None
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{backup.absolute()} can't be put in place: {error}") from None
        if os.geteuid() == 0:
            os.chown(fresh, owner.st_uid, owner.st_gid, follow_symlinks=False)
        # Move the database file itself last, because SQLite would apply a log to any database next to it.
        for ending in (INDEX, LOG, ""):
            with suppress(FileNotFoundError):
                Path(f"{path}{ending}").rename(f"{path}.before-{time.now():.0f}{ending}")
        fresh.rename(path)


def _refuse_other_releases(tx: Transaction, name: str) -> None:
    """Raise StoreTooNew, StoreTooOld or StoreUnreleased if this release can't use a database."""
    applied = list_migrations(tx)
    # Databases of release 0.1.0 don't have this table.
    with suppress(sqlite3.Error):
        applied |= list_schema_changes(tx)
    find_missing_migrations(applied, read_migrations(), name)


class SavedTable(NamedTuple):
    """How much of a table was saved: the number of rows, and whether some couldn't be read."""

    rows: int
    is_damaged: bool


def save_readable_rows(
    path: Path, target: Path, left: Callable[[Transaction], object], time: StoreTime, ids: Ids
) -> tuple[Mapping[str, SavedTable], list[str]]:
    """Copy the readable rows of a file into a new one, which appears only once it is complete.

    Return what was saved from each table, and the names of other tools' tables, which aren't saved. Rows that
    violate a constraint of their table are left out and reported as damage. At the end, ``left`` is called to
    write to the new file. Raise StoreUnavailable, or StoreInUse if a process is serving from the damaged
    file.
    """
    with (
        not_served(path),
        new_database_file(target) as fresh,
        closing(sqlite3.connect(fresh)) as made,
        TemporaryDirectory(dir=fresh.parent) as folder,
    ):
        for pragma in LAYOUT:
            made.execute(f"PRAGMA {pragma}")
        saved, others = _save_tables(path, made)
        if not saved:
            saved, others = _save_tables(_copy_with_new_header(path, Path(folder)), made)
        if not any(table.rows for table in saved.values()):
            raise StoreUnavailable("nothing in it can be read")
        with suppress(sqlite3.Error):
            left(SqliteTransaction(made, time, ids))
        made.commit()
    return saved, others


def _copy_with_new_header(path: Path, folder: Path) -> Path:
    """Return a copy of a file whose header is replaced with that of a new SQLite file.

    The header describes the layout of everything else. Without it, SQLite can't read anything.
    """
    copy = folder / "copy.db"
    with closing(sqlite3.connect(copy)) as new:
        for pragma in (*LAYOUT, "user_version = 1"):
            new.execute(f"PRAGMA {pragma}")
    header = bytearray(copy.read_bytes()[:_HEADER_BYTES])
    # If these are zero, SQLite counts the pages itself. It doesn't need the unused pages.
    header[_PAGE_COUNTS] = bytes(len(header[_PAGE_COUNTS]))
    shutil.copyfile(path, copy)
    if (log := Path(f"{path.resolve()}{LOG}")).exists():
        shutil.copyfile(log, f"{copy}{LOG}")
    with copy.open("r+b") as file:
        file.write(header)
    return copy


def _save_tables(path: Path, made: sqlite3.Connection) -> tuple[dict[str, SavedTable], list[str]]:
    with closing(open_to_read(path)) as source:
        source.text_factory = lambda text: text.decode("utf-8", "replace")
        # This makes SQLite read as much as it can of an inconsistent schema.
        source.execute("PRAGMA writable_schema = ON")
        own, names, others = list_own_tables(), set[str](), set[str]()
        for kind, name, table, _page, statement in _read_rows(source, "sqlite_schema", []):
            if not all(isinstance(one, str) for one in (kind, name, table, statement or "")):
                # The row is damaged.
                continue
            if table not in own or kind == "trigger":
                others.add(name)
                continue
            # Skip statements that depend on a lost part, such as an index on a lost table.
            with suppress(sqlite3.Error):
                made.execute(statement or "")
                names.add(table)
        others = {name for name in others if not name.startswith("sqlite_")}
        return {name: _save_table(source, made, name) for name in sorted(names)}, sorted(others)


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
    """Yield a table's rows. If part of the file is damaged, skip ahead, then read backwards to the damage.

    Each row is read with a separate query, because an error in a larger query would lose the rows before the
    damage.
    """
    after = f'SELECT rowid, * FROM "{name}" WHERE rowid > ? ORDER BY rowid LIMIT 1'  # noqa: S608
    before = f'SELECT rowid, * FROM "{name}" WHERE rowid < ? ORDER BY rowid DESC LIMIT 1'  # noqa: S608
    last, step = -1, 0
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
