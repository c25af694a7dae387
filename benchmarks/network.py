"""A benchmark of starts by several processes whose connection to PostgreSQL is slow.

A proxy delays the data between them and the server in both directions (``delay_proxy.c``, which needs
``cc``). Everything runs on one machine, so the processes share its cores with the server.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import psycopg

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import Outcome, press, press_steadily
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note, stage
from benchmarks.starts import READY, TAKEN
from benchmarks.turns import BEFORE, USHER, home, variants

_SOURCE: Final = Path(__file__).with_name("delay_proxy.c")
#: The delays in the table, in microseconds each way, and the numbers of web processes. There are as many
#: workers as web processes.
DELAYS: Final = (0, 500, 1_000, 2_000)
PROCESSES: Final = (1, 2, 4)
#: The cells that are also measured with another revision: two web processes and two workers, without a delay
#: and with one of 1 ms.
COMPARED: Final = ((2, 0), (2, 1_000))
TABLE: Final = tuple(
    (count, delay) for count in PROCESSES for delay in DELAYS if (count, delay) not in COMPARED
)
#: Number of connections over which starts are requested.
_CONNECTIONS: Final = 40
_OPEN: Final = "SELECT COUNT(*) FROM operations WHERE outcome IS NULL"
#: A recently seen workspace isn't read again, so without this, the first starts would do less work than later
#: ones.
_SEEN_LONG_AGO: Final = "UPDATE workspaces SET observed_at = observed_at - 3600"

Cell = tuple[int, int]


def name_cell(cell: Cell) -> str:
    """Return the name of the figure for a number of processes and a delay."""
    return f"network_{cell[0]}_{cell[1]}"


async def measure_network(sizes: Sizes) -> list[Figure]:
    """Measure a class with a delay of a millisecond each way, and bursts with and without this delay."""
    async with _lines(sizes, COMPARED, sizes.class_people) as lines:
        classes = {name: await line.play_class(sizes) for name, line in lines.items()}
        figures = [await _compare(lines, cell, sizes) for cell in COMPARED]
    before = classes.get(BEFORE)
    taken = classes[USHER]
    return [
        Figure("network_turned_away", len(taken.wrong), before=None if before is None else len(before.wrong)),
        Figure(
            "network_class_p99",
            quantile(sorted(taken.seconds), 0.99),
            before=None if before is None else quantile(sorted(before.seconds), 0.99),
        ),
        *figures,
    ]


async def measure_network_table(sizes: Sizes) -> list[Figure]:
    """Measure bursts with other numbers of processes and other delays."""
    async with _lines(sizes, TABLE, 0) as lines:
        return [await _compare(lines, cell, sizes) for cell in TABLE]


async def _compare(lines: dict[str, Line], cell: Cell, sizes: Sizes) -> Figure:
    bursts = {name: await line.burst(cell, sizes) for name, line in lines.items()}
    before = bursts.get(BEFORE)
    return Figure(
        name_cell(cell),
        bursts[USHER].rate,
        before=None if before is None else before.rate,
        note="; ".join(f"{name}: {burst}" for name, burst in bursts.items()),
    )


@dataclass(frozen=True, slots=True)
class Burst:
    """The starts accepted per second, and the CPU for each in ms, without that of the proxy.

    ``around`` is the CPU of the people who press, and of the local Slack and provider.
    """

    rate: float
    usher: float
    postgres: float
    around: float

    def __str__(self) -> str:
        return (
            f"{self.rate:.1f} a second, {self.usher:.1f} ms of CPU for each, "
            f"{self.postgres:.1f} ms of PostgreSQL, {self.around:.1f} ms around them"
        )


@dataclass
class Line:
    """One revision's database and code, and the people who haven't started anything yet."""

    scene: Stage
    home: Path
    commands: Iterator[tuple[str, str]]
    proxy: Path

    async def play_class(self, sizes: Sizes) -> Outcome:
        """Let a class start its workspaces within a minute, with a delay of a millisecond each way."""
        async with self._installation((2, 1_000)) as bots:
            webs = bots[:2]
            each = -(-sizes.class_people // len(webs))
            rate = sizes.class_people / sizes.class_seconds / len(webs)
            outcomes = await asyncio.gather(
                *(press_steadily(web.target, islice(self.commands, each), rate, _is_taken) for web in webs)
            )
            await self._wait_until_over(sizes)
        whole = _merge(outcomes)
        note(f"class, {self.home.name}: {len(whole.wrong)} of {len(whole.seconds)} turned away")
        return whole

    async def burst(self, cell: Cell, sizes: Sizes) -> Burst:
        """Request each start as soon as an earlier one has been answered, and measure the rate."""
        async with self._installation(cell) as bots:
            webs = bots[: cell[0]]
            each, share = sizes.network_starts // len(webs), max(_CONNECTIONS // len(webs), 1)
            # Each connection to PostgreSQL prepares a statement when it executes it for the fifth time. That
            # is done before the measurement, as in an installation that has been running for some time.
            for web in webs:
                await press(web.target, islice(self.commands, sizes.network_warm_up), share, _is_taken)
            await self._wait_until_over(sizes)
            before = self._used(bots)
            outcomes = await asyncio.gather(
                *(press(web.target, islice(self.commands, each), share, _is_taken) for web in webs)
            )
            spent = [now - then for now, then in zip(self._used(bots), before, strict=True)]
            await self._wait_until_over(sizes)
        whole = _merge(outcomes)
        accepted = len(whole.seconds) - len(whole.wrong)
        burst = Burst(accepted / whole.took, *(1_000 * seconds / max(accepted, 1) for seconds in spent))
        note(f"{name_cell(cell)}, {self.home.name}: {burst}, {len(whole.wrong)} turned away")
        return burst

    def _used(self, bots: Sequence[Bot]) -> tuple[float, float, float]:
        """Return the CPU seconds of Usher's processes, of PostgreSQL, and of the other processes."""
        assert self.scene.server is not None, "it is shared"
        around = (self.scene.slack.pid, self.scene.saturn.pid, os.getpid())
        return (
            sum(cpu_seconds(bot.pid) for bot in bots),
            self.scene.server.cpu_seconds(),
            sum(map(cpu_seconds, around)),
        )

    @asynccontextmanager
    async def _installation(self, cell: Cell) -> AsyncIterator[list[Bot]]:
        """Run as many web processes as workers, which reach PostgreSQL through the delaying proxy.

        Yield the web processes first.
        """
        count, delay = cell
        assert self.scene.server is not None, "it is shared"
        place = urlsplit(self.scene.server.url)
        socket = f"{parse_qs(place.query)['host'][0]}/.s.PGSQL.5432"
        with _delayed(self.proxy, socket, delay) as port:
            url = f"postgresql://postgres@127.0.0.1:{port}{place.path}"
            scene = replace(self.scene, place=replace(self.scene.place, database_url=url))
            async with AsyncExitStack() as stack:
                roles = ["web"] * count + ["worker"] * count
                bots = [
                    await stack.enter_async_context(scene.bot(role=role, home=self.home)) for role in roles
                ]
                yield bots

    async def _wait_until_over(self, sizes: Sizes) -> None:
        """Wait until all work is done, so that it doesn't disturb the next measurement."""
        assert self.scene.server is not None, "it is shared"
        until = time.monotonic() + sizes.patience
        with closing(psycopg.connect(self.scene.server.url, autocommit=True)) as connection:
            while (row := connection.execute(_OPEN).fetchone()) and row[0]:
                if time.monotonic() > until:
                    raise BenchmarkError(f"{row[0]} starts haven't ended")
                await asyncio.sleep(0.5)


