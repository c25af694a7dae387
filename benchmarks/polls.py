"""A benchmark of what polling costs, and of its pace, with many pending workspaces in one process."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, replace

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError, busier, cpu_seconds, memory_mb
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, forget, note, noted, stage
from benchmarks.turns import BEFORE, USHER, home, in_turn, least, variants
from bot.domain.workspaces import State

_LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class _Watched:
    """Microseconds per poll in the bot and at the provider, gaps, polls per second, and memory in MB."""

    cost: float
    provider_cost: float
    smallest: float
    median: float
    p99: float
    rate: float
    memory: float
    wrong: str


async def measure_polls(sizes: Sizes) -> list[Figure]:
    """Measure cost, gaps, rate and memory; the baseline of the cost is that of the provider itself."""
    crowd = Crowd(sizes.people, sizes.pending // sizes.people)
    saturn = ["--status", "pending", "--waste", str(sizes.waste)]
    scene_of = stage(crowd, state=State.STARTING, pending=True, saturn=saturn)
    seen: dict[str, list[_Watched]] = defaultdict(list)
    async with scene_of as scene:
        places = {name: await scene.beside(name, home(sizes, name)) for name in variants(sizes)}
        for number in range(sizes.pieces):
            for name in in_turn([*places], number):
                async with places[name].bot(home=home(sizes, name)) as bot:
                    seen[name].append(await _watch_polls(scene, bot, sizes))
    costs = least("poll", {name: [one.cost for one in each] for name, each in seen.items()})
    found = seen[USHER]
    wrong = ", ".join(one.wrong for one in found if one.wrong)
    figures = [
        Figure("poll_cpu", costs[USHER], min(one.provider_cost for one in found), before=costs.get(BEFORE)),
        Figure("gap_min", min(one.smallest for one in found)),
        Figure("gap_median", max(one.median for one in found)),
        Figure("gap_p99", max(one.p99 for one in found)),
        Figure("poll_rate", min(one.rate for one in found)),
        Figure("poll_memory", max(one.memory for one in found)),
    ]
    return [replace(figure, sound=not wrong, note=wrong) for figure in figures]


async def _watch_polls(scene: Stage, bot: Bot, sizes: Sizes) -> _Watched:
    await asyncio.sleep(sizes.settle_seconds)
    await forget(scene.saturn)
    began, used, memory = time.perf_counter(), cpu_seconds(bot.pid), 0.0
    peer = cpu_seconds(scene.saturn.pid)
    while time.perf_counter() - began < sizes.watch_seconds / sizes.pieces:
        await asyncio.sleep(_LOOK_EVERY)
        memory = max(memory, memory_mb(bot.pid))
    used, peer = cpu_seconds(bot.pid) - used, cpu_seconds(scene.saturn.pid) - peer
    took = time.perf_counter() - began
    told = await noted(scene.saturn)
    bot.child.must_live()
    if not told["gaps"]:
        raise BenchmarkError("nothing was read twice")
    if told["seen"] < sizes.pending:
        raise BenchmarkError(f"only {told['seen']} of {sizes.pending} workspaces were read again")
    polls, violations, refused = told["polls"], told["violations"], told["refused"]
    note(
        f"{polls} polls in {took:.1f} s, {used / took:.2f} cores and {peer / took:.2f} of the provider, "
        f"{refused} refused"
    )
    broken = f"{violations} reads too early, {refused} refused" if violations or refused else ""
    wrong = [one for one in (broken, busier(used, {"the provider": peer})) if one]
    gaps = told["smallest"], told["median"], told["p99"]
    each = used / polls * 1e6, peer / polls * 1e6
    return _Watched(*each, *gaps, told["rate"], memory, ", ".join(wrong))
