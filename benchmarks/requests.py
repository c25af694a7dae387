"""What a request costs: ``/workspace help`` and the durable ``/workspace start``, against a bare Bolt app.

And one that isn't signed, against a bare aiohttp app.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, repeat
from statistics import median
from urllib.parse import urljoin

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import Outcome, ask, press
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note, stage

#: A person may ask for a little more than this at once before being told to wait.
_EACH = 20


def _helps(crowd: Crowd, count: int) -> Iterator[tuple[str, str]]:
    """Return help for everybody in turn."""
    return ((crowd.user(number % crowd.people), "help") for number in range(count))


def _starts(crowd: Crowd, pairs: Iterator[tuple[int, int]], count: int) -> Iterator[tuple[str, str]]:
    return (
        (crowd.user(person), f"start {crowd.workspace(workspace)}")
        for person, workspace in islice(pairs, count)
    )


async def _cost(
    server: Bot, commands: Iterator[tuple[str, str]], sizes: Sizes, expected: bytes
) -> tuple[float, Outcome]:
    """Return the server's CPU per request, in µs, and how the answers came."""
    before = cpu_seconds(server.pid)
    outcome = await press(server.target, commands, sizes.connections, lambda body: expected in body)
    used = cpu_seconds(server.pid) - before
    server.child.must_live()
    if outcome.wrong:
        raise BenchmarkError(f"{len(outcome.wrong)} wrong answers, such as {outcome.wrong[0]}")
    return used / len(outcome.seconds) * 1e6, outcome


async def _bare(scene: Stage, sizes: Sizes) -> list[float]:
    async with scene.bare_bolt() as bare:
        await _cost(bare, _helps(scene.crowd, sizes.warm_up), sizes, b"")
        costs = [
            (await _cost(bare, _helps(scene.crowd, sizes.acks), sizes, b""))[0] for _ in repeat(0, sizes.runs)
        ]
    note(f"bare Bolt: {[round(cost) for cost in costs]} µs")
    return costs


async def measure_help(sizes: Sizes) -> list[Figure]:
    """Measure ``/workspace help``."""
    people = max(sizes.people, -(-(sizes.runs * sizes.acks + sizes.warm_up) // _EACH))
    found, bare_found = [], []
    async with stage(Crowd(people)) as scene, scene.bot() as bot, scene.bare_bolt() as bare:
        await _cost(bot, _helps(scene.crowd, sizes.warm_up), sizes, b"start")
        await _cost(bare, _helps(scene.crowd, sizes.warm_up), sizes, b"")
        for _ in range(sizes.runs):
            # In turn, so that what else the machine does meets both.
            found.append((await _cost(bot, _helps(scene.crowd, sizes.acks), sizes, b"start"))[0])
            bare_found.append((await _cost(bare, _helps(scene.crowd, sizes.acks), sizes, b""))[0])
    note(f"help: {[round(cost) for cost in found]} µs, bare Bolt: {[round(cost) for cost in bare_found]} µs")
    return [Figure("ack_help_cpu", median(found), median(bare_found))]


async def _refused(server: Bot, sizes: Sizes, path: str = "") -> float:
    """Return the server's CPU per request that it refuses, in µs; each comes on a connection of its own."""
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
    """Measure requests that aren't signed by Slack, against aiohttp alone that reads and refuses them."""
    found, bare_found = [], []
    async with stage(Crowd(1)) as scene, scene.bot() as bot, scene.bare_bolt() as bare:
        for _ in range(sizes.runs + 1):
            found.append(await _refused(bot, sizes))
            bare_found.append(await _refused(bare, sizes, "/refused"))
    note(
        f"unsigned: {[round(cost) for cost in found]} µs, aiohttp: {[round(cost) for cost in bare_found]} µs"
    )
    # The first run only warms up.
    return [Figure("unsigned_cpu", median(found[1:]), median(bare_found[1:]))]


async def measure_start(sizes: Sizes) -> list[Figure]:
    """Measure ``/workspace start``: each a new operation, while the reconciler works on the last ones."""
    wanted = sizes.runs * sizes.starts + sizes.warm_up
    people = max(sizes.people, -(-wanted // _EACH))
    async with stage(Crowd(people, -(-wanted // people))) as scene:
        pairs = scene.crowd.pairs()
        # Before and after, and never beside the bot, which goes on working: the machine changes its pace.
        bare = await _bare(scene, sizes)
        async with scene.bot() as bot:
            await _cost(bot, _starts(scene.crowd, pairs, sizes.warm_up), sizes, b"Starting")
            found = [
                await _cost(bot, _starts(scene.crowd, pairs, sizes.starts), sizes, b"Starting")
                for _ in repeat(0, sizes.runs)
            ]
        late = [quantile(outcome.seconds, 0.99) for _, outcome in found]
        rates = [outcome.rate for _, outcome in found]
        costs = [cost for cost, _ in found]
        bare += await _bare(scene, sizes)
        note(f"start: {[round(cost) for cost in costs]} µs, {[round(rate) for rate in rates]} a second")
        return [
            Figure("start_cpu", median(costs), median(bare)),
            Figure("start_rate", median(rates)),
            Figure("start_p99", median(late)),
        ]
