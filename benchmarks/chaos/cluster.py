"""What a cluster has besides: several processes, a balancer before the webs, a database that has trouble."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from benchmarks.chaos.clocks import WallClock
from benchmarks.chaos.keeper import Member
from benchmarks.postgres import Database
from playground.processes import reserved_port

WEBS: Final = 2
WORKERS: Final = 4
#: Seconds between two kills.
PAUSE: Final = 2.0
#: How far one worker's clock is off, in seconds.
AN_HOUR: Final = 3600.0
#: How often all connections are cut in a run; in one that is shorter than this many seconds, once.
CUTS: Final = 3
SHORT: Final = 30.0


def members(environment: Mapping[str, str], clock: WallClock | None, workers: int) -> list[Member]:
    """Return the webs, then the workers; the clock of the last worker is an hour off."""
    roles = ["web"] * WEBS + ["worker"] * workers
    made = [
        Member({**environment, "PORT": str(port)}, f"http://127.0.0.1:{port}", role)
        for role, port in ((role, reserved_port()) for role in roles)
    ]
    if clock is not None:
        clock.set(AN_HOUR)
        made[-1].environment = {**made[-1].environment, **clock.environment()}
    return made


@asynccontextmanager
async def balancer(port: int, webs: Iterable[str]) -> AsyncIterator[None]:
    """Pass connections on to the webs at these addresses in turn, or to whichever takes them."""
    ports = [int(url.rpartition(":")[2]) for url in webs]
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection has one"
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        ports.append(ports.pop(0))
        for place in list(ports):
            with suppress(OSError):
                other_reader, other_writer = await asyncio.open_connection("127.0.0.1", place)
                both = _pass_on(reader, other_writer), _pass_on(other_reader, writer)
                await asyncio.gather(*both, return_exceptions=True)
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        yield
        for task in list(tasks):
            task.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while read := await reader.read(65_536):
            writer.write(read)
    finally:
        writer.close()


async def trouble(database: Database, seconds: float, chance: random.Random) -> None:
    """Restart the server and crash it, and cut all connections now and then; a short run has less of it."""
    is_short = seconds < SHORT
    moments = [(2 * seconds / 3, "crash"), *([] if is_short else [(seconds / 3, "restart")])]
    moments += [(chance.uniform(0.0, seconds), "cut") for _ in range(1 if is_short else CUTS)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    for at, what in sorted(moments):
        await asyncio.sleep(max(began + at - loop.time(), 0.0))
        if what == "cut":
            await asyncio.to_thread(database.cut)
        else:
            await asyncio.to_thread(database.restart, crashes=what == "crash")
