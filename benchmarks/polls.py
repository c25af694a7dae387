"""What polling costs and whether it keeps its pace: many pending workspaces in one process, for a minute."""

from __future__ import annotations

import asyncio
import time

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError, cores, cpu_seconds, memory_mb, running
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, forget, note, noted, stage
from bot.domain.workspaces import State

#: As many as the bot has under way in this run, about.
_AT_ONCE = 16
_LOOK_EVERY = 1.0


async def measure_polls(sizes: Sizes) -> list[Figure]:
    """Measure cost, gaps, rate and memory, then the bare loop against the same server."""
    crowd = Crowd(sizes.people, sizes.pending // sizes.people)
    scene_of = stage(crowd, state=State.STARTING, pending=True, saturn=["--status", "pending"])
    async with scene_of as scene:
        async with scene.bot() as bot:
            await asyncio.sleep(sizes.settle_seconds)
            await forget(scene.saturn)
            began, used = time.perf_counter(), cpu_seconds(bot.pid)
            memory = 0.0
            while time.perf_counter() - began < sizes.watch_seconds:
                await asyncio.sleep(_LOOK_EVERY)
                memory = max(memory, memory_mb(bot.pid))
            used = cpu_seconds(bot.pid) - used
            took = time.perf_counter() - began
            told = await noted(scene.saturn)
            bot.child.must_live()
        if not told["gaps"]:
            raise BenchmarkError("nothing was read twice")
        note(f"{told['polls']} polls in {took:.1f} s, {used / took:.2f} cores, {told['refused']} refused")
        bare = await _bare(scene, sizes)
    sound = not told["violations"] and not told["refused"]
    detail = "" if sound else f"{told['violations']} reads too early, {told['refused']} refused"
    return [
        Figure("poll_cpu", used / told["polls"] * 1e6, bare, sound, detail),
        Figure("gap_min", told["smallest"], sound=sound, note=detail),
        Figure("gap_p99", told["p99"], sound=sound, note=detail),
        Figure("poll_rate", told["polls"] / took, sound=sound, note=detail),
        Figure("poll_memory", memory, sound=sound, note=detail),
    ]


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
