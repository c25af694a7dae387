"""A benchmark of the CPU time of a start, from the command until Slack shows that the workspace is ready.

The CPU time is compared with that of ``benchmarks.minimum``. The benchmark also measures how long a start
takes to be acknowledged while more starts keep arriving and earlier ones are still being processed.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from statistics import median

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import Outcome, press, press_steadily
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note, stage
from benchmarks.turns import BARE, BEFORE, MINIMUM, USHER, home, in_turn, least, server, servers, variants

#: Part of the answer to an accepted start.
TAKEN = b"Starting"
#: With these times, a workspace is ready before it may be read for the first time after the call.
READY = ("--soonest", "1", "--latest", "4")
#: A process is idle if it uses less than this share of a core within a slice of this many seconds. It is at
#: work if it uses this many times as much as at rest.
_QUIET, _SLICE, _AT_WORK = 0.03, 1.0, 1.5
#: Cards that were held back don't count as unsent messages: once their start has ended, they aren't needed.
_LEFT = """
    SELECT (SELECT COUNT(*) FROM operations WHERE outcome IS NULL)
        + (SELECT COUNT(*) FROM notices WHERE state <> 'sent' AND kind <> 'card')
        + (SELECT COUNT(*) FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL)
"""
_FAILED = "SELECT COUNT(*) FROM operations WHERE outcome <> 'fulfilled'"
#: Seconds between the starts of one variant and those of the next.
_APART = 2.0
#: Number of connections over which starts are requested.
_CONNECTIONS = 20
#: How many workspaces a person starts in a run.
_EACH = 20


async def measure_minimum(sizes: Sizes) -> list[Figure]:
    """Measure the cost of the minimum, compared with a bare Bolt app that acknowledges as many commands."""
    async with _starts(sizes, [MINIMUM, BARE], 0) as starts:
        costs = least("start", await starts.costs())
    return [Figure("minimum_cpu", costs[MINIMUM], costs[BARE])]


async def measure_start(sizes: Sizes) -> list[Figure]:
    """Measure ``/workspace start``. Each command begins a new operation, and its workspace becomes ready."""
    steady = round(sum(sizes.rates) * sizes.steady_seconds) * sizes.steady_rounds * len(variants(sizes))
    async with _starts(sizes, variants(sizes, MINIMUM), steady) as starts:
        costs = least("start", await starts.costs())
        late = await starts.waits()
    return [
        Figure("start_cpu", costs[USHER], costs[MINIMUM], before=costs.get(BEFORE)),
        Figure("start_rate", max(starts.rates[USHER]), before=max(starts.rates[BEFORE], default=None)),
        *(_late(rate, late) for rate in sizes.rates),
    ]


async def measure_start_pairs(sizes: Sizes) -> list[Figure]:
    """Measure the CPU of a start as a multiple of the other revision's and of the minimum's.

    Two processes with the same code can differ by half, so each round uses new processes, in a different
    order. It makes so many starts that the idle usage is small in comparison.
    """
    if sizes.against is None:
        raise BenchmarkError("it is measured side by side: name a revision with --against")
    sizes, ratios = replace(sizes, rounds=1, starts=sizes.pair_starts), defaultdict[str, list[float]](list)
    for number in range(sizes.pairs):
        names = [*in_turn([USHER, BEFORE, MINIMUM], number)]
        async with _starts(sizes, names, 0) as starts:
            costs = await starts.costs()
        for name in (BEFORE, MINIMUM):
            ratios[name].append(costs[USHER][0] / costs[name][0])
    for name, found in ratios.items():
        note(f"start, multiple of {name}: {[round(ratio, 2) for ratio in found]}")
    return [
        Figure("start_pairs", median(ratios[BEFORE])),
        Figure("start_pairs_minimum", median(ratios[MINIMUM])),
    ]


def _late(rate: int, found: Mapping[tuple[str, int], tuple[float, int]]) -> Figure:
    seconds, wrong = found[USHER, rate]
    before, _ = found.get((BEFORE, rate), (None, 0))
    detail = f"{wrong} not taken" if wrong else ""
    return Figure(f"start_p99_{rate}", seconds, sound=not wrong, note=detail, before=before)


@asynccontextmanager
async def _starts(sizes: Sizes, names: list[str], steady: int) -> AsyncIterator[_Starts]:
    """Start the servers to be measured, with enough workspaces that none has to be started twice."""
    wanted = (sizes.rounds + 1) * sizes.starts * len(names) + steady
    people = max(sizes.people, -(-wanted // _EACH))
    async with AsyncExitStack() as stack:
        crowd = Crowd(people, -(-wanted // people))
        scene = await stack.enter_async_context(stage(crowd, saturn=READY))
        yield _Starts(sizes, scene, await servers(stack, scene, sizes, *names), crowd.pairs())


@dataclass
class _Starts:
    sizes: Sizes
    scene: Stage
    servers: Mapping[str, Bot]
    pairs: Iterator[tuple[int, int]]
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def commands(self, count: int, name: str) -> Iterator[tuple[str, str]]:
        """Return this many commands; the bare app gets ``help`` instead of starts."""
        crowd, verb = self.scene.crowd, "help" if name == BARE else "start"
        return (
            (crowd.user(person), f"{verb} {crowd.workspace(workspace)}")
            for person, workspace in islice(self.pairs, count)
        )

    async def costs(self) -> dict[str, list[float]]:
        """Return the CPU time per start in each round, in µs, minus each process's idle usage.

        The starts of all variants wait for the poll gate in parallel.
        """
        found: dict[str, list[float]] = defaultdict(list)
        for number in range(self.sizes.rounds + 1):
            spent: dict[str, list[float]] = defaultdict(list)
            began, used = time.perf_counter(), self._used()
            for name in in_turn([*self.servers], number):
                target, starts = self.servers[name].target, self.commands(self.sizes.starts, name)
                outcome = await press(target, starts, _CONNECTIONS, _is_taken(name))
                self.rates[name].append(_right(outcome).rate)
                # Wait, so that the variants don't all work at the same time when the gates open.
                await asyncio.sleep(_APART)
            took = time.perf_counter() - began
            pressed = self._used()
            await self._until_quiet(spent)
            # The first round warms up.
            for name in self.servers if number else ():
                rest = median(spent[name])
                work = [each - rest for each in spent[name] if each > _AT_WORK * rest]
                cost = pressed[name] - used[name] - took * rest / _SLICE + sum(work)
                found[name].append(cost / self.sizes.starts * 1e6)
        return found

    async def waits(self) -> dict[tuple[str, int], tuple[float, int]]:
        """Return the 99th percentile of seconds until a start is acknowledged, by variant and rate.

        Each comes with the number of starts that weren't accepted. Both are from the better round. Each round
        begins with a new process, in which work from the slower rates may still be going on during the faster
        ones.
        """
        found: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
        for number in range(self.sizes.steady_rounds):
            for name in in_turn(variants(self.sizes), number):
                place = await self.scene.beside(f"{name}_{number}", home(self.sizes, name))
                async with server(place, self.sizes, name) as bot:
                    for rate in self.sizes.rates:
                        starts = self.commands(round(rate * self.sizes.steady_seconds), name)
                        outcome = await press_steadily(bot.target, starts, rate, _is_taken(name))
                        bot.child.must_live()
                        found[name, rate].append((len(outcome.wrong), quantile(outcome.seconds, 0.99)))
        for (name, rate), each in sorted(found.items()):
            told = [f"{1000 * late:.0f} ms" + f", {wrong} not taken" * bool(wrong) for wrong, late in each]
            note(f"{rate} starts a second, {name}: p99 {'; '.join(told)}")
        return {key: (min(each)[1], min(each)[0]) for key, each in found.items()}

    async def _until_quiet(self, spent: dict[str, list[float]]) -> None:
        """Wait until all starts are done and shown in Slack; meanwhile record the CPU used in each second."""
        until, used, left = time.perf_counter() + self.sizes.patience, self._used(), 0
        while time.perf_counter() < until:
            await asyncio.sleep(_SLICE)
            before, used = used, self._used()
            for name in used:
                spent[name].append(used[name] - before[name])
            left = sum(not_done(self.scene.database(name)) for name in self.servers)
            if not left and all(each[-1] < _QUIET * _SLICE for each in spent.values()):
                return
        raise BenchmarkError(f"{left} starts and messages weren't done in time")

    def _used(self) -> dict[str, float]:
        for bot in self.servers.values():
            bot.child.must_live()
        return {name: cpu_seconds(bot.pid) for name, bot in self.servers.items()}


def not_done(database: Path) -> int:
    """Count the open starts in a database and the messages that aren't sent or up to date.

    Raises BenchmarkError if a start failed.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:
        if failed := rows.execute(_FAILED).fetchone()[0]:
            raise BenchmarkError(f"{failed} workspaces didn't get ready")
        return int(rows.execute(_LEFT).fetchone()[0])


def _is_taken(name: str) -> Callable[[bytes], bool]:
    return lambda body: name == BARE or TAKEN in body


def _right(outcome: Outcome) -> Outcome:
    if outcome.wrong:
        raise BenchmarkError(f"{len(outcome.wrong)} wrong answers, such as {outcome.wrong[0]}")
    return outcome
