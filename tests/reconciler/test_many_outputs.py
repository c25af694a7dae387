"""The promised capacity: twenty streams of ten thousand lines at once, complete, in little memory."""

import hashlib
from pathlib import Path

import pytest

from tests.reconciler.runs import new_run_world

STREAMS, LINES, MAX_STREAMS = 20, 10_000, 100
MEMORY = 150_000_000

statm = Path("/proc/self/statm")


def resident() -> int:
    """Return the memory that this process uses, in bytes."""
    return int(statm.read_text(encoding="ascii").split()[1]) * 4096


def lines(run: int, begin: int) -> str:
    return "".join(
        f"run {run}: \x1b[32mstep {number}\x1b[0m loss=0.{number:05d} {'·' * 40}\n"
        for number in range(begin, begin + MAX_STREAMS)
    )


@pytest.mark.thorough
@pytest.mark.skipif(not statm.exists(), reason="memory is read from Linux's /proc")
async def test_twenty_streams_of_ten_thousand_lines():
    async with new_run_world() as runs:
        runs.cloud.job_takes = None
        for number in range(1, STREAMS + 1):
            await runs.runs(name=f"run {number}")
        for number in range(1, STREAMS + 1):
            runs.cloud.opens(f"run{number}")
        await runs.world.pass_time(30)
        idle = highest = resident()
        expected = [hashlib.sha256() for _ in range(STREAMS)]
        for begin in range(0, LINES, MAX_STREAMS):
            for number in range(1, STREAMS + 1):
                text = lines(number, begin)
                runs.cloud.writes(f"run{number}", text)
                expected[number - 1].update(text.replace("\x1b[32m", "").replace("\x1b[0m", "").encode())
            await runs.world.pass_time(1)
            highest = max(highest, resident())
        for number in range(1, STREAMS + 1):
            runs.cloud.ends(f"run{number}")
            runs.cloud.closes(f"run{number}")
        for _ in range(60):
            await runs.world.pass_time(5)
            highest = max(highest, resident())
            if len(runs.slack.shared()) == STREAMS:
                break
        # The measured memory includes what the stand-ins keep: all output written, and all files.
        assert highest - idle < MEMORY
        found = [hashlib.sha256(message["files"][0]["content"]) for message in runs.slack.shared()]
        assert sorted(each.digest() for each in found) == sorted(each.digest() for each in expected)
        assert runs.slack.over_budget == 0
