"""The lock that a serving process holds on a database file; the kernel releases it however the process ends.

It is a file next to the database: SQLite loses its own locks when another handle of its file is closed.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class ServingLock:
    """Hold the lock, or not; calling ``take`` repeatedly is fine."""

    def __init__(self, database: str) -> None:
        # Resolved, so that every path to the database gives the same lock.
        resolved = Path(database).resolve()
        self._path = resolved.with_name(f"{resolved.name}.lock")
        self._handle: int | None = None

    def take(self) -> bool:
        """Take the lock; return False if another process has it. Raise OSError if the file can't be made."""
        if self._handle is None:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(handle)
                if isinstance(error, BlockingIOError):
                    return False
                raise
            self._handle = handle
        return True

    def release(self) -> None:
        """Release the lock. The file stays: removing it could leave two processes with a lock each."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
