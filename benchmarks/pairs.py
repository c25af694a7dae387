"""A benchmark of how quickly starts are accepted, compared with another revision, without a network delay."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from statistics import median
from typing import Final

import psycopg

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.load import press
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, note, stage
from benchmarks.starts import READY, TAKEN
from benchmarks.turns import BEFORE, USHER, home, in_turn, server, variants

#: Number of connections over which starts are requested.
_CONNECTIONS: Final = 20
#: Seconds between the starts of one variant and those of the next.
_APART: Final = 2.0
_OPEN: Final = "SELECT COUNT(*) FROM operations WHERE outcome IS NULL"


async def measure_pairs(sizes: Sizes) -> list[Figure]:
    """Measure this revision's time as a multiple of the other's, on SQLite and on PostgreSQL."""
    if sizes.against is None:
        raise BenchmarkError("it is measured side by side: name a revision with --against")
    return [
        Figure("pairs_sqlite", await _measure(sizes, is_shared=False)),
        Figure("pairs_postgres", await _measure(sizes, is_shared=True)),
    ]


async def _measure(sizes: Sizes, *, is_shared: bool) -> float:
    """Return the median ratio of all rounds but the first, which is a warm-up."""
    crowd, ratios = Crowd((sizes.pairs + 1) * sizes.starts, 1), []
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(stage(crowd, saturn=READY, shared=is_shared))
        places = {
            name: await scene.beside(f"pairs_{name.lower()}", home(sizes, name)) for name in variants(sizes)
        }
        bots = {
            name: await stack.enter_async_context(server(place, sizes, name))
            for name, place in places.items()
        }
        for number in range(sizes.pairs + 1):
            people, took = range(number * sizes.starts, (number + 1) * sizes.starts), {}
            for name in in_turn([*bots], number):
                commands = ((crowd.user(one), f"start {crowd.workspace(0)}") for one in people)
                outcome = await press(bots[name].target, commands, _CONNECTIONS, lambda body: TAKEN in body)
                if outcome.wrong:
                    raise BenchmarkError(f"{name} answered {outcome.wrong[0]}")
                took[name] = outcome.took
                await asyncio.sleep(_APART)
            for place in places.values():
                await _wait_until_over(place, sizes)
            ratios.append(took[USHER] / took[BEFORE])
    note(f"{'PostgreSQL' if is_shared else 'SQLite'}: {[round(ratio, 3) for ratio in ratios[1:]]}")
    return median(ratios[1:])


async def _wait_until_over(place: Stage, sizes: Sizes) -> None:
    """Wait until all work is done, so that it doesn't disturb the next round."""
    url, until = place.place.database_url, time.monotonic() + sizes.patience
    connect = psycopg.connect if place.server is not None else sqlite3.connect
    with closing(connect(url.removeprefix("sqlite:///"))) as rows:
        while (row := rows.execute(_OPEN).fetchone()) and row[0]:
            if time.monotonic() > until:
                raise BenchmarkError(f"{row[0]} starts haven't ended")
            rows.rollback()
            await asyncio.sleep(0.5)
