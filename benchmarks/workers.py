"""What workers on one database get through: real processes, a local provider, many pending workspaces."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, forget, note, noted, stage
from bot.domain.workspaces import State
from bot.store.queue import PATIENCE
from bot.store.transaction import Priority

#: A claim is given up after so many seconds.
_LONGEST = PATIENCE[Priority.STEADY]
_CLAIMS = re.compile(r'^usher_claim_seconds_bucket\{.*le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Used:
    """Hold the CPU seconds that everybody has used so far, and what was written."""

    workers: float
    database: float
    provider: float
    log_bytes: int
    commits: int
    at: float


async def measure_workers(sizes: Sizes) -> list[Figure]:
    """Measure reads a second, gaps, and the CPU of everybody for each read."""
    crowd = Crowd(sizes.people, sizes.workers_pending // sizes.people)
    scene_of = stage(crowd, state=State.STARTING, pending=True, saturn=["--status", "pending"], shared=True)
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(scene_of)
        assert scene.server is not None, "workers share one"
        await asyncio.to_thread(scene.server.spread_gates, sizes.claim_interval)
        bots = [await stack.enter_async_context(scene.bot(role="worker")) for _ in range(sizes.workers)]
        await asyncio.sleep(sizes.settle_seconds)
        await forget(scene.saturn)
        claims, before = await _claims(bots), await _used(scene, bots)
        await asyncio.sleep(sizes.watch_seconds)
        told, after = await noted(scene.saturn), await _used(scene, bots)
        claims = await _claims(bots) - claims
        for bot in bots:
            bot.child.must_live()
    if not told["gaps"]:
        raise BenchmarkError("nothing was read twice")
    reads, took = told["polls"], after.at - before.at
    cpu = [getattr(after, name) - getattr(before, name) for name in ("workers", "database", "provider")]
    log_bytes, commits = after.log_bytes - before.log_bytes, after.commits - before.commits
    cores = ", ".join(f"{seconds / took:.2f}" for seconds in cpu)
    each = ", ".join(f"{seconds / reads * 1e6:.0f}" for seconds in cpu)
    note(
        f"{reads} reads of {told['seen']} in {took:.1f} s, {reads / claims.total():.0f} to a claim; "
        f"workers, database, provider: {cores} cores, {each} µs for each read; "
        f"{log_bytes / reads:.0f} bytes of log for each; {commits / took:.0f} transactions a second"
    )
    sound = not told["violations"] and not told["refused"]
    detail = f"{sizes.workers} workers, {crowd.people * crowd.each} pending"
    detail += "" if sound else f"; {told['violations']} reads too early, {told['refused']} refused"
    return [
        Figure("workers_rate", told["rate"], sound=sound, note=detail),
        Figure("workers_gap_min", told["smallest"], sound=sound, note=detail),
        Figure("workers_gap_p99", told["p99"], sound=sound, note=detail),
        Figure("workers_claim_p99", 1000 * _within(claims, 0.99), sound=sound, note=detail),
        Figure("workers_database_cpu", 100 * cpu[1] / took, sound=sound, note=detail),
    ]


async def _claims(bots: list[Bot]) -> Counter[float]:
    """Return how many claims took up to how many seconds, as the workers count them."""
    counted: Counter[float] = Counter()
    async with aiohttp.ClientSession() as session:
        for bot in bots:
            async with session.get(f"http://127.0.0.1:{bot.port}/metrics") as answer:
                found = _CLAIMS.findall(await answer.text())
            before = 0
            for bound, count in found:
                counted[float(bound)] += int(float(count)) - before
                before = int(float(count))
    return counted


def _within(claims: Counter[float], share: float) -> float:
    """Return the bound within which this share of all claims was."""
    under = 0
    for bound in sorted(claims):
        under += claims[bound]
        if under >= share * claims.total():
            return min(bound, _LONGEST)
    raise BenchmarkError("nothing was claimed")


async def _used(scene: Stage, bots: list[Bot]) -> _Used:
    assert scene.server is not None, "workers share one"
    written = await asyncio.to_thread(scene.server.written)
    return _Used(
        sum(cpu_seconds(bot.pid) for bot in bots),
        scene.server.cpu_seconds(),
        cpu_seconds(scene.saturn.pid),
        written.log_bytes,
        written.commits,
        time.perf_counter(),
    )
