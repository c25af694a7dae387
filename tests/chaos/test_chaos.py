"""Half a minute of kills, throttling and failures: nothing lost, nothing doubled, every rule kept."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_half_a_minute_of_chaos_breaks_no_promise():
    words = ["--seconds", "30", "--wishes", "120", "--people", "40", "--settle", "240"]
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
    assert process.returncode == 0, (told, complained.decode())
    assert told["holds"]
    assert (told["lost"], told["doubled"], told["leaks"], told["dead"]) == (0, 0, 0, 0)
    assert told["acknowledged"] == 120
    assert told["kills"] >= 5
    assert told["smallest_gap_s"] >= 10.0
    assert told["most_starts_per_wish"] == 1
    assert sum(told["outcomes"].values()) == told["wishes"]
