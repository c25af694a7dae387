"""Child processes of the demonstration: started, waited for, and ended with everything they started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The folder that holds the packages, so that ``python -m`` finds them wherever this was started.
HOME = Path(__file__).resolve().parents[2]
READY_SECONDS = 90.0
STOP_SECONDS = 12.0


class StageError(Exception):
    """Say which part of the demonstration did not come up, with what it said last."""


class StoppedError(Exception):
    """Say that the person stopped the demonstration before it was ready."""


@dataclass(slots=True)
class Child:
    """Hold one running process and the file that takes what it says."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def last_words(self) -> str:
        """Return the end of what the process wrote, for an error message."""
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        return text[-1500:] or "It said nothing."

    async def stop(self) -> None:
        """End the process and its children; kill what does not go in time."""
        if self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


async def start_child(
    name: str, words: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Child:
    """Start ``python -m …`` in a process group of its own; what it says goes into a file."""
    log = folder / f"{name}.log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            cwd=HOME,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    return Child(name, process, log)


async def ready_line(child: Child) -> dict[str, Any]:
    """Wait for the one line that says a server is ready; raise StageError when it ends or takes too long."""
    assert child.process.stdout is not None
    try:
        line = await asyncio.wait_for(child.process.stdout.readline(), READY_SECONDS)
        told = json.loads(line)
    except TimeoutError:
        raise StageError(f"{child.name} was not ready after {READY_SECONDS:.0f} s") from None
    except ValueError:
        raise StageError(f"{child.name} ended before it was ready:\n{child.last_words()}") from None
    if not isinstance(told, dict) or not told.get("ready"):
        raise StageError(f"{child.name} is not ready:\n{child.last_words()}")
    return told
