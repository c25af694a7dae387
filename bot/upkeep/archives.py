"""Archives of the audit, files with its oldest entries; and how an older database in its place is noticed.

Each line of a file is a JSON object: first where the archive begins, then its entries, at last the number
and the hash of the last of them, which is the anchor from which the record goes on. It is read back before
anything is deleted.

A database that was restored from a backup can't know it. A small file next to it, which belongs to no
backup, records how far the audit had come when this machine last saw it: a database that is behind that, or
has a different history, brings back links that were ended since.
"""

import asyncio
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from bot.domain.audit import AuditEntry
from bot.store.audit import ARCHIVED, hash_of
from bot.store.pieces import PIECE
from bot.store.store import Store
from bot.support.environment import command
from bot.support.errors import NotDone

log = structlog.get_logger(__name__)


#: What is found where a database was restored from a backup, and what to do.
OLDER: Final = "The database is older than when Usher last ran here: it was restored from a backup"
HOLD_FIRST: Final = f"Put on hold what it has planned, then start Usher: {command('restored')}"
#: Entries that are read in one transaction.
_SOME: Final = 1000
#: What the first line says the file is.
_FORM: Final = "usher audit archive 1"

#: An entry's number and hash; 0 and "" before the first.
Mark = tuple[int, str]


class ArchiveError(NotDone):
    """Say in one sentence why an archive can't be written, or what is wrong with one."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Hold what a file has: after which entry it begins, its last one, and wanted entries' hashes."""

    path: Path
    begins: Mark
    anchor: Mark
    hashes: Mapping[int, str]

    @property
    def count(self) -> int:
        """Return the number of its entries."""
        return self.anchor[0] - self.begins[0]


class _BrokenError(Exception):
    """Name the entry that doesn't fit the one before."""

    def __init__(self, seq: int) -> None:
        super().__init__(str(seq))
        self.seq = seq


def _followed(last: Mark, row: Mapping[str, Any]) -> Mark:
    """Return the mark of the entry after ``last``. Raises _BrokenError."""
    seq = last[0] + 1
    try:
        fits = (row["seq"], row["previous_hash"], row["hash"]) == (seq, last[1], hash_of(row))
    except KeyError:
        fits = False
    if not fits:
        raise _BrokenError(seq)
    return seq, row["hash"]


async def archive(store: Store, path: Path, before: float) -> Archive | None:
    """Move the entries up to the first that isn't older than ``before`` into a new file; None without any.

    Raises ArchiveError, and the record is as it was. After a StoreError some of what the file has may still
    be in the record; the next archive begins where the record does.
    """
    begins = await store.audit_anchor()
    last = begins
    file = await asyncio.to_thread(_New, path)
    try:
        file.write([{"form": _FORM, "after": begins[0], "hash": begins[1]}])
        while rows := _older(await store.audit_entries(after=last[0], limit=_SOME), before):
            for row in rows:
                last = _followed(last, row)
            await asyncio.to_thread(file.write, rows)
        file.write([{"anchor": last[0], "hash": last[1]}])
        await asyncio.to_thread(file.close)
        written = await asyncio.to_thread(read_archive, path)
    except BaseException as failed:
        file.discard()
        if isinstance(failed, _BrokenError):
            problem = f"The audit record is broken at row {failed.seq}, so nothing was archived"
            raise ArchiveError(f"{problem}: see {command('audit verify')}.") from None
        if isinstance(failed, OSError):
            raise ArchiveError(f"{path} can't be written: {failed.strerror}") from None
        raise
    if not written.count:
        file.discard()
        return None
    detail = {"after": begins[0], "through": last[0], "hash": last[1]}
    said = [AuditEntry("operator", ARCHIVED, path.name, "ok", detail)]
    while await store.leave_to_archive(last[0], PIECE, said):
        said = []
    return written


def _older(rows: Sequence[Mapping[str, Any]], before: float) -> Sequence[Mapping[str, Any]]:
    """Return the rows before the first that isn't older: what is archived is one piece of the chain."""
    return rows[: next((number for number, row in enumerate(rows) if row["at"] >= before), len(rows))]


