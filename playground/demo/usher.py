"""The bot's process. The demo waits until it is ready, and can kill and restart it from the panel."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from playground.processes import READY_SECONDS, Child, StageError, start_child

#: Seconds to wait before starting the bot again if it failed to become ready.
AGAIN_SECONDS = 1.0


async def start_usher(folder: Path, environment: Mapping[str, str]) -> Child:
    """Start the bot with its settings, without waiting until it is ready."""
    return await start_child("usher", ["bot", "serve"], folder, environment, announces=False)


async def wait_for_usher(child: Child, url: str) -> None:
    """Wait until the bot reports that it is ready. Raises StageError if it ends or takes too long."""
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
    """The bot's process, which can be killed without warning and is then restarted until it is ready."""

    def __init__(self, child: Child, url: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.child = child
        self.kills = 0
        #: Whether a start since the last kill has failed.
        self.has_failed = False
        #: Seconds from the last kill until the bot was ready again.
        self.away: float | None = None
        self._url = url
        self._folder = folder
        self._environment = environment
        self._restarting: asyncio.Task[None] | None = None

    @property
    def is_away(self) -> bool:
        """Return whether the bot has been killed and isn't ready yet."""
        return self.child.is_restarting

    def kill(self) -> None:
        """Kill the bot with SIGKILL, unless it is already away."""
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
                # A fault may keep the bot from starting. Keep trying, because the user can switch the fault
                # off.
                self.has_failed = True
                await self.child.stop()
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self.away = loop.time() - killed
            self.child.is_restarting = False
            return

    async def close(self) -> None:
        """Stop restarting the bot. Its process is ended together with the others."""
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
