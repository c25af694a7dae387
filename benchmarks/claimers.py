"""Several processes that share a database. Each makes claims and records what it has claimed.

``python -m benchmarks.claimers URL INTERVAL SETTLES WATCHED EVERY`` is one of these processes: it prints that
it is ready, begins when it receives a line, and prints its results. No workspace is actually read, because
that would only add the provider's own time.
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
from benchmarks.postgres import SELDOM
from benchmarks.sizes import Sizes
from bot.domain.observations import Observed
from bot.domain.reads import ReadClaim, ReadResult
from bot.domain.workspaces import State
from bot.store import gates, open_store
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds
from handlers.loading import load

#: The margin of the poll gate in seconds, and the number of rows that a claim asks for. Both are the same as
#: in the bot.
_MARGIN, _ROWS = 0.5, 100


@dataclass(frozen=True, slots=True)
class Claimed:
    """The seconds of each claim and of a ``SELECT 1`` after it, the number of reads, and the CPU time."""

    took: list[float]
    selects: list[float]
    reads: int
    process_cpu: float
    database_cpu: float

    def line(self) -> str:
        """Describe in one line what isn't reported as a figure."""
        took, each = [seconds * 1000 for seconds in self.took], 1e6 / self.reads
        return (
            f"{len(took)} claims of {self.reads / len(took):.0f}, {quantile(took, 0.5):.1f} ms in the "
            f"median, {max(took):.0f} ms at most; {each * self.process_cpu:.0f} µs of a process and "
            f"{each * self.database_cpu:.0f} µs of the database for each read"
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
