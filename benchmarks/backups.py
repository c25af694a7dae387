"""A nightly backup of a large database, while people type as fast as they are answered."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import ask
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note, stage
from tests.rigs.store import make_used_database

#: What fills the file to the size of a million entries of the audit, about 400 MB.
_ROW_BYTES = 300
#: So many type at once; of their commands every fifth starts a workspace, the others ask for help.
_TYPING, _STARTS = 4, 5
#: How long a copy is waited for, in seconds.
_PATIENCE = 300.0


async def measure_backups(sizes: Sizes) -> list[Figure]:
    """Measure how long anybody waits for help while the database is copied, against a start that doesn't."""
    during, without = list[float](), list[float]()
    took = list[float]()
    async with stage(Crowd(sizes.people)) as scene:
        database = Path(scene.place.database_url.removeprefix("sqlite:///"))
        folder, size = (
            database.parent / "backups",
            await asyncio.to_thread(_fill, database, sizes.backup_rows),
        )
        await make_used_database(scene.place.database_url)
        numbers = count()
        for _ in range(sizes.runs):
            await asyncio.to_thread(_forget, database, folder)
            async with scene.bot() as bot:
                took.append(await _type_until_copied(scene, bot, numbers, during, folder))
            # It was made, so this start makes none.
            async with scene.bot() as bot:
                await _press(scene, bot, numbers, without, time.perf_counter() + took[-1], asyncio.Event())
    detail = (
        f"{len(took)} copies of {size:.0f} MB in {_describe(took)} s; median, p99 and longest of "
        f"{len(during)} helps meanwhile {_summarise(during)} s, and of {len(without)} after a start without "
        f"{_summarise(without)} s"
    )
    note(detail)
    return [Figure("backup_help", max(during), max(without), note=detail)]


def _describe(seconds: Sequence[float]) -> str:
    return ", ".join(f"{one:.3f}" for one in seconds)


def _summarise(helps: list[float]) -> str:
    return _describe([quantile(helps, 0.5), quantile(helps, 0.99), max(helps)])


def _fill(database: Path, rows: int) -> float:
    """Fill the file with a table that nobody reads, and an index; return its size in MB."""
    with closing(sqlite3.connect(database)) as filled:
        filled.execute("CREATE TABLE filling (number INTEGER PRIMARY KEY, hash TEXT, text TEXT)")
        filled.execute("CREATE INDEX filling_by_hash ON filling (hash)")
        text = "x" * (_ROW_BYTES - 64)
        filled.executemany(
            "INSERT INTO filling VALUES (?, ?, ?)",
            ((number, f"{number * 2654435761 % 2**64:064x}", text) for number in range(rows)),
        )
        filled.commit()
    return database.stat().st_size / 1e6


def _forget(database: Path, folder: Path) -> None:
    """Let the next start make a backup."""
    with closing(sqlite3.connect(database)) as changed:
        changed.execute("DELETE FROM upkeep WHERE work = 'backup'")
        changed.commit()
    for made in folder.glob("usher-*"):
        made.unlink()


def _is_made(folder: Path) -> bool:
    return any(folder.glob("usher-*.db"))


async def _type_until_copied(
    scene: Stage, bot: Bot, numbers: Iterator[int], helps: list[float], folder: Path
) -> float:
    """Type until the copy is there; return how long that took."""
    began = time.perf_counter()
    is_over = asyncio.Event()
    typing = asyncio.create_task(_press(scene, bot, numbers, helps, began + _PATIENCE, is_over))
    while not _is_made(folder):
        if typing.done():
            await typing
            raise BenchmarkError("there was no backup in time")
        await asyncio.sleep(0.02)
    took = time.perf_counter() - began
    # What still waits for its answer waited for the copy.
    is_over.set()
    await typing
    return took


async def _press(
    scene: Stage, bot: Bot, numbers: Iterator[int], helps: list[float], until: float, is_over: asyncio.Event
) -> None:
    """Let some type, one command after the other, until then or until it is over."""
    crowd = scene.crowd

    async def type_on() -> None:
        while time.perf_counter() < until and not is_over.is_set():
            number = next(numbers)
            starts = number % _STARTS == 0
            words = f"start {crowd.workspace(0)}" if starts else "help"
            request = bot.target.request(crowd.user(number % crowd.people), words, number)
            status, seconds = await ask(bot.target.url, request)
            if status != 200:
                raise BenchmarkError(f"a command was answered with {status}")
            if not starts:
                helps.append(seconds)

    await asyncio.gather(*(type_on() for _ in range(_TYPING)))
