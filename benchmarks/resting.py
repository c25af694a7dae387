"""A benchmark of what Usher costs when there is no work: its start-up, and an idle process."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from statistics import median

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.machine import cpu_seconds, memory_mb
from benchmarks.sizes import Sizes
from benchmarks.stage import note, stage
from benchmarks.turns import BEFORE, USHER, home, in_turn, server, variants
from bot.domain.workspaces import State


async def measure_startup(sizes: Sizes) -> list[Figure]:
    """Measure how long a process with many open operations takes until ``/readyz`` answers 200."""
    crowd = Crowd(sizes.people, sizes.open_operations // sizes.people)
    took: dict[str, list[float]] = defaultdict(list)
    scene_of = stage(crowd, state=State.STARTING, pending=True, saturn=["--status", "pending"])
    async with scene_of as scene:
        places = {name: await scene.beside(name, home(sizes, name)) for name in variants(sizes)}
        for number in range(sizes.start_ups + 1):
            for name in in_turn([*places], number):
                async with server(places[name], sizes, name) as bot:
                    # In a fresh checkout, the first start-up also compiles the modules.
                    if number:
                        took[name].append(bot.took)
    for name, found in took.items():
        note(f"start-ups, {name}: {[round(each, 2) for each in found]} s")
    return [Figure("startup", median(took[USHER]), before=median(took[BEFORE]) if took[BEFORE] else None)]


async def measure_idle(sizes: Sizes) -> list[Figure]:
    """Measure an idle minute with many linked people."""
    async with stage(Crowd(sizes.linked)) as scene, scene.bot() as bot:
        await asyncio.sleep(sizes.idle_settle)
        began, used = time.perf_counter(), cpu_seconds(bot.pid)
        await asyncio.sleep(sizes.idle_seconds)
        used, took = cpu_seconds(bot.pid) - used, time.perf_counter() - began
        bot.child.must_live()
        return [Figure("idle_cpu", used / took * 100.0), Figure("idle_memory", memory_mb(bot.pid))]
