"""A benchmark of what half an hour of various requests, and all the work they cause, write to SQLite's log.

Time is simulated, so every run is the same. Another revision is measured with its own code and test rig.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from benchmarks.turns import BEFORE, USHER, home, variants

#: A program that plays the requests with the code in its folder, and prints the number of requests, bytes and
#: commits.
_PLAY: Final = """
import asyncio, json, sys, tempfile
from pathlib import Path
try:
    from bot.features.feature import load
except ImportError:  # A release after 0.4.
    from handlers.loading import load
load()
from bot.store.schema import write_heartbeat
from tests.rigs.scenario.cloud import cloud_world

ROUND = ("list", 10), ("start {}", 60), ("status {}", 30), ("/job run saturn {}", 60), (
    "hours {} weekdays 9:00-17:00", 60), ("status", 60), ("stop {}", 90)
PEOPLE = ("alice", "notebook", "nightly"), ("bob", "notebook", "retrain"), ("alice", "training", "failing")


async def play(minutes):
    with tempfile.TemporaryDirectory() as folder:
        async with cloud_world(Path(folder)) as made:
            for name in ("alice", "bob"):
                await getattr(made, name).has_linked(name)
            await made.pass_time(30)
            database = made.bot.store.engine._session.connection
            # Nothing is copied into the file, so the log has all that was written.
            for pragma in ("wal_checkpoint(TRUNCATE)", "wal_autocheckpoint = 0"):
                database.execute(f"PRAGMA {pragma}").fetchall()
            began, asked = made.clock.now(), 0
            while made.clock.now() - began < minutes * 60:
                name, workspace, job = PEOPLE[asked // len(ROUND) % len(PEOPLE)]
                said, pause = ROUND[asked % len(ROUND)]
                said = said.format(job if said.startswith("/job") else workspace)
                words = {"command": "/job"} if said.startswith("/job") else {}
                await getattr(made, name).types(said.removeprefix("/job "), **words)
                asked += 1
                for _ in range(max(pause // 30, 1)):
                    await made.pass_time(min(pause, 30))
                    await made.bot.store.perform(write_heartbeat)
            log = (Path(folder) / "usher.db-wal").read_bytes()
            frame = int.from_bytes(log[8:12], "big") + 24
            # The last page of a commit says how large the file is then.
            commits = sum(any(log[at + 4 : at + 8]) for at in range(32, len(log), frame))
            print(json.dumps({"asked": asked, "bytes": len(log), "commits": commits}))


asyncio.run(play(float(sys.argv[1])))
"""


async def measure_written(sizes: Sizes) -> list[Figure]:
    """Measure the bytes and commits per request."""
    found = {name: await _play(home(sizes, name), 38.0 if sizes.is_full else 1.0) for name in variants(sizes)}
    note(f"written: {found}")
    here, before = found[USHER], found.get(BEFORE)
    return [
        Figure(
            f"written_{what}",
            here[what] / here["asked"],
            before=None if before is None else before[what] / before["asked"],
        )
        for what in ("bytes", "commits")
    ]


async def _play(folder: Path, minutes: float) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PLAY, str(minutes)),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, error = await process.communicate()
    if process.returncode:
        raise BenchmarkError(f"the code in {folder} can't play it: {error.decode()[-2000:]}")
    counts: dict[str, int] = json.loads(said.splitlines()[-1])
    return counts
