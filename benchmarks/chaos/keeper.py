"""The bot as a process of its own: kept running, and killed without a word now and then."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from benchmarks.chaos.clocks import WallClock

HOME = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
DRAIN_SECONDS = 10.0


class NotReadyError(Exception):
    """Say that the bot did not come up."""


class Keeper:
    """Start ``python -m bot serve``, kill it every 2–5 s, start it again; now and then at another time."""

    def __init__(
        self,
        environment: Mapping[str, str],
        url: str,
        log: Path,
        chance: random.Random,
        clock: WallClock | None = None,
    ) -> None:
        """With a clock, kills are the moments at which it is set, and later put right."""
        self._environment = {**os.environ, **environment, **(clock.environment() if clock else {})}
        self._clock = clock
        self._url = url
        self._log = log
        self._chance = chance
        self._process: asyncio.subprocess.Process | None = None
        self.kills = 0
        #: Kills before the process had begun to listen.
        self.early_kills = 0
        #: Exit statuses of processes that ended by themselves.
        self.ended: list[int] = []

    async def start(self) -> None:
        """Start the process; what it says is added to the log."""
        with self._log.open("ab") as sink:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "serve",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=HOME,
                env=self._environment,
            )

    async def ready(self) -> None:
        """Wait until the bot says that it is ready; raise NotReadyError when it is not in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READY_SECONDS
        while loop.time() < until:
            if await self._answers("/readyz"):
                return
            await asyncio.sleep(0.1)
        raise NotReadyError("the bot was not ready in time")

    async def _answers(self, path: str) -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(self._url + path) as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def kill_now_and_then(self, seconds: float) -> None:
        """Kill and start again, every 2–5 s for so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(self._chance.uniform(2.0, 5.0))
            self.early_kills += not await self._answers("/healthz")
            if self._clock is not None and self._chance.random() < 0.3:
                # While it runs: the clock moves under it, and back again across a restart.
                self._clock.set(self._chance.choice((0.0, self._chance.uniform(-240.0, 240.0))))
                await asyncio.sleep(self._chance.uniform(1.0, 3.0))
            await self.kill()
            if self._clock is not None:
                self._clock.set(self._chance.choice((0.0, self._chance.uniform(-240.0, 240.0))))
            await self.start()
        if self._clock is not None:
            await self.kill()
            self._clock.set(0.0)
            await self.start()

    async def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        assert self._process is not None, "started before"
        if self._process.returncode is None:
            self._process.kill()
            self.kills += 1
        await self._process.wait()
        if self._process.returncode != -9:
            self.ended.append(self._process.returncode or 0)

    async def stop(self) -> bool:
        """Send SIGTERM; say whether the process drained and ended well in time."""
        assert self._process is not None, "started before"
        if self._process.returncode is not None:
            self.ended.append(self._process.returncode)
            return False
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), DRAIN_SECONDS + 2.0)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        return self._process.returncode == 0
