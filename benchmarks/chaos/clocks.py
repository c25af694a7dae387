"""The wall clock of the bot's process, set ahead and back while it runs and across its restarts.

The process takes it from the system alone, so the system's answer is shifted: by a small library that is
compiled here and preloaded. Where there is no C compiler or no such loader, clocks stay as they are.
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
    """Shift the wall clock of every process that is started with ``environment``."""

    def __init__(self, folder: Path) -> None:
        self._library, self._file = folder / "clock.so", folder / "clock"
        self.is_there = False
        #: How often it was moved.
        self.moves = 0

    async def make(self) -> bool:
        """Compile the library; say whether there is one now."""
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
        """Return what a process needs in its environment to follow it."""
        if not self.is_there:
            return {}
        others = os.environ.get("LD_PRELOAD", "")
        return {"LD_PRELOAD": f"{self._library} {others}".strip(), "CHAOS_CLOCK": str(self._file)}

    def set(self, seconds: float) -> None:
        """Let it be ahead of the true time by so many seconds, or behind with fewer than none."""
        mode = "r+b" if self._file.exists() else "wb"
        # In place: the file is mapped by who runs already.
        with self._file.open(mode) as file:
            file.write(struct.pack("d", seconds))
        self.moves += 1
