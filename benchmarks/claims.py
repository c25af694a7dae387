"""What claiming costs where several processes share a database: each claims, and records what it claimed.

``python -m benchmarks.claims URL INTERVAL SETTLES WATCHED`` is one of these processes: it prints its ready
line, begins when it is sent a line, and prints what it saw. Nothing is read in between, as a provider would
only add its own time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from benchmarks.crowd import CONNECTION, Crowd, Place, settle
from benchmarks.figures import Figure, quantile
from benchmarks.postgres import database
from benchmarks.stage import note
from bot.domain.models import Observed, ReadClaim, ReadResult, State
from bot.store import open_store
from bot.support.clock import SystemClock, SystemIds

if TYPE_CHECKING:
    from benchmarks.sizes import Sizes
    from bot.store.store import Store

#: The margin of the gate, and how many rows a claim asks for, as in the bot.
_MARGIN, _ROWS = 0.5, 100
#: With four processes and 10,000 pending, about as many rows are due after this time as a claim asks for.
_EVERY = 0.4


async def measure_claims(sizes: Sizes) -> list[Figure]:
    """Measure how long claims take, how many reads they make room for, the gaps, and the server's CPU."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="usher-benchmark-")))
        server = await asyncio.to_thread(stack.enter_context, database(folder))
        crowd = Crowd(sizes.people, sizes.pending // sizes.people)
        place = Place(server.url, Fernet.generate_key().decode(), "https://saturn.example.org")
        await settle(crowd, place, State.STARTING, pending=True)
        note("claiming")
        workers = [await _worker(server.url, sizes) for _ in range(sizes.claimers)]
        for worker in workers:
            assert worker.stdin is not None, "it has one"
            worker.stdin.write(b"\n")
        await asyncio.sleep(sizes.settle_seconds)
        used = server.cpu_seconds()
        await asyncio.sleep(_watched(sizes))
        used = server.cpu_seconds() - used
        seen = [json.loads((await worker.communicate())[0].splitlines()[-1]) for worker in workers]
    took = [seconds * 1000 for one in seen for seconds in one["took"]]
    by_gate: dict[str, list[float]] = defaultdict(list)
    for one in seen:
        for gate, times in one["granted"].items():
            by_gate[gate] += times
    gaps = [later - earlier for times in by_gate.values() for earlier, later in pairwise(sorted(times))]
    reads = sum(one["reads"] for one in seen)
    note(f"{len(took)} claims, {reads / len(took):.0f} rows each, median {quantile(took, 0.5):.1f} ms")
    return [
        Figure("claim_p99", quantile(took, 0.99)),
        Figure("claim_rate", reads / _watched(sizes)),
        Figure("claim_gap_min", min(gaps)),
        Figure("claim_gap_p99", quantile(gaps, 0.99)),
        Figure("claim_database_cpu", 100 * used / _watched(sizes)),
    ]


def _watched(sizes: Sizes) -> float:
    """Return for how many seconds claims are timed: several rounds."""
    return min(sizes.watch_seconds, 6 * (sizes.claim_interval + _MARGIN))


async def _worker(url: str, sizes: Sizes) -> asyncio.subprocess.Process:
    seconds = (str(some) for some in (sizes.claim_interval, sizes.settle_seconds, _watched(sizes)))
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.claims", url, *seconds),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    assert worker.stdout is not None, "it has one"
    await worker.stdout.readline()
    return worker


async def _work(url: str, interval: float, settles: float, watched: float) -> None:
    store = await open_store(url, SystemClock(), SystemIds())
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - the ready line
    await asyncio.to_thread(sys.stdin.readline)
    seen: dict[str, Any] = {"took": [], "reads": 0, "granted": defaultdict(list)}
    began = time.monotonic()
    records: set[asyncio.Task[bool]] = set()
    while (now := time.monotonic()) < began + settles + watched:
        claims = await store.claim_reads(CONNECTION, _ROWS, interval, _MARGIN)
        if now >= began + settles:
            seen["took"].append(time.monotonic() - now)
            seen["reads"] += len(claims)
            for claim in claims:
                seen["granted"][claim.gate_key].append(claim.granted_at)
        if claims:
            record = asyncio.create_task(_record(store, claims, interval))
            records.add(record)
            record.add_done_callback(records.discard)
        if len(claims) < _ROWS:
            await asyncio.sleep(_EVERY)
    await asyncio.gather(*records)
    await store.close()
    print(json.dumps(seen), flush=True)  # noqa: T201 - what it saw


async def _record(store: Store, claims: list[ReadClaim], interval: float) -> bool:
    return await store.record_reads(
        [
            ReadResult(
                claim.gate_key,
                claim.workspace_ids,
                Observed(State.STARTING),
                interval,
                granted_at=claim.granted_at,
                closed_for=claim.interval,
            )
            for claim in claims
        ]
    )


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], *map(float, sys.argv[2:5])))
