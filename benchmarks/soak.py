"""An hour of steady requests to one process on each database, to see whether it grows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.load import press_steadily
from benchmarks.machine import memory_mb
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note, stage

#: When the process is measured, as fractions of the whole time: after 10, 30 and 60 minutes of an hour.
LOOKS: Final = {10: 1 / 6, 30: 1 / 2, 60: 1.0}
#: Requests a second.
_RATE: Final = 1.0
#: What people type in turn. Verbs that take a name are followed by one.
_MIX: Final = ("list", "start", "status", "help", "stop", "hours", "list all", "status")
_NAMED: Final = frozenset({"start", "status", "stop", "hours"})
#: What is measured on each database.
_LOOKED_AT: Final = {"sqlite": ("memory", "files", "disk"), "postgres": ("memory", "files", "connections")}
FIGURES: Final = tuple(
    f"soak_{name}_{what}"
    for name, looked in _LOOKED_AT.items()
    for what in (*(f"{each}_{minute}" for each in looked for minute in LOOKS), "wrong")
)
_CONNECTIONS: Final = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'usher'"


async def measure_soak(sizes: Sizes) -> list[Figure]:
    """Measure memory, open files and connections on SQLite and on PostgreSQL at the same time."""
    crowd = Crowd(sizes.people, 2)
    async with AsyncExitStack() as stack:
        # The processes are started one after the other, because each is bound to its cores while it starts.
        running = []
        for name in _LOOKED_AT:
            scene = await stack.enter_async_context(stage(crowd, shared=name == "postgres"))
            running.append((name, scene, await stack.enter_async_context(scene.bot())))
        both = await asyncio.gather(*(_soak(*one, sizes) for one in running))
    return [figure for figures in both for figure in figures]


async def _soak(name: str, scene: Stage, bot: Bot, sizes: Sizes) -> list[Figure]:
    commands = islice(_commands(scene.crowd), round(sizes.soak_seconds * _RATE))
    began = time.monotonic()
    pressed = asyncio.create_task(press_steadily(bot.target, commands, _RATE))
    figures = []
    for minute, part in LOOKS.items():
        await asyncio.sleep(began + part * sizes.soak_seconds - time.monotonic())
        figures += _look(name, minute, scene, bot)
    outcome = await pressed
    note(f"soak, {name}: {len(outcome.seconds)} answers, {len(outcome.wrong)} of them wrong")
    return [*figures, Figure(f"soak_{name}_wrong", len(outcome.wrong))]


def _commands(crowd: Crowd) -> Iterator[tuple[str, str]]:
    """Return an endless series of commands, in which each person types different commands of the mix."""
    mix = cycle(_MIX)
    for person, workspace in cycle(crowd.pairs()):
        verb = next(mix)
        yield crowd.user(person), f"{verb} {crowd.workspace(workspace)}" if verb in _NAMED else verb


def _look(name: str, minute: int, scene: Stage, bot: Bot) -> list[Figure]:
    bot.child.must_live()
    figures = [
        Figure(f"soak_{name}_memory_{minute}", memory_mb(bot.pid)),
        Figure(f"soak_{name}_files_{minute}", sum(1 for _ in Path(f"/proc/{bot.pid}/fd").iterdir())),
    ]
    if scene.server is not None:
        with closing(psycopg.connect(scene.server.url)) as connection:
            (count,) = connection.execute(_CONNECTIONS).fetchone() or (0,)
        return [*figures, Figure(f"soak_{name}_connections_{minute}", count)]
    size = sum(file.stat().st_size for file in Path(scene.folder, "data").iterdir() if file.is_file())
    return [*figures, Figure(f"soak_{name}_disk_{minute}", size / 1e6)]
