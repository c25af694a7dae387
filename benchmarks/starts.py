"""What a start costs, from the press until its person is told and all is quiet, against a written minimum.

And how long its acknowledgement takes while starts come steadily, whatever is left to do for the others.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import Outcome, press, press_steadily
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note, stage
from benchmarks.turns import BARE, BEFORE, MINIMUM, USHER, in_turn, least, servers, variants

#: Workspaces become ready before they may be read for the first time after their call.
_READY = ("--soonest", "1", "--latest", "4")
#: Quiet is who uses less of a core than this, for so many seconds.
_QUIET, _LOOK_EVERY = 0.03, 1.0
_LEFT = """
    SELECT (SELECT COUNT(*) FROM operations WHERE outcome IS NULL)
        + (SELECT COUNT(*) FROM notices WHERE state <> 'sent')
"""
_FAILED = "SELECT COUNT(*) FROM operations WHERE outcome <> 'fulfilled'"
#: A person starts so many workspaces in a run.
_EACH = 20


async def measure_minimum(sizes: Sizes) -> list[Figure]:
    """Measure what the minimum takes, against a bare Bolt app that acknowledges as many commands."""
    async with _starts(sizes, [MINIMUM, BARE], 0) as starts:
        costs = least("start", await starts.costs())
    return [Figure("minimum_cpu", costs[MINIMUM], costs[BARE])]


async def measure_start(sizes: Sizes) -> list[Figure]:
    """Measure ``/workspace start``: each a new operation on a workspace that gets ready."""
    steady = round(sum(sizes.rates) * sizes.steady_seconds) * sizes.steady_rounds * len(variants(sizes))
    async with _starts(sizes, variants(sizes, MINIMUM), steady) as starts:
        costs = least("start", await starts.costs())
        late = await starts.waits()
    return [
        Figure("start_cpu", costs[USHER], costs[MINIMUM], before=costs.get(BEFORE)),
        Figure("start_rate", max(starts.rates[USHER]), before=max(starts.rates[BEFORE], default=None)),
        *(
            Figure(f"start_p99_{rate}", late[USHER, rate], before=late.get((BEFORE, rate)))
            for rate in sizes.rates
        ),
    ]


@asynccontextmanager
async def _starts(sizes: Sizes, names: list[str], steady: int) -> AsyncIterator[_Starts]:
    """Bring up what is measured, with workspaces for every start; each is started once, by one of them."""
    wanted = (sizes.rounds + 1) * sizes.starts * len(names) + steady
    people = max(sizes.people, -(-wanted // _EACH))
    async with AsyncExitStack() as stack:
        crowd = Crowd(people, -(-wanted // people))
        scene = await stack.enter_async_context(stage(crowd, saturn=_READY))
        yield _Starts(sizes, scene, await servers(stack, scene, sizes, *names), crowd.pairs())


@dataclass
class _Starts:
    sizes: Sizes
    scene: Stage
    servers: Mapping[str, Bot]
    pairs: Iterator[tuple[int, int]]
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def commands(self, count: int, name: str) -> Iterator[tuple[str, str]]:
        """Return as many commands; the bare app isn't asked to start anything."""
        crowd, verb = self.scene.crowd, "help" if name == BARE else "start"
        return (
            (crowd.user(person), f"{verb} {crowd.workspace(workspace)}")
            for person, workspace in islice(self.pairs, count)
        )

    async def costs(self) -> dict[str, list[float]]:
        """Return the CPU of a start in each round, in µs, without what each uses while it has nothing to do.

        They do what follows the acknowledgements at the same time, as all wait for the poll gate.
        """
        spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
        idle: dict[str, list[float]] = defaultdict(list)
        for number in range(self.sizes.rounds + 1):
            began, used = time.perf_counter(), self._used()
            for name in in_turn([*self.servers], number):
                server, starts = self.servers[name], self.commands(self.sizes.starts, name)
                outcome = await press(server.target, starts, self.sizes.connections, _is_taken(name))
                self.rates[name].append(_right(outcome).rate)
            await self.quiet()
            took, worked = time.perf_counter() - began, self._used()
            await asyncio.sleep(self.sizes.idle_between)
            for name, after in self._used().items():
                spent[name].append((worked[name] - used[name], took))
                idle[name].append((after - worked[name]) / self.sizes.idle_between)
        # The first round warms up.
        return {
            name: [(cpu - median(idle[name]) * took) / self.sizes.starts * 1e6 for cpu, took in rounds[1:]]
            for name, rounds in spent.items()
        }

    async def waits(self) -> dict[tuple[str, int], float]:
        """Return the 99th percentile of the seconds until a start is acknowledged, by who and by the rate."""
        found: dict[tuple[str, int], list[float]] = defaultdict(list)
        for number in range(self.sizes.steady_rounds):
            for name in in_turn(variants(self.sizes), number):
                for rate in self.sizes.rates:
                    starts = self.commands(round(rate * self.sizes.steady_seconds), name)
                    outcome = await press_steadily(self.servers[name].target, starts, rate, _is_taken(name))
                    found[name, rate].append(quantile(_right(outcome).seconds, 0.99))
                await self.quiet()
        for (name, rate), late in sorted(found.items()):
            note(f"{rate} starts a second, {name}: p99 {[round(1000 * each) for each in late]} ms")
        return {key: min(late) for key, late in found.items()}

    async def quiet(self) -> None:
        """Wait until every workspace is ready, its person is told, and nobody has anything to do."""
        until = time.perf_counter() + self.sizes.patience
        used, left = self._used(), 0
        while time.perf_counter() < until:
            await asyncio.sleep(_LOOK_EVERY)
            left = sum(_left(self.scene.database(name)) for name in self.servers)
            before, used = used, self._used()
            if not left and all(used[name] - before[name] < _QUIET * _LOOK_EVERY for name in used):
                return
        raise BenchmarkError(f"{left} starts and messages weren't done in time")

    def _used(self) -> dict[str, float]:
        for server in self.servers.values():
            server.child.must_live()
        return {name: cpu_seconds(server.pid) for name, server in self.servers.items()}


def _left(database: Path) -> int:
    """Return how many starts aren't over in a database, and how many messages aren't sent; all went well."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:
        if failed := rows.execute(_FAILED).fetchone()[0]:
            raise BenchmarkError(f"{failed} workspaces didn't get ready")
        return int(rows.execute(_LEFT).fetchone()[0])


def _is_taken(name: str) -> Callable[[bytes], bool]:
    return lambda body: name == BARE or b"Starting" in body


def _right(outcome: Outcome) -> Outcome:
    if outcome.wrong:
        raise BenchmarkError(f"{len(outcome.wrong)} wrong answers, such as {outcome.wrong[0]}")
    return outcome