class _New:
    """Write a new file that only its owner can read, and have it on the disk once it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ArchiveError(f"{path.absolute()} is already there: name another file.") from None
        except OSError as error:
            raise ArchiveError(f"{path.absolute()} can't be written: {error.strerror}") from None
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")

    def write(self, values: Sequence[Mapping[str, Any]]) -> None:
        self._file.writelines(json.dumps(value, ensure_ascii=False) + "\n" for value in values)

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # Its name has to survive a power cut, too.
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._file.close()


def check_archives(paths: Collection[Path], anchor: Mark, seen: int = 0) -> list[Archive]:
    """Verify archives, and that they join and lead to the record, which goes on after ``anchor``.

    One of them has the hash of the entry ``seen``, if it was archived. Raises ArchiveError.
    """
    wanted = {anchor[0], seen, *(_begins(path)[0] for path in paths)}
    archives = sorted((read_archive(path, wanted) for path in paths), key=lambda one: one.begins)
    known = {0: ""}
    for one in archives:
        if known.get(one.begins[0]) != one.begins[1]:
            raise ArchiveError(
                f"{one.path} goes on after entry {one.begins[0]}, which isn't in the archives before it: one "
                "is missing, or isn't of this record."
            )
        known |= one.hashes
    if known.get(anchor[0]) != anchor[1]:
        raise ArchiveError(
            f"The record goes on after entry {anchor[0]}, which isn't in these archives: one is missing, or "
            "isn't of this record."
        )
    return archives


def read_archive(path: Path, wanted: Collection[int] = ()) -> Archive:
    """Verify an archive's chain; return it with the hashes of its wanted entries. Raises ArchiveError."""
    begins = _begins(path)
    last, hashes = begins, dict[int, str]()
    lines = _lines(path)
    next(lines)
    try:
        for line in lines:
            if "anchor" in line:
                if (line["anchor"], line.get("hash")) != last or next(lines, None) is not None:
                    break
                return Archive(path, begins, last, hashes | {last[0]: last[1]})
            last = _followed(last, line)
            if last[0] in wanted:
                hashes[last[0]] = last[1]
    except _BrokenError as broken:
        raise ArchiveError(f"{path} is broken at entry {broken.seq}: somebody changed it.") from None
    raise ArchiveError(f"{path} doesn't end with its anchor: it is incomplete, or somebody changed it.")


def _begins(path: Path) -> Mark:
    """Return the mark of the entry after which an archive begins. Raises ArchiveError."""
    first = next(_lines(path), {})
    if first.get("form") != _FORM:
        raise ArchiveError(f"{path} isn't an archive of the audit.")
    return int(first["after"]), str(first["hash"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the object of each line. Raises ArchiveError."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise ArchiveError(f"{path} isn't an archive of the audit: see its line {number}.")
                yield value
    except OSError as error:
        raise ArchiveError(f"{path.absolute()} can't be read: {error.strerror}") from None
    except ValueError:
        raise ArchiveError(f"{path} isn't an archive of the audit, or is incomplete.") from None


class Witness:
    """Remember, in a file next to the database, how far the audit had come; without a path, do nothing."""

    def __init__(self, database: Path | None) -> None:
        self._path = None if database is None else database.with_name(f"{database.name}.seen")
        self._written: tuple[int, str] | None = None

    async def note(self, store: Store) -> None:
        """Write down how far the audit has come, if that changed. Raises StoreError."""
        head = await store.audit_head()
        if self._path is not None and head != self._written:
            try:
                await asyncio.to_thread(_write, self._path, head)
            except OSError as error:
                log.warning("how far the record has come is not written down", problem=error.strerror)
            else:
                self._written = head

    async def contradicts(self, store: Store) -> bool:
        """Return whether this machine has seen more of the audit, or a different one. Raises StoreError."""
        known = None if self._path is None else await asyncio.to_thread(_read, self._path)
        if known is None or known[0] == 0:
            return False
        archived, hash_ = await store.audit_anchor()
        if known[0] <= archived:
            # Of what lies before the anchor nothing is left to compare.
            return known[0] == archived and known[1] != hash_
        rows = await store.audit_entries(after=known[0] - 1, limit=1)
        return not rows or rows[0]["hash"] != known[1]


def _read(path: Path) -> tuple[int, str] | None:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        return int(noted["length"]), str(noted["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, head: tuple[int, str]) -> None:
    """Replace the whole file: a crash leaves either the old one or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    # Not through a link: root writes here, too, in a folder that isn't root's alone.
    with fresh.open("x", encoding="utf-8") as file:
        json.dump({"length": head[0], "hash": head[1]}, file)
    fresh.replace(path)
