"""A real kill -9 at chosen calls of a start; the next process finishes what the killed one had begun."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys

import pytest

from benchmarks.chaos.crowd import Crowd
from benchmarks.chaos.keeper import HOME, Keeper, Member
from benchmarks.chaos.rows import unsettled
from benchmarks.chaos.stage import stage
from benchmarks.chaos.verdict import Verdict

#: Calls that idle loops make count too, so these lie about the claim, the card, the call, the reads, the end.
POINTS = [
    (8, "before"),
    (13, "after"),
    (21, "after"),
    (34, "before"),
    (55, "after"),
    (89, "before"),
    (144, "after"),
]


async def killed_at(folder, at, when):
    """Start a workspace with a process that dies at its N-th call, then with another; return its ends."""
    chance = random.Random(at)
    async with stage(folder, 1, chance) as made:
        log = folder / "usher.log"
        with log.open("ab") as sink:
            doomed = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.faults.killed_serve",
                str(at),
                when,
                cwd=HOME,
                env={**os.environ, **made.environment()},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        keeper = Keeper([Member(made.environment(), made.bot_url)], log, chance)
        crowd = Crowd(made, 1, 0.0, chance)
        people = asyncio.create_task(crowd.live())
        try:
            assert await doomed.wait() == -signal.SIGKILL, log.read_text()
            await keeper.start()
            await keeper.ready()
            await people
            while any(await asyncio.to_thread(unsettled, made.database)):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.3)
        finally:
            people.cancel()
            if doomed.returncode is None:
                doomed.kill()
            assert await keeper.stop()
        verdict = Verdict(made, crowd.acknowledged, log)
        assert await verdict.audit() == "whole"
        assert (verdict.lost(), verdict.doubled(), verdict.dead(), verdict.leaks()) == ([], [], [], [])
        assert verdict.truth.most_starts() <= 1
        gap = made.saturn.harness.smallest_gap
        assert gap is None or gap >= 10.0
        return [row["outcome"] for row in (*verdict.operations, *verdict.truth.runs)]


# Leases of the dead run out in real time: a minute, for all of them at once.
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_process_that_is_killed_at_some_call_leaves_nothing_undone(tmp_path):
    folders = [tmp_path / f"{at}-{when}" for at, when in POINTS]
    for folder in folders:
        folder.mkdir()
    async with asyncio.timeout(280):
        ends = await asyncio.gather(
            *(killed_at(folder, at, when) for folder, (at, when) in zip(folders, POINTS, strict=True))
        )
    assert all(ends)
