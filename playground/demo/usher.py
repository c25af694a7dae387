"""The bot's process: the demonstration waits for it, kills it at a switch's press, and restarts it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from playground.processes import READY_SECONDS, Child, StageError, start_child

#: What ended at once is started again after so long.
AGAIN_SECONDS = 1.0


async def start_usher(folder: Path, environment: Mapping[str, str]) -> Child:
    """Start the bot with its settings; it isn't ready yet."""
    return await start_child("usher", ["bot", "serve"], folder, environment, announces=False)


async def wait_for_usher(child: Child, url: str) -> None:
    """Wait until the bot says that it is ready; raises StageError."""
    loop = asyncio.get_running_loop()
    until = loop.time() + READY_SECONDS
    async with aiohttp.ClientSession() as session:
        while loop.time() < until:
            if child.process.returncode is not None:
                raise StageError(f"Usher ended before it was ready:\n{child.last_words()}")
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise StageError(f"Usher was not ready after {READY_SECONDS:.0f} s:\n{child.last_words()}")


class Usher:
    """Kill the bot without a word, and start it again until it is ready."""

    def __init__(self, child: Child, url: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.child = child
        self.kills = 0
        #: It has been started since the last kill, and didn't become ready.
        self.has_failed = False
        #: From the last kill until it was ready again, in seconds.
        self.away: float | None = None
        self._url = url
        self._folder = folder
        self._environment = environment
        self._restarting: asyncio.Task[None] | None = None

    @property
    def is_away(self) -> bool:
        """Say whether it has been killed and isn't ready yet."""
        return self.child.is_restarting

    def kill(self) -> None:
        """Kill it with SIGKILL; while it is away there is nothing to kill."""
        if self.is_away:
            return
        self.child.is_restarting, self.has_failed = True, False
        self.kills += 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child.pid, signal.SIGKILL)
        self._restarting = asyncio.create_task(self._restart())

    async def _restart(self) -> None:
        loop = asyncio.get_running_loop()
        killed = loop.time()
        await self.child.process.wait()
        while True:
            self.child.process = (await start_usher(self._folder, self._environment)).process
            try:
                await wait_for_usher(self.child, self._url)
            except StageError:
                # Whoever switched on a fault that keeps it from starting can switch it off again.
                self.has_failed = True
                await self.child.stop()
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self.away = loop.time() - killed
            self.child.is_restarting = False
            return

    async def close(self) -> None:
        """Stop starting it again; its process is ended with the others."""
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
