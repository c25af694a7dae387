"""A small supervisor that runs processes and restarts those that die."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from playground.processes import HOME, READY_SECONDS, Child, StageError

#: Seconds between two checks whether a process is ready.
_LOOK_EVERY = 0.1
#: A process that dies within this many seconds of its start isn't restarted immediately.
_SOON = 2.0


@dataclass(slots=True)
class Process:
    """One process: its command and settings, the URL where it reports its health, and the running child."""

    name: str
    words: list[str]
    environment: Mapping[str, str]
    url: str
    log: Path
    child: Child | None = field(default=None)

    async def start(self) -> Child:
        """Start the process in a process group of its own, and append its output to its log."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        with self.log.open("ab") as sink:
            running = await asyncio.create_subprocess_exec(
                *self.words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=HOME,
                env={**os.environ, "PATH": path, **self.environment},
                start_new_session=True,
            )
        self.child = Child(self.name, running, self.log)
        return self.child

    async def ready(self) -> None:
        """Wait until the process is ready; raise StageError if it isn't in time."""
        try:
            async with (
                asyncio.timeout(READY_SECONDS),
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            ):
                while True:
                    if await self._is_ready(session):
                        return
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            said = self.child.last_words() if self.child else ""
            raise StageError(f"{self.name} was not ready after {READY_SECONDS:.0f} s:\n{said}") from None

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


class Supervisor:
    """Processes that are kept running, with the number of kills and how long each process was away."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.processes: list[Process] = []
        self.kills = 0
        #: For each process that died: the seconds until its replacement was ready.
        self.away: list[float] = []
        self._tell = tell

    def add(
        self, name: str, words: list[str], environment: Mapping[str, str], folder: Path, port: int
    ) -> Process:
        """Add a process that listens on a port of its own."""
        url, log = f"http://127.0.0.1:{port}", folder / f"{name}.log"
        made = Process(name, words, {**environment, "PORT": str(port)}, url, log)
        self.processes.append(made)
        return made

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all processes for a block, and stop them afterwards, even if some are still starting."""
        keeping: list[asyncio.Task[None]] = []
        try:
            for process in self.processes:
                child = await process.start()
                keeping.append(asyncio.create_task(self._keep(process, child)))
            yield
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await asyncio.gather(*(one.child.stop() for one in self.processes if one.child is not None))

    async def ready(self) -> None:
        """Wait until all are ready."""
        await asyncio.gather(*(process.ready() for process in self.processes))

    def kill(self, kind: str, chance: random.Random) -> None:
        """Kill a random process of the given kind without warning."""
        process = chance.choice([one for one in self.processes if one.name.startswith(kind)])
        if process.child is not None and process.child.process.returncode is None:
            self.kills += 1
            self._tell(f"   kill -9: {process.name} (process {process.child.pid})")
            process.child.process.kill()

    async def _keep(self, process: Process, child: Child) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            await child.process.wait()
            died = loop.time()
            if died - began < _SOON:
                await asyncio.sleep(_SOON)
            began = loop.time()
            child = await process.start()
            away = asyncio.create_task(process.ready())
            ended = asyncio.create_task(child.process.wait())
            try:
                await asyncio.wait([away, ended], return_when=asyncio.FIRST_COMPLETED)
            finally:
                away.cancel()
                ended.cancel()
            if away.done() and not away.cancelled() and away.exception() is None:
                self.away.append(loop.time() - died)
                self._tell(f"   {process.name} is back after {self.away[-1]:.1f} s (process {child.pid})")
