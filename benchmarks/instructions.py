"""Instructions that a process runs, counted by valgrind: they are the same on a busy machine.

A process runs some fifty times slower while it is counted, so it is counted only where that is asked for.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.machine import BenchmarkError
from playground.processes import HOME, Child

#: What counts, and what asks it how far it has come.
_NEEDED: Final = ("valgrind", "vgdb")
_COST = re.compile(r"^events-\d+: (\d+)$", re.MULTILINE)
#: A process that waits is asked within this time, in seconds.
_ANSWER_SECONDS: Final = 120.0


def must_be_there() -> None:
    """Raise BenchmarkError where what counts isn't installed."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        raise BenchmarkError(f"no {', '.join(missing)} here: instructions are counted by valgrind")


async def start_counted(
    name: str,
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    announces: bool = True,
    home: Path = HOME,
) -> Child:
    """Start ``python -m …`` as ``start_child`` does, ready to be counted."""
    must_be_there()
    log = folder / f"{name}.log"
    under = ["--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null", "--fair-sched=try"]
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            "valgrind",
            *under,
            "--quiet",
            f"--vgdb-prefix={folder / 'vgdb'}",
            sys.executable,
            "-m",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if announces else sink,
            stderr=sink,
            cwd=home,
            # Sets have the same order in every process.
            env={**os.environ, **(environment or {}), "PYTHONHASHSEED": "0"},
            start_new_session=True,
            limit=2**24,
        )
    return Child(name, process, log)


class Counter:
    """Count what one process runs."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._before = 0

    async def begin(self) -> None:
        """Count from now on."""
        await self._ask("instrumentation", "on")

    async def read(self) -> int:
        """Return the instructions since it began."""
        return total(await self._ask("status", "internal"))

    async def _ask(self, *words: str) -> str:
        self._child.must_live()
        prefix = self._child.log.parent / "vgdb"
        asking = await asyncio.create_subprocess_exec(
            "vgdb",
            f"--pid={self._child.pid}",
            f"--vgdb-prefix={prefix}",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(_ANSWER_SECONDS):
            told, wrong = await asking.communicate()
        if asking.returncode:
            raise BenchmarkError(f"valgrind can't be asked: {wrong.decode(errors='replace')[-500:]}")
        return told.decode(errors="replace")


def total(told: str) -> int:
    """Return the instructions of all threads, as callgrind tells them."""
    found = _COST.findall(told)
    if not found and "instrumentation: off" not in told:
        raise BenchmarkError(f"callgrind tells no cost: {told[-500:]}")
    return sum(map(int, found))
