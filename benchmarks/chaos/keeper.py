"""The bot's processes: kept running, and killed without warning from time to time."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
from aiohttp import web

from benchmarks.chaos.clocks import WallClock
from benchmarks.chaos.weather import HANGS
from playground.faults import Fault

HOME = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
DRAIN_SECONDS = 10.0
#: The share of kills that don't wait until the process is listening.
EARLY = 0.3
#: Seconds between a kill during a post and the restart. Workspaces may become ready in the meantime.
AWAY_SECONDS = (0.0, 8.0)
#: Seconds for which a worker is suspended: longer than any lease.
STOPPED_SECONDS = 90.0


class NotReadyError(Exception):
    """Raised if a process of the bot didn't become ready in time."""


@dataclass(slots=True)
class Member:
    """One process of the bot: its settings, the URL where it reports its health, and its role."""

    environment: Mapping[str, str]
    url: str
    role: str = "serve"
    process: asyncio.subprocess.Process | None = field(default=None)

    async def start(self, log: Path) -> None:
        """Start the process, and append its output to the log."""
        with log.open("ab") as sink:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", self.role),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=HOME,
                env={**os.environ, **self.environment},
            )

    def has_connection(self, port: int) -> bool:
        """Return whether the process has a connection that uses this local port."""
        if self.process is None or self.process.returncode is not None:
            return False
        try:
            held = psutil.Process(self.process.pid).net_connections()
        except psutil.NoSuchProcess:
            return False
        return any(one.laddr and one.laddr.port == port for one in held)

    async def answers(self, path: str) -> bool:
        """Return whether the process answers a health check successfully."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(self.url + path) as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


class Keeper:
    """The bot's running processes, one of which is killed and restarted every few seconds."""

    def __init__(
        self,
        members: Sequence[Member],
        log: Path,
        chance: random.Random,
        clock: WallClock | None,
        pause: tuple[float, float],
    ) -> None:
        """Create a keeper; ``pause`` is the shortest and longest time, in seconds, between two kills.

        If there is a clock, it is changed around some of the kills, and set right at the end.
        """
        self.members = members
        self._clock = clock
        self._log = log
        self._chance = chance
        self._pause = pause
        #: Held from a kill until the process has been started again, so that only one is down at a time.
        self._lock = asyncio.Lock()
        #: Local ports of the connections on which a post is hanging.
        self._hanging: asyncio.Queue[int] = asyncio.Queue()
        self.kills = 0
        #: How often a worker was suspended.
        self.stops = 0
        #: How many kills hit a process that wasn't listening yet.
        self.early_kills = 0
        #: How many kills hit a process that was waiting for the response to a post.
        self.kills_in_posts = 0
        #: Exit statuses of processes that ended without being killed.
        self.ended: list[int] = []

    def pids(self) -> list[int]:
        """Return the processes that run."""
        processes = [member.process for member in self.members]
        return [one.pid for one in processes if one is not None and one.returncode is None]

    async def start(self) -> None:
        """Start all of them."""
        for member in self.members:
            await member.start(self._log)

    async def ready(self) -> None:
        """Wait until all processes are ready; raise NotReadyError if one of them isn't ready in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READY_SECONDS
        for member in self.members:
            while not await member.answers("/readyz"):
                if loop.time() >= until:
                    raise NotReadyError("the bot was not ready in time")
                await asyncio.sleep(0.1)

    async def kill_now_and_then(self, seconds: float) -> None:
        """For this many seconds, kill a random process every few seconds and start it again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(self._chance.uniform(*self._pause))
            member = self._chance.choice(self.members)
            may_wait = self._chance.random() >= EARLY
            while not (listens := await member.answers("/healthz")):
                # Without this wait, a slow machine would only ever start processes, and none would get any
                # work done.
                if not may_wait or loop.time() >= until:
                    break
                await asyncio.sleep(0.1)
            self.early_kills += not listens
            if self._clock is not None and self._chance.random() < 0.3:
                # Move the clock while the process is running; the restart below moves it again.
                self._clock.set(self._chance.choice((0.0, self._chance.uniform(-240.0, 240.0))))
                await asyncio.sleep(self._chance.uniform(1.0, 3.0))
            async with self._lock:
                await self.kill(member)
                if self._clock is not None:
                    self._clock.set(self._chance.choice((0.0, self._chance.uniform(-240.0, 240.0))))
                await member.start(self._log)
        if self._clock is not None:
            async with self._lock:
                for member in self.members:
                    await self.kill(member)
                self._clock.set(0.0)
                await self.start()

    async def stop_worker_for_a_while(self, seconds: float) -> None:
        """Suspend one worker with SIGSTOP, and resume it once others had to take over its work."""
        await asyncio.sleep(seconds / 4)
        worker = next(member for member in self.members if member.role == "worker")
        async with self._lock:
            assert worker.process is not None, "started before"
            worker.process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(STOPPED_SECONDS)
            finally:
                worker.process.send_signal(signal.SIGCONT)
        self.stops += 1

    def on_fault(self, request: web.Request, fault: Fault) -> None:
        """Note the connection of a post that gets no response."""
        if fault.name == HANGS and request.transport is not None:
            self._hanging.put_nowait(request.transport.get_extra_info("peername")[1])

    async def kill_while_posting(self, seconds: float) -> None:
        """For this many seconds, kill each process whose post is hanging, and start it again later."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            with suppress(TimeoutError):
                port = await asyncio.wait_for(self._hanging.get(), left)
                await self._kill_with(port)

    async def _kill_with(self, port: int) -> None:
        """Kill the process that has a connection using this local port, if there still is one."""
        async with self._lock:
            member = next((one for one in self.members if one.has_connection(port)), None)
            if member is None:
                return
            await self.kill(member)
            self.kills_in_posts += 1
            await asyncio.sleep(self._chance.uniform(*AWAY_SECONDS))
            await member.start(self._log)
        await asyncio.sleep(self._chance.uniform(*self._pause))

    async def kill(self, member: Member) -> None:
        """Send SIGKILL, and wait until the process has ended."""
        assert member.process is not None, "started before"
        if member.process.returncode is None:
            member.process.kill()
            self.kills += 1
        await member.process.wait()
        if member.process.returncode != -9:
            self.ended.append(member.process.returncode or 0)

    async def stop(self) -> bool:
        """Send SIGTERM to all processes; return whether they all drained and exited cleanly in time."""
        return all(await asyncio.gather(*(self._stop(member) for member in self.members)))

    async def _stop(self, member: Member) -> bool:
        process = member.process
        assert process is not None, "started before"
        if process.returncode is not None:
            self.ended.append(process.returncode)
            return False
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), DRAIN_SECONDS + 2.0)
        except TimeoutError:
            process.kill()
            await process.wait()
        return process.returncode == 0
