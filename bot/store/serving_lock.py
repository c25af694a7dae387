"""The lock that one serving process holds on a database file; the kernel frees it however the process ends.

It is a file beside the database: SQLite loses its own locks when another handle of its file is closed.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class ServingLock:
    """Hold the lock, or not; ``take`` it as often as one likes."""

    def __init__(self, database: str) -> None:
        # Whatever name the database is opened by, the lock is the same.
        resolved = Path(database).resolve()
        self._path = resolved.with_name(f"{resolved.name}.lock")
        self._handle: int | None = None

    def take(self) -> bool:
        """Take it; False while another process has it. Raises OSError when the file can't be made."""
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
        """Let go of it. The file stays: who removed it could leave two processes with a lock each."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
