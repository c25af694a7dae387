"""A few seconds of kills, moved clocks and failures: nothing lost, nothing doubled, nothing untrue."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_few_seconds_of_chaos_break_no_promise():
    words = ["--seconds", "10", "--operations", "40", "--people", "20", "--settle", "240", "--seed", "606"]
    # Late acts, long pauses and refused credentials take minutes to come to rest: `make chaos` has them.
    words += [word for mode in ("kills", "clock", "slack", "provider") for word in ("--only", mode)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.chaos",
        *words,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    told = json.loads(said)
    assert process.returncode == 0, f"{said.decode()}\n{complained.decode()}"
    assert told["holds"]
    assert (told["lost"], told["doubled"], told["leaks"], told["dead"]) == (0, 0, 0, 0)
    assert (told["unseen"], told["untrue"], told["unlinked"]) == (0, 0, 0)
    assert told["beyond_limits"] == 0
    assert told["acknowledged"] == 40
    assert told["kills"] >= 2
    assert told["smallest_gap_s"] is None or told["smallest_gap_s"] >= 10.0
    assert told["most_starts_per_operation"] == 1
    assert told["most_runs_per_request"] <= 1
    assert sum(told["outcomes"].values()) == told["operations"]
