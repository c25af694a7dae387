"""What claiming costs where several processes share a database: each claims, and records what it claimed.

``python -m benchmarks.claims URL INTERVAL SETTLES WATCHED EVERY`` is one of these processes: it prints its
ready line, begins when it is sent a line, and prints what it saw. Nothing is read in between, as a provider
would only add its own time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from benchmarks.crowd import CONNECTION, Crowd, Place, settle
from benchmarks.figures import Figure, quantile
from benchmarks.postgres import SELDOM, Database, database
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.observed import Observed
from bot.domain.reads import ReadClaim, ReadResult
from bot.domain.workspaces import State
from bot.store import open_store
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds

#: The margin of the gate, and how many rows a claim asks for, as in the bot.
_MARGIN, _ROWS = 0.5, 100
#: A process claims again when so much of what a claim asks for is due.
_DUE = 0.95


@dataclass(frozen=True, slots=True)
class Claimed:
    """Hold what the processes saw of claims: seconds of each, gaps of each gate, and the CPU of everybody."""

    took: list[float]
    gaps: list[float]
    gates: int
    reads: int
    process_cpu: float
    database_cpu: float

    @property
    def rate(self) -> float:
        """Return the reads a second in the long run.

        What is counted within a time depends on where that begins and ends, as reads come in rounds.
        """
        return self.gates * len(self.gaps) / sum(self.gaps)

    def line(self) -> str:
        """Say in a line what isn't a figure."""
        took, each = [seconds * 1000 for seconds in self.took], 1e6 / self.reads
        return (
            f"{len(took)} claims of {self.reads / len(took):.0f}, {quantile(took, 0.5):.1f} ms in the "
            f"median, {max(took):.0f} ms at most; {each * self.process_cpu:.0f} µs of a process and "
            f"{each * self.database_cpu:.0f} µs of the database for each read"
        )


async def measure_claims(sizes: Sizes) -> list[Figure]:
    """Measure how long claims take, how many reads they make room for, the gaps, and the server's CPU."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="usher-benchmark-")))
        server = await asyncio.to_thread(stack.enter_context, database(folder))
        crowd = Crowd(sizes.people, sizes.pending // sizes.people)
        place = Place(server.url, Fernet.generate_key().decode(), "https://saturn.example.org")
        await settle(crowd, place, State.STARTING, pending=True)
        seconds = min(sizes.watch_seconds, 6 * (sizes.claim_interval + _MARGIN))
        seen = await claimed(server, sizes, sizes.claimers, seconds, sizes.pending)
    note(seen.line())
    return [
        Figure("claim_p99", 1000 * quantile(seen.took, 0.99)),
        Figure("claim_rate", seen.rate),
        Figure("claim_gap_min", min(seen.gaps)),
        Figure("claim_gap_p99", quantile(seen.gaps, 0.99)),
        Figure("claim_database_cpu", 100 * seen.database_cpu / seconds),
    ]


async def claimed(
    server: Database, sizes: Sizes, claimers: int, seconds: float, pending_count: int
) -> Claimed:
    """Let so many processes claim and record what is pending, and watch them for so long."""
    rows = min(_ROWS, pending_count / claimers / 2)
    every = _DUE * rows * claimers * (sizes.claim_interval + _MARGIN) / pending_count
    await asyncio.to_thread(server.spread_gates, sizes.claim_interval)
    note("claiming")
    workers = [await _worker(server.url, sizes, seconds, every) for _ in range(claimers)]
    for worker in workers:
        assert worker.stdin is not None, "it has one"
        worker.stdin.write(b"\n")
    await asyncio.sleep(sizes.settle_seconds)
    used = server.cpu_seconds()
    await asyncio.sleep(seconds)
    used = server.cpu_seconds() - used
    seen = [json.loads((await worker.communicate())[0].splitlines()[-1]) for worker in workers]
    by_gate: dict[str, list[float]] = defaultdict(list)
    for one in seen:
        for gate, times in one["granted"].items():
            by_gate[gate] += times
    # Gates that are read more seldom aren't what is pending.
    pending = {gate: sorted(times) for gate, times in by_gate.items() if len(times) > 1}
    return Claimed(
        [took for one in seen for took in one["took"]],
        [later - earlier for times in pending.values() for earlier, later in pairwise(times)],
        len(pending),
        sum(one["reads"] for one in seen),
        sum(one["cpu"] for one in seen),
        used,
    )


async def _worker(url: str, sizes: Sizes, seconds: float, every: float) -> asyncio.subprocess.Process:
    times = (str(some) for some in (sizes.claim_interval, sizes.settle_seconds, seconds, every))
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.claims", url, *times),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    assert worker.stdout is not None, "it has one"
    await worker.stdout.readline()
    return worker


async def _work(url: str, interval: float, settles: float, watched: float, every: float) -> None:
    store = await open_store(url, SystemClock(), SystemIds())
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - the ready line
    await asyncio.to_thread(sys.stdin.readline)
    seen: dict[str, Any] = {"took": [], "reads": 0, "granted": defaultdict(list)}
    began, used = time.monotonic(), 0.0
    records: set[asyncio.Task[bool]] = set()
    while (now := time.monotonic()) < began + settles + watched:
        claims = await store.claim_reads(CONNECTION, _ROWS, interval, _MARGIN)
        if now >= began + settles and claims:
            used = used or time.process_time()
            seen["took"].append(time.monotonic() - now)
            seen["reads"] += len(claims)
            for claim in claims:
                seen["granted"][claim.gate_key].append(claim.granted_at)
        if claims:
            record = asyncio.create_task(_record(store, claims, interval))
            records.add(record)
            record.add_done_callback(records.discard)
        if len(claims) < _ROWS:
            await asyncio.sleep(every)
    await asyncio.gather(*records)
    seen["cpu"] = time.process_time() - used
    await store.close()
    print(json.dumps(seen), flush=True)  # noqa: T201 - what it saw


async def _record(store: Store, claims: list[ReadClaim], interval: float) -> bool:
    return await store.record_reads(
        [
            ReadResult(
                claim.gate_key,
                claim.workspace_ids,
                Observed(claim.state),
                interval if claim.state is State.STARTING else SELDOM,
                granted_at=claim.granted_at,
                closed_for=claim.interval,
            )
            for claim in claims
        ]
    )


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], *map(float, sys.argv[2:6])))
