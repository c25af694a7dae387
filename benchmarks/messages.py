"""A benchmark of "is ready" messages: how long after a workspace is ready Slack accepts the message."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import press
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import note, noted, stage

#: The shortest time, in seconds, from the call that starts a workspace until it is ready.
_SOONEST = 12.0
_LOOK_EVERY = 1.0
#: Workspaces that became ready within this many seconds, one round of polls, may be reported in any order.
_ROUND = 12.0


async def measure_ready(sizes: Sizes) -> list[Figure]:
    """Let everybody start a workspace, with Slack's limits off."""
    people, spread = sizes.ready, sizes.ready_spread
    crowd = Crowd(people)
    times = ["--soonest", str(_SOONEST), "--latest", str(_SOONEST + spread)]
    async with stage(crowd, saturn=times) as scene, scene.bot() as bot:
        commands = ((crowd.user(number), "start") for number in range(people))
        outcome = await press(bot.target, commands, sizes.connections)
        if outcome.wrong:
            raise BenchmarkError(f"a start was not taken: {outcome.wrong[0]}")
        until = time.perf_counter() + _SOONEST + spread + sizes.patience
        posts: dict[str, list[float]] = {}
        slack: dict[str, Any] = {}
        while len(posts) < people and time.perf_counter() < until:
            await asyncio.sleep(_LOOK_EVERY)
            bot.child.must_live()
            slack = await noted(scene.slack)
            posts = _by_person(slack["posts"])
        ready = (await noted(scene.saturn))["ready_at"]
    ready_at = {crowd.user(number): ready.get(crowd.remote_id(number, 0)) for number in range(people)}
    lost = [user for user in ready_at if user not in posts]
    doubled = [user for user, found in posts.items() if len(found) > 1]
    pairs = sorted((ready_at[user], found[0]) for user, found in posts.items())
    delays = [posted - at for at, posted in pairs]
    late = out_of_order(pairs)
    begins = [at for at, _ in pairs]
    spread_seen = max(begins, default=0.0) - min(begins, default=0.0)
    note(
        f"{len(posts)} of {people} told, ready within {spread_seen:.0f} s, "
        f"median {quantile(delays, 0.5):.2f} s, last {max(delays):.2f} s; "
        f"limits overstepped {slack['limits_broken']} times"
    )
    detail = f"{len(lost)} lost, {len(doubled)} doubled, {late} out of order"
    is_sound = not (lost or doubled or late)
    return [
        Figure("ready_median", quantile(delays, 0.5), sound=is_sound, note=detail),
        Figure("ready_p99", quantile(delays, 0.99), sound=is_sound, note=detail),
    ]


def _by_person(posts: list[list[Any]]) -> dict[str, list[float]]:
    """Return the times at which Slack accepted each person's message that their workspace is ready."""
    found: dict[str, list[float]] = {}
    for at, channel, key in posts:
        if "/ready/" in key:
            found.setdefault(channel, []).append(at)
    return found


def out_of_order(pairs: list[tuple[float, float]]) -> int:
    """Count messages that came after one whose workspace was ready a full round of polls later."""
    count = 0
    earliest_after = float("inf")
    later = list(reversed(pairs))
    position = 0
    for at, posted in later:
        while later[position][0] > at + _ROUND:
            earliest_after = min(earliest_after, later[position][1])
            position += 1
        count += posted > earliest_after
    return count