def _is_taken(body: bytes) -> bool:
    return TAKEN in body


def _merge(outcomes: Sequence[Outcome]) -> Outcome:
    whole = Outcome(took=max(one.took for one in outcomes))
    for one in outcomes:
        whole.seconds += one.seconds
        whole.wrong += one.wrong
    return whole


@asynccontextmanager
async def _lines(sizes: Sizes, cells: Sequence[Cell], more: int) -> AsyncIterator[dict[str, Line]]:
    """Start the servers to be measured, with a separate person for every start."""
    people = more + 1 + sum(sizes.network_starts + sizes.network_warm_up * count for count, _ in cells)
    crowd = Crowd(people, 1)
    async with AsyncExitStack() as stack:
        proxy = _built(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        scene = await stack.enter_async_context(stage(crowd, saturn=READY, shared=True))
        lines = {}
        for name in variants(sizes):
            folder = home(sizes, name)
            commands = iter([(crowd.user(one), f"start {crowd.workspace(0)}") for one in range(people)])
            place = await scene.beside(f"network_{name.lower()}", folder)
            assert place.server is not None, "it is shared"
            with closing(psycopg.connect(place.server.url, autocommit=True)) as connection:
                connection.execute(_SEEN_LONG_AGO)
                # Otherwise, the server does this by itself during one of the measurements.
                connection.execute("VACUUM ANALYZE")
            lines[name] = Line(place, folder, commands, proxy)
        yield lines


def _built(folder: Path) -> Path:
    """Compile the proxy in a folder, and return its path."""
    if (compiler := shutil.which("cc")) is None:
        raise BenchmarkError("there is no C compiler: install cc")
    proxy = folder / "delay_proxy"
    subprocess.run([compiler, "-O2", "-o", str(proxy), str(_SOURCE)], check=True)  # noqa: S603 - our own
    return proxy


@contextmanager
def _delayed(proxy: Path, socket: str, microseconds: int) -> Iterator[int]:
    """Forward a port to a server's socket with this delay; yield the port."""
    words = [str(proxy), socket, str(microseconds)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - our own
        assert running.stdout is not None, "it is a pipe"
        try:
            yield int(running.stdout.readline())
        finally:
            running.terminate()
