"""The additional parts of a cluster: several processes, a load balancer for them, a failing database."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import psycopg

from benchmarks.chaos.clocks import WallClock
from benchmarks.chaos.keeper import Member
from benchmarks.postgres import Database
from bot.reconciler.scheduler import LIST_REFRESH_SECONDS
from bot.services.failovers import READ_TIMEOUT_SECONDS
from bot.store.maintenance import FAILOVER_CONFIRM_SECONDS
from playground.processes import reserved_port
from tests.rigs.relays import listening, relay

WEBS: Final = 2
WORKERS: Final = 4
#: Seconds between two kills.
PAUSE: Final = 2.0
#: How far one worker's clock is off, in seconds.
AN_HOUR: Final = 3600.0
#: In a run shorter than this, in seconds, the server crashes once but isn't restarted in an orderly way.
SHORT: Final = 30.0
#: Seconds until a worker is kept from writing, and how long that lasts, which is longer than its leases.
HALF_AFTER: Final = (1.0, 6.0)
HALF_FOR: Final = (8.0, 25.0)
FAILOVER: Final = "failover"
#: Seconds of commits that the standby lacks, and the time until everybody was told and all lists were read.
LOST: Final = 4.0
TOLD: Final = FAILOVER_CONFIRM_SECONDS + LIST_REFRESH_SECONDS + READ_TIMEOUT_SECONDS


def members(
    environment: Mapping[str, str], clock: WallClock | None, workers: int, half: str = ""
) -> list[Member]:
    """Return the members of the cluster: first the web processes, then the workers.

    The clock of the last worker is an hour off. ``half`` is the first worker's database URL, for a role that
    can be kept from writing.
    """
    roles = ["web"] * WEBS + ["worker"] * workers
    made = [
        Member({**environment, "PORT": str(port)}, f"http://127.0.0.1:{port}", role)
        for role, port in ((role, reserved_port()) for role in roles)
    ]
    if half:
        made[WEBS].environment = {**made[WEBS].environment, "USHER_DATABASE_URL": half}
    if clock is not None:
        clock.set(AN_HOUR)
        made[-1].environment = {**made[-1].environment, **clock.environment()}
    return made


@asynccontextmanager
async def balancer(port: int, webs: Iterable[str]) -> AsyncIterator[None]:
    """Forward connections to web processes in turn, skipping those that don't accept connections."""
    ports = [int(url.rpartition(":")[2]) for url in webs]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.append(ports.pop(0))
        for place in list(ports):
            with suppress(OSError):
                await relay(reader, writer, await asyncio.open_connection("127.0.0.1", place))
                break

    async with listening(serve, port):
        yield


async def halve(database: Database, seconds: float, chance: random.Random, count: Counter[str]) -> None:
    """Repeatedly block one worker's writes for several seconds. Count how often this cuts a connection."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        await asyncio.sleep(chance.uniform(*HALF_AFTER))
        try:
            count["half"] += await asyncio.to_thread(database.shut_out)
            await asyncio.sleep(chance.uniform(*HALF_FOR))
            await asyncio.to_thread(database.let_in)
        except psycopg.Error:
            # The server itself is down at the moment.
            continue
    while True:
        with suppress(psycopg.Error):
            await asyncio.to_thread(database.let_in)
            return
        await asyncio.sleep(0.5)


async def trouble(database: Database, seconds: float) -> None:
    """Restart the server in an orderly way, then crash it."""
    for crashes in (False, True):
        await asyncio.sleep(seconds / 3)
        if crashes or seconds >= SHORT:
            await asyncio.to_thread(database.restart, crashes=crashes)


async def fail_over(database: Database, seconds: float) -> None:
    """Halfway through, lose the primary and its last seconds, and wait until people have been told."""
    await asyncio.sleep(seconds / 2 - LOST)
    await asyncio.to_thread(database.freeze)
    await asyncio.sleep(LOST)
    await asyncio.to_thread(database.fail_over)
    await asyncio.sleep(max(seconds / 2, TOLD))
