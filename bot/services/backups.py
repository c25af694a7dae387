"""Nightly copies of a SQLite file, made by Usher. PostgreSQL is backed up by other means."""

import asyncio
import glob
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

import structlog

from bot.services.context import Context
from bot.store import audit
from bot.store.copies import write_backup
from bot.store.maintenance import mark
from bot.store.transaction import StoreTime
from bot.support.errors import StoreError, StoreUnavailable

log = structlog.get_logger(__name__)

#: Number of backup copies to keep.
BACKUPS_RETAINED: Final = 7
#: Minimum free space for making a copy, as a multiple of the file's size.
FREE_SPACE_FACTOR: Final = 3
#: Time limit for a copy, in seconds. Without one, an unresponsive network disk would block it forever.
BACKUP_TIMEOUT_SECONDS: Final = 3600.0
#: Pause between the pieces of a copy, in seconds, so that other work can use the disk and the processor.
PAUSE_SECONDS: Final = 0.005
_MB: Final = 1_000_000
#: Single-threaded executor for the copies, so that an unresponsive network disk blocks nothing else.
_THREAD: Final = ThreadPoolExecutor(1, "backup")
#: Glob pattern for the time (``%Y-%m-%d-%H%M``) that follows the database's name in a copy's file name.
_WHEN: Final = "-".join("[0-9]" * digits for digits in (4, 2, 2, 4))


async def make_backup(context: Context, places: tuple[Path, Path] | None, is_due: bool) -> str | None:
    """Copy the database to a folder and delete the oldest copies there. Return any problem, or "".

    Returns None if there is nothing to do, because no copy is due and the folder already contains one. A
    database that isn't in use isn't copied either, because the copy would be newer than the ones that someone
    may be about to restore. If ``places`` is None, nothing is copied, and a due backup counts as done, so
    that an old problem is cleared.
    """
    if places is None:
        return "" if is_due else None
    file, folder = places
    is_over, now = Event(), datetime.fromtimestamp(await context.store.now(), UTC)
    target = folder / f"{file.stem}-{now:%Y-%m-%d-%H%M}.db"
    left, time = partial(mark, left="copied"), StoreTime(context.clock)
    copy = partial(write_backup, file, target, left, time, context.ids, partial(is_over.wait, PAUSE_SECONDS))
    make = partial(_make_copy, file, target, copy, is_due=is_due)
    try:
        async with asyncio.timeout(BACKUP_TIMEOUT_SECONDS):
            if not await context.store.read(audit.is_database_used):
                return None
            if not await asyncio.get_running_loop().run_in_executor(_THREAD, make):
                return None
    except (OSError, StoreError) as failed:
        problem = str(failed) if isinstance(failed, StoreError) else failed.strerror or "it takes too long"
        log.warning("database not backed up", file=str(target), problem=problem)
        return f"{target}: {problem}"
    finally:
        is_over.set()
    log.info("database backed up", file=str(target))
    return ""


def _make_copy(file: Path, target: Path, copy: Callable[[], None], *, is_due: bool) -> bool:
    """Make a copy if one is due or the folder has none. Return whether it was made."""
    folder = target.parent
    if not is_due and list_copies(file, folder):
        return False
    make_folder(file, folder)
    needed, free = FREE_SPACE_FACTOR * file.stat().st_size, shutil.disk_usage(folder).free
    if free < needed:
        raise StoreUnavailable(f"{free // _MB} MB are free, and it takes {needed // _MB} MB")
    copy()
    # Also delete any files left behind by interrupted copies.
    for old in (*list_copies(file, folder, ".db.new"), *list_copies(file, folder)[:-BACKUPS_RETAINED]):
        old.unlink()
    return True


def make_folder(file: Path, folder: Path) -> None:
    """Create the folder for a database's copies, but only if it is next to the database.

    A folder anywhere else must not be created, because it may be on a disk that isn't mounted at the moment.
    """
    if _is_beside(file, folder):
        folder.mkdir(mode=0o700, exist_ok=True)


def _is_beside(file: Path, folder: Path) -> bool:
    return folder.parent.absolute() == file.parent.absolute()


def explain_wrong_folder(file: Path, folder: Path) -> str:
    """Return why no copies can be made in a folder, or "" if the folder can be used or created."""
    if not folder.exists() and not folder.is_symlink() and _is_beside(file, folder):
        return ""
    if not folder.is_dir():
        return f"{folder} isn't a folder: is its disk mounted?"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"this user can't write to {folder}"


def list_copies(file: Path, folder: Path, ending: str = ".db") -> list[Path]:
    """Return the nightly copies of a database in a folder, oldest first."""
    return sorted(folder.glob(f"{glob.escape(file.stem)}-{_WHEN}{ending}"))


def is_on_other_disk(file: Path, folder: Path) -> bool:
    """Return whether a folder is on a different disk than the database. Return False if that is unknown."""
    with suppress(OSError):
        return folder.stat().st_dev != file.stat().st_dev
    return False
