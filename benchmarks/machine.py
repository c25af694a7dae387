"""What the system tells of a process from outside, and on which core it runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

#: The folder that holds the packages.
HOME = Path(__file__).resolve().parents[1]
READY_SECONDS = 60.0
STOP_SECONDS = 12.0
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """Say which part did not come up, or ended early, with what it said last."""


def cores() -> tuple[set[int], set[int]]:
    """Return the cores for what is measured and for everything round it: the same where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return ({usable[0]}, set(usable[1:])) if len(usable) > 1 else ({usable[0]}, {usable[0]})


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process and its threads (``/proc/PID/stat``, fields 14 and 15)."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (``VmRSS``)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchmarkError("the process has ended")


@dataclass(slots=True)
class Child:
    """Hold a running process; ``told`` is its ready line where it prints one."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Return the address of a server that told it."""
        return str(self.told["url"])

    def last_words(self) -> str:
        """Return the end of what it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip()[-1500:]

    def must_live(self) -> None:
        """Raise BenchmarkError when it has ended."""
        if self.process.returncode is not None:
            raise BenchmarkError(f"{self.name} has ended: {self.last_words()}")

    async def stop(self) -> None:
        """End it and what it started; kill what does not go in time."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self.process.wait()


@contextlib.asynccontextmanager
async def running(
    name: str,
    words: Sequence[str],
    folder: Path,
    on: set[int],
    *,
    environment: Mapping[str, str] | None = None,
    tells: bool = True,
) -> AsyncIterator[Child]:
    """Run ``python -m …`` on these cores within a block; where it ``tells``, wait for its ready line."""
    log = folder / f"{name}.log"
    before = os.sched_getaffinity(0)
    # What is started inherits the cores; this process takes its own back at once.
    os.sched_setaffinity(0, on)
    try:
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if tells else sink,
                stderr=sink,
                cwd=HOME,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                limit=2**24,
            )
    finally:
        os.sched_setaffinity(0, before)
    child = Child(name, process, log)
    try:
        if tells:
            child.told = await _ready_line(child)
        yield child
    finally:
        await child.stop()


async def _ready_line(child: Child) -> dict[str, Any]:
    assert child.process.stdout is not None, "it was started with a pipe"
    try:
        line = await asyncio.wait_for(child.process.stdout.readline(), READY_SECONDS)
        told = json.loads(line)
    except TimeoutError:
        raise BenchmarkError(f"{child.name} was not ready in time: {child.last_words()}") from None
    except ValueError:
        raise BenchmarkError(f"{child.name} ended before it was ready: {child.last_words()}") from None
    return dict(told)
