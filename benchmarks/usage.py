"""A benchmark of ``usage`` with many people: one person's year, and an export of everybody's month."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError, memory_mb
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.people import Principal
from bot.domain.time_parsing.days import make_window
from bot.domain.usage import UsageFacts
from bot.messages.blocks.kit import Markup
from bot.messages.blocks.usage import answer_usage
from bot.store import open_store, usage
from bot.support.clock import SystemClock, SystemIds
from playground.processes import HOME
from tests.app.command_line import environment

YEAR: Final = make_window(date(2025, 11, 1), date(2026, 10, 31), ZoneInfo("UTC"))
NOVEMBER: Final = ("--from", "2026-11-01", "--to", "2026-12-01")
#: The number of lives (periods of running) in a year of a person who uses four workspaces every day.
LIVES_OF_YEAR: Final = 1_464
#: Inserts lives (periods of running) for a number of people, at equal intervals from a given time on.
_FILL: Final = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count)
INSERT INTO lives (
    id, kind, subject, principal, connection, workspace_id, name, size, template,
    began_earliest, began_latest, began_known, ended_earliest, ended_latest, ended_known, last_seen_at,
    price, currency
)
SELECT 'life_' || :mark || n, 'workspace', :mark || (n % :workspaces), :mark || (n % :people), 'saturn',
    'ws_' || (n % :workspaces), 'notebook-' || (n % :workspaces), 'large', 'course', :begin + n * :apart,
    :begin + n * :apart + 60.0, 'asked', :begin + n * :apart + 7200.0, :begin + n * :apart + 7260.0, 'asked',
    :begin + n * :apart + 7200.0, '0.21', 'USD' FROM numbers
"""


async def measure_usage(sizes: Sizes) -> list[Figure]:
    """Measure the CPU for a person's year, and the memory and time of an export."""
    with tempfile.TemporaryDirectory(prefix="usher-usage-") as folder:
        file = Path(folder) / "usher.db"
        store = await open_store(f"sqlite:///{file}", SystemClock(), SystemIds())
        await store.migrate()
        await store.close()
        _fill(file, sizes)
        cpu = await _measure_year(file, sizes.usage_rounds)
        little, _, _ = await _export(Path(folder), ("--from", "2000-01-01", "--to", "2000-01-02"))
        most, seconds, lines = await _export(Path(folder), NOVEMBER)
    if lines != sizes.usage_lives + 1:
        raise BenchmarkError(f"the export has {lines} lines for {sizes.usage_lives} lives")
    note(f"usage: an empty export takes {little:.1f} MB, that of {sizes.usage_lives} lives {most:.1f} MB")
    return [
        Figure("usage_year_cpu", cpu),
        Figure("usage_export_memory", most - little),
        Figure("usage_export_time", seconds),
    ]


def _fill(file: Path, sizes: Sizes) -> None:
    """Insert everybody's usage in November, and one person's usage of a whole year."""
    begin, count = datetime(2026, 11, 1, tzinfo=UTC).timestamp(), sizes.usage_lives
    every = {"mark": "-:T1:U", "count": count, "people": sizes.usage_people, "workspaces": sizes.usage_people}
    one = {"mark": "-:T1:UALICE", "count": LIVES_OF_YEAR, "people": 1, "workspaces": 4}
    with sqlite3.connect(file) as database:
        database.execute(_FILL, {**every, "begin": begin, "apart": 29 * 86_400.0 / count})
        database.execute(_FILL, {**one, "begin": YEAR.since, "apart": 364 * 86_400.0 / LIVES_OF_YEAR})
    database.close()


async def _measure_year(file: Path, rounds: int) -> float:
    """Return the CPU time, in ms, that it takes to answer for one person's year (the median)."""
    store = await open_store(f"sqlite:///{file}", SystemClock(), SystemIds())
    now, took = YEAR.until, list[float]()
    for _ in range(rounds):
        began = time.process_time()
        person = Principal.from_key("-:T1:UALICE0")
        found = await store.read(usage.read_usage, person, YEAR.since, YEAR.until)
        facts = UsageFacts(now=now, connection="", connection_title="", window=YEAR, usage=found)
        answer_usage(facts, Markup("/workspace "), has_picture_elsewhere=True)
        took.append((time.process_time() - began) * 1000)
        if found.total.lives != LIVES_OF_YEAR:
            raise BenchmarkError(f"{found.total.lives} lives of {LIVES_OF_YEAR} were found")
    await store.close()
    return median(took)


async def _export(folder: Path, window: tuple[str, ...]) -> tuple[float, float, int]:
    """Run an export; return the peak of its memory in MB, its seconds, and the number of lines it wrote."""
    began, most, lines = time.perf_counter(), 0.0, 0
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "usage", *window),
        cwd=folder,
        env={**environment(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    while piece := await process.stdout.read(1 << 20):
        lines += piece.count(b"\n")
        most = max(most, memory_mb(process.pid) if process.returncode is None else 0.0)
    if await process.wait():
        raise BenchmarkError("the export broke off")
    return most, time.perf_counter() - began, lines
