"""``python -m tests.faults.killed_serve N before|after``: serve, and kill this very process at its N-th call.

A real kill -9 at a chosen point: no ``finally``, no close, no flush runs.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

from bot.app import Process
from bot.providers.connections import load_connections
from bot.support.settings import load_settings
from tests.faults.outlets import Breaker, Fuse


class DeadlyFuse(Fuse):
    """Be a fuse that kills the process it is in."""

    def _blow(self, what: str, error: Exception) -> None:
        sys.stderr.write(f"killed at {what}\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)


async def main(at: int, when: str) -> None:
    settings = load_settings()
    breaker = Breaker()
    async with AsyncExitStack() as stack:
        outlets = breaker.outlets()
        process = Process(settings, load_connections(settings.connections), stack, outlets=outlets)
        await process.start()
        breaker.fuse = DeadlyFuse(at, after=when == "after", is_kill=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
