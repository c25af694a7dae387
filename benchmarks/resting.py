"""A benchmark of what Usher costs when there is no work: its start-up, and an idle process."""

from __future__ import annotations

import asyncio
import time
from statistics import median

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.machine import cpu_seconds, memory_mb
from benchmarks.sizes import Sizes
from benchmarks.stage import note, stage
from bot.domain.workspaces import State


async def measure_startup(sizes: Sizes) -> list[Figure]:
    """Measure how long a process with many open operations takes until ``/readyz`` answers 200."""
    crowd = Crowd(sizes.people, sizes.open_operations // sizes.people)
    took = []
    scene_of = stage(crowd, state=State.STARTING, pending=True, saturn=["--status", "pending"])
    async with scene_of as scene:
        for _ in range(sizes.start_ups):
            async with scene.bot() as bot:
                took.append(bot.took)
    note(f"start-ups: {[round(each, 2) for each in took]} s")
    return [Figure("startup", median(took))]


async def measure_idle(sizes: Sizes) -> list[Figure]:
    """Measure an idle minute with many linked people."""
    async with stage(Crowd(sizes.linked)) as scene, scene.bot() as bot:
        await asyncio.sleep(sizes.idle_settle)
        began, used = time.perf_counter(), cpu_seconds(bot.pid)
        await asyncio.sleep(sizes.idle_seconds)
        used, took = cpu_seconds(bot.pid) - used, time.perf_counter() - began
        bot.child.must_live()
        return [Figure("idle_cpu", used / took * 100.0), Figure("idle_memory", memory_mb(bot.pid))]
