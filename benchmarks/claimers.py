"""Several processes that share a database: each claims, and records what it claimed.

``python -m benchmarks.claimers URL INTERVAL SETTLES WATCHED EVERY`` is one of these processes: it prints its
ready line, begins when it is sent a line, and prints what it saw. Nothing is read in between, as a provider
would only add its own time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.crowd import CONNECTION
from benchmarks.figures import quantile
from benchmarks.postgres import SELDOM, Database
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.observations import Observed
from bot.domain.reads import ReadClaim, ReadResult
from bot.domain.workspaces import State
from bot.features.feature import load
from bot.store import gates, open_store
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds

#: The margin of the gate, and how many rows a claim asks for, as in the bot.
_MARGIN, _ROWS = 0.5, 100
#: A process claims again when so much of what a claim asks for is due.
_DUE = 0.95


@dataclass(frozen=True, slots=True)
class Claimed:
    """Hold the seconds of each claim, and of a ``SELECT 1`` after it, the reads and the CPU."""

    took: list[float]
    selects: list[float]
    reads: int
    process_cpu: float
    database_cpu: float

    def line(self) -> str:
        """Say in a line what isn't a figure."""
        took, each = [seconds * 1000 for seconds in self.took], 1e6 / self.reads
        return (
            f"{len(took)} claims of {self.reads / len(took):.0f}, {quantile(took, 0.5):.1f} ms in the "
            f"median, {max(took):.0f} ms at most; {each * self.process_cpu:.0f} µs of a process and "
            f"{each * self.database_cpu:.0f} µs of the database for each read"
        )


async def run_claimers(
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
    return Claimed(
        [took for one in seen for took in one["took"]],
        [took for one in seen for took in one["selects"]],
        sum(one["reads"] for one in seen),
        sum(one["cpu"] for one in seen),
        used,
    )


async def _worker(url: str, sizes: Sizes, seconds: float, every: float) -> asyncio.subprocess.Process:
    times = (str(some) for some in (sizes.claim_interval, sizes.settle_seconds, seconds, every))
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.claimers", url, *times),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    assert worker.stdout is not None, "it has one"
    await worker.stdout.readline()
    return worker


async def _work(url: str, interval: float, settles: float, watched: float, every: float) -> None:
    load()
    store = await open_store(url, SystemClock(), SystemIds())
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - the ready line
    await asyncio.to_thread(sys.stdin.readline)
    seen: dict[str, Any] = {"took": [], "selects": [], "reads": 0}
    began, used = time.monotonic(), 0.0
    records: set[asyncio.Task[None]] = set()
    while (now := time.monotonic()) < began + settles + watched:
        claims = await store.claim(gates.claim_reads, CONNECTION, _ROWS, interval, _MARGIN)
        if now >= began + settles and claims:
            used = used or time.process_time()
            seen["took"].append(time.monotonic() - now)
            seen["reads"] += len(claims)
            claimed_at = time.monotonic()
            await store.claim(lambda tx: tx.one("SELECT 1 AS one"))
            seen["selects"].append(time.monotonic() - claimed_at)
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


async def _record(store: Store, claims: list[ReadClaim], interval: float) -> None:
    await store.perform(
        gates.record_reads,
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
        ],
    )


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], *map(float, sys.argv[2:6])))
