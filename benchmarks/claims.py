"""A benchmark of how long claims take, with real workers on one database and many pending workspaces."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import aiohttp

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError, busier, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, forget, note, noted, stage
from benchmarks.turns import BEFORE, USHER, home, in_turn
from bot.domain.workspaces import State
from bot.store.database_thread import PATIENCE_SECONDS
from bot.store.transaction import Priority

#: Seconds after which a claim is given up.
_LONGEST = PATIENCE_SECONDS[Priority.STEADY]
_CLAIMS = re.compile(r'^usher_claim_seconds_bucket\{.*le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Used:
    """The CPU seconds that the workers, the database and the provider have used, and how much was written."""

    workers: float
    database: float
    provider: float
    log_bytes: int
    commits: int
    at: float


async def measure_claims(sizes: Sizes) -> list[Figure]:
    """Measure how long claims take, the reads per second, their gaps, and the CPU of the database."""
    crowd = Crowd(sizes.people, sizes.workers_pending // sizes.people)
    saturn = ["--status", "pending", "--waste", str(sizes.waste)]
    scene_of = stage(crowd, state=State.STARTING, pending=True, saturn=saturn, shared=True)
    seen: dict[str, list[_Seen]] = defaultdict(list)
    async with scene_of as scene:
        places = {USHER: scene}
        if sizes.against is not None:
            places[BEFORE] = await scene.beside(BEFORE, sizes.against)
        for number in range(sizes.pieces):
            for name in in_turn([*places], number):
                seen[name].append(await _run_workers(places[name], sizes, name))
    found, before = seen[USHER], seen[BEFORE]
    wrong = ", ".join(one.wrong for one in found if one.wrong)
    detail = f"{sizes.workers} workers, {crowd.people * crowd.each} pending" + (f"; {wrong}" if wrong else "")
    earlier = min((one.p99 for one in before), default=None)
    figures = [
        Figure("claim_p99", min(one.p99 for one in found), before=earlier),
        Figure("claim_rate", min(one.rate for one in found)),
        Figure("claim_gap_min", min(one.gap_min for one in found)),
        Figure("claim_gap_p99", max(one.gap_p99 for one in found)),
        Figure("claim_database_cpu", min(one.database_cpu for one in found)),
    ]
    return [replace(figure, sound=not wrong, note=detail) for figure in figures]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Results: milliseconds per claim, reads per second, gaps, and percent of a core for the database."""

    p99: float
    rate: float
    gap_min: float
    gap_p99: float
    database_cpu: float
    wrong: str


async def _run_workers(scene: Stage, sizes: Sizes, name: str) -> _Seen:
    """Let workers of one variant work for a while, and measure them."""
    assert scene.server is not None, "workers share one"
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(scene.server.spread_gates, sizes.claim_interval)
        bots = [
            await stack.enter_async_context(scene.bot(role="worker", home=home(sizes, name)))
            for _ in range(sizes.workers)
        ]
        await asyncio.sleep(sizes.settle_seconds)
        await forget(scene.saturn)
        claims, before = await _claims(bots), await _used(scene, bots)
        await asyncio.sleep(sizes.watch_seconds / sizes.pieces)
        told, after = await noted(scene.saturn), await _used(scene, bots)
        claims = await _claims(bots) - claims
        for bot in bots:
            bot.child.must_live()
    if not told["gaps"]:
        raise BenchmarkError("nothing was read twice")
    reads, took = told["polls"], after.at - before.at
    cpu = [getattr(after, who) - getattr(before, who) for who in ("workers", "database", "provider")]
    log_bytes, commits = after.log_bytes - before.log_bytes, after.commits - before.commits
    cores = ", ".join(f"{seconds / took:.2f}" for seconds in cpu)
    each = ", ".join(f"{seconds / reads * 1e6:.0f}" for seconds in cpu)
    p99 = 1000 * _find_bound(claims, 0.99)
    note(
        f"{name}: p99 of claims {p99:.0f} ms; {reads} reads of {told['seen']} in {took:.1f} s, "
        f"{reads / claims.total():.0f} to a claim; workers, database, provider: {cores} cores, {each} µs for "
        f"each; {log_bytes / reads:.0f} bytes of log for each; {commits / took:.0f} transactions a second"
    )
    violations, refused = told["violations"], told["refused"]
    broken = f"{violations} reads too early, {refused} refused" if violations or refused else ""
    # The database's CPU isn't checked, because it is part of what is measured.
    wrong = ", ".join(one for one in (broken, busier(cpu[0], {"the provider": cpu[2]})) if one)
    return _Seen(p99, told["rate"], told["smallest"], told["p99"], 100 * cpu[1] / took, wrong)


async def _claims(bots: list[Bot]) -> Counter[float]:
    """Return how many claims are in each bucket of the workers' histograms, by the bucket's upper bound."""
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


def _find_bound(claims: Counter[float], share: float) -> float:
    """Return the bound below which this share of all claims lies."""
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
