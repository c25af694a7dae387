"""What the system reports about a process from outside, and the cores on which processes run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from playground.processes import HOME, Child, StageError, ready_line, start_child


class BenchmarkError(StageError):
    """Raised if something could not be measured."""


def cores() -> tuple[set[int], set[int]]:
    """Return the cores for the measured process and those for all others; a single core serves both."""
    usable = sorted(os.sched_getaffinity(0))
    return ({usable[0]}, set(usable[1:])) if len(usable) > 1 else ({usable[0]}, {usable[0]})


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process's threads, to the nanosecond (``/proc/PID/task/*/schedstat``)."""
    used = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(FileNotFoundError):
            used += int(thread.read_text(encoding="ascii").split()[0])
    return used / 1e9


def busier(bot: float, peers: Mapping[str, float]) -> str:
    """Describe the servers that used more CPU than the bot did, or return "" if there are none.

    With such servers, the run is limited by them, and doesn't show how fast the bot could be.
    """
    return ", ".join(
        f"{name} used {seconds:.1f} s of CPU, the bot {bot:.1f} s"
        for name, seconds in peers.items()
        if seconds > bot
    )


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (``VmRSS``)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchmarkError("the process has ended")


@contextlib.asynccontextmanager
async def running(
    name: str,
    words: Sequence[str],
    folder: Path,
    on: set[int],
    *,
    environment: Mapping[str, str] | None = None,
    announces: bool = True,
    home: Path = HOME,
) -> AsyncIterator[Child]:
    """Run ``python -m …`` on these cores for a block; with ``announces``, wait for its ready line."""
    before = os.sched_getaffinity(0)
    # The child process inherits these cores; this process then restores its own.
    os.sched_setaffinity(0, on)
    try:
        child = await start_child(name, words, folder, environment, announces=announces, home=home)
    finally:
        os.sched_setaffinity(0, before)
    try:
        if announces:
            await ready_line(child)
        yield child
    finally:
        await child.stop()
