"""Short outages of the database: connections to a server are cut, or a file is locked against writing."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.postgres import Database
from bot.support.settings.database import find_database_file

CUTS: Final = "cuts"
#: Seconds until the next two cuts, seconds between the two, and seconds for which a file can't be written.
#: The last must be shorter than the time for which a starting process waits for its file
#: (``bot.store.sqlite.OPEN_SECONDS``).
PAUSE_SECONDS: Final = (1.0, 8.0)
AGAIN_SECONDS: Final = (0.5, 5.0)
HELD_SECONDS: Final = (0.5, 1.8)


async def cut_off(
    url: str, server: Database | None, seconds: float, chance: random.Random, count: Counter[str]
) -> None:
    """Cut all processes off from their database from time to time, each time twice; count the cuts."""
    loop, path = asyncio.get_running_loop(), find_database_file(url)
    until = loop.time() + seconds
    while loop.time() < until:
        # Even a short storm needs some cuts before the server is restarted.
        await asyncio.sleep(min(chance.uniform(*PAUSE_SECONDS), seconds / 4))
        for _ in range(2):
            # The server itself may be down at the moment.
            with suppress(psycopg.Error, sqlite3.OperationalError):
                if server is not None:
                    count[CUTS] += await asyncio.to_thread(server.cut) > 0
                elif path is not None:
                    await asyncio.to_thread(_hold, path, chance.uniform(*HELD_SECONDS))
                    count[CUTS] += 1
            await asyncio.sleep(chance.uniform(*AGAIN_SECONDS))


def _hold(path: Path, seconds: float) -> None:
    """Keep other processes from writing to a file for a while; raises sqlite3.OperationalError."""
    with closing(sqlite3.connect(path, timeout=10.0, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
