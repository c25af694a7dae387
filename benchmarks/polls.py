"""What polling costs and whether it keeps its pace: many pending workspaces in one process, for a minute."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, replace

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError, busier, cores, cpu_seconds, memory_mb, running
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, forget, note, noted, stage
from benchmarks.turns import BEFORE, USHER, home, in_turn, least, variants
from bot.domain.workspaces import State

#: As many as the bot has under way in this run, about.
_AT_ONCE = 16
_LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class _Watched:
    """Hold what was seen of a bot for a while: µs of each poll, gaps, polls a second, and MB."""

    cost: float
    smallest: float
    p99: float
    rate: float
    memory: float
    wrong: str


async def measure_polls(sizes: Sizes) -> list[Figure]:
    """Measure cost, gaps, rate and memory, in turn with the bare loop against the same server."""
    crowd = Crowd(sizes.people, sizes.pending // sizes.people)
    saturn = ["--status", "pending", "--waste", str(sizes.waste)]
    scene_of = stage(crowd, state=State.STARTING, pending=True, saturn=saturn)
    seen: dict[str, list[_Watched]] = defaultdict(list)
    async with scene_of as scene:
        places = {name: scene.beside(name) for name in variants(sizes)}
        bare = [await _bare(scene, sizes)]
        for number in range(sizes.pieces):
            for name in in_turn([*places], number):
                async with places[name].bot(home=home(sizes, name)) as bot:
                    seen[name].append(await _watched(scene, bot, sizes))
                bare.append(await _bare(scene, sizes))
    costs = least("poll", {name: [one.cost for one in each] for name, each in seen.items()})
    found = seen[USHER]
    wrong = ", ".join(one.wrong for one in found if one.wrong)
    figures = [
        Figure("poll_cpu", costs[USHER], min(bare), before=costs.get(BEFORE)),
        Figure("gap_min", min(one.smallest for one in found)),
        Figure("gap_p99", max(one.p99 for one in found)),
        Figure("poll_rate", min(one.rate for one in found)),
        Figure("poll_memory", max(one.memory for one in found)),
    ]
    return [replace(figure, sound=not wrong, note=wrong) for figure in figures]


async def _watched(scene: Stage, bot: Bot, sizes: Sizes) -> _Watched:
    await asyncio.sleep(sizes.settle_seconds)
    await forget(scene.saturn)
    # The bare loop reads one workspace all the time.
    early = (await noted(scene.saturn))["violations"]
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
    polls, violations, refused = told["polls"], told["violations"] - early, told["refused"]
    note(
        f"{polls} polls in {took:.1f} s, {used / took:.2f} cores and {peer / took:.2f} of the provider, "
        f"{refused} refused"
    )
    broken = f"{violations} reads too early, {refused} refused" if violations or refused else ""
    wrong = [one for one in (broken, busier(used, {"the provider": peer})) if one]
    return _Watched(used / polls * 1e6, told["smallest"], told["p99"], polls / took, memory, ", ".join(wrong))


async def _bare(scene: Stage, sizes: Sizes) -> float:
    """Return the bare loop's CPU per poll, in µs."""
    crowd = scene.crowd
    url = f"{scene.saturn.url}/api/workspaces/{crowd.remote_id(0, 0)}"
    words = ["benchmarks.bare_poll", url, crowd.token(0), str(_AT_ONCE)]
    async with running("bare_poll", words, scene.folder, cores()[0]) as child:
        await asyncio.sleep(1.0)
        before, used = (await noted(scene.saturn))["polls"], cpu_seconds(child.pid)
        polls, now = 0, used
        until = time.perf_counter() + 60.0
        while polls < sizes.baseline_polls and time.perf_counter() < until:
            await asyncio.sleep(0.5)
            child.must_live()
            polls = (await noted(scene.saturn))["polls"] - before
            now = cpu_seconds(child.pid)
        cost = (now - used) / polls * 1e6
    note(f"bare loop: {polls} polls, {cost:.0f} µs each")
    return cost
