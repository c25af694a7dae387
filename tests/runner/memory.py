"""Where files need no disk: to make and to delete one takes a disk longer than many a test that does so."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
#: So much of it must be free (bytes); a container has less, if nobody asked for more.
_ROOM: Final = 3 * 2**30


def place() -> Path | None:
    """Return where to make folders that are in memory, and from which programs run; None if nowhere."""
    if not os.access(_MEMORY, os.W_OK | os.X_OK) or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free >= _ROOM else None


def folder(otherwise: Path) -> Path:
    """Make a folder for what tests write; without room in memory it is another one."""
    found = place()
    return otherwise if found is None else Path(tempfile.mkdtemp(prefix="usher-tests-", dir=found))


def forget(made: Path, kept: Path | None) -> None:
    """Remove a folder that was made in memory; what is in it is moved elsewhere if it is to be ``kept``."""
    if made.parent != _MEMORY:
        return
    if kept is not None:
        # Sockets and the like are not copied.
        with suppress(shutil.Error):
            shutil.copytree(made, kept, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(made, ignore_errors=True)
