"""A benchmark of requests: ``/workspace help`` compared with a bare Bolt app, and a forged request."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import repeat
from statistics import median
from urllib.parse import urljoin

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.load import Outcome, ask, press
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, note, stage
from benchmarks.turns import BARE, BEFORE, USHER, in_turn, least, servers, variants

#: Maximum number of requests per person. It is below ``MAX_BURST``, so nobody is told to wait.
_EACH = 20


def _helps(crowd: Crowd, count: int) -> Iterator[tuple[str, str]]:
    """Return ``help`` commands from everybody in turn."""
    return ((crowd.user(number % crowd.people), "help") for number in range(count))


async def _cost(
    server: Bot, commands: Iterator[tuple[str, str]], sizes: Sizes, expected: bytes
) -> tuple[float, Outcome]:
    """Return the server's CPU per request, in µs, and the outcome of the requests."""
    before = cpu_seconds(server.pid)
    outcome = await press(server.target, commands, sizes.connections, lambda body: expected in body)
    used = cpu_seconds(server.pid) - before
    server.child.must_live()
    if outcome.wrong:
        raise BenchmarkError(f"{len(outcome.wrong)} wrong answers, such as {outcome.wrong[0]}")
    return used / len(outcome.seconds) * 1e6, outcome


async def measure_help(sizes: Sizes) -> list[Figure]:
    """Measure ``/workspace help``."""
    people = max(sizes.people, -(-((sizes.ack_rounds + 1) * sizes.acks) // _EACH))
    costs: dict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(stage(Crowd(people)))
        running = await servers(stack, scene, sizes, *variants(sizes, BARE))
        for number in range(sizes.ack_rounds + 1):
            for name in in_turn([*running], number):
                expected = b"" if name == BARE else b"start"
                cost, _ = await _cost(running[name], _helps(scene.crowd, sizes.acks), sizes, expected)
                costs[name].append(cost)
    # The first round warms up.
    found = least("help", {name: each[1:] for name, each in costs.items()})
    return [Figure("ack_help_cpu", found[USHER], found[BARE], before=found.get(BEFORE))]


async def _measure_refusal(server: Bot, sizes: Sizes, path: str = "") -> float:
    """Return the server's CPU per refused request, in µs. Each request uses a new connection."""
    target = replace(server.target, url=urljoin(server.target.url, path))
    numbers = iter(range(sizes.unsigned))

    async def stranger() -> None:
        for number in numbers:
            status, _ = await ask(target.url, target.unsigned(number))
            if status != 401:
                raise BenchmarkError(f"a forged request was answered with {status}")

    before = cpu_seconds(server.pid)
    await asyncio.gather(*(stranger() for _ in repeat(0, sizes.strangers)))
    return (cpu_seconds(server.pid) - before) / sizes.unsigned * 1e6


async def measure_unsigned(sizes: Sizes) -> list[Figure]:
    """Measure requests that Slack didn't sign, compared with aiohttp alone, which reads and refuses them."""
    found, bare_found = [], []
    async with stage(Crowd(1)) as scene, scene.bot() as bot, scene.bare_bolt() as bare:
        for _ in range(sizes.runs + 1):
            found.append(await _measure_refusal(bot, sizes))
            bare_found.append(await _measure_refusal(bare, sizes, "/refused"))
    note(
        f"unsigned: {[round(cost) for cost in found]} µs, aiohttp: {[round(cost) for cost in bare_found]} µs"
    )
    # The first run is only a warm-up.
    return [Figure("unsigned_cpu", median(found[1:]), median(bare_found[1:]))]
