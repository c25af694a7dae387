"""The wall clock of the bot's process, moved ahead and back while the process runs and between restarts.

The process reads the time only from the system, so a small library, compiled here and preloaded, shifts what
the system returns. If there is no C compiler, or the system can't preload libraries, clocks aren't changed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("clock.c")


class WallClock:
    """The wall clock of all processes that are started with ``environment``. It can be shifted."""

    def __init__(self, folder: Path) -> None:
        self._library, self._file = folder / "clock.so", folder / "clock"
        self.is_there = False
        #: How often it was moved.
        self.moves = 0

    async def make(self) -> bool:
        """Compile the library, and return whether that worked."""
        compiler = shutil.which("cc")
        if compiler is None or not sys.platform.startswith("linux"):
            return False
        self.set(0.0)
        words = [compiler, "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_SOURCE), "-lm", "-ldl"]
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=False)
        self.is_there = done.returncode == 0
        self.moves = 0
        return self.is_there

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that make a process follow this clock."""
        if not self.is_there:
            return {}
        others = os.environ.get("LD_PRELOAD", "")
        return {"LD_PRELOAD": f"{self._library} {others}".strip(), "CHAOS_CLOCK": str(self._file)}

    def set(self, seconds: float) -> None:
        """Set how many seconds the clock is ahead of the true time; a negative number puts it behind."""
        mode = "r+b" if self._file.exists() else "wb"
        # Write in place, because running processes have mapped the file.
        with self._file.open(mode) as file:
            file.write(struct.pack("d", seconds))
        self.moves += 1
