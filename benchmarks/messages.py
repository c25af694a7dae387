"""A benchmark of "is ready" messages: how long after a workspace is ready Slack accepts the message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.crowd import Crowd, Deployment
from benchmarks.figures import Figure, quantile
from benchmarks.load import press
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, note, noted, stage

#: The shortest time from the call that starts a workspace until it is ready, in seconds.
_SOONEST = 12.0
_LOOK_EVERY = 1.0
#: Workspaces that became ready within this many seconds, one round of polls, may be reported in any order.
_ROUND = 12.0


async def measure_ready(sizes: Sizes) -> list[Figure]:
    """Measure with Slack's limits off."""
    found = await delays_of_starts(sizes, sizes.ready, sizes.ready_spread, limits=False)
    median, last = quantile(found.delays, 0.5), quantile(found.delays, 0.99)
    return [
        Figure("ready_median", median, sound=found.is_sound, note=found.detail),
        Figure("ready_p99", last, sound=found.is_sound, note=found.detail),
    ]


@dataclass(frozen=True, slots=True)
class Delays:
    """The messages' delays, what went wrong, how often Slack's limits were exceeded, and Homes published."""

    delays: list[float]
    detail: str
    is_sound: bool
    limits_broken: int
    homes: int


async def _nothing(_crowd: Crowd, _place: Deployment) -> None:
    """Prepare nothing, so that delays count from when each workspace is ready."""


async def delays_of_starts(
    sizes: Sizes,
    people: int,
    spread: float,
    *,
    limits: bool,
    before: Callable[[Crowd, Deployment], Awaitable[float | None]] = _nothing,
    types: bool = True,
) -> Delays:
    """Let everybody start a workspace; return the delays of the messages, and what went wrong.

    ``before`` fills the database before the bot uses it. It may return the time from which delays count;
    otherwise each counts from when the workspace is ready. If people don't type commands (``types``),
    ``before`` also starts their workspaces.
    """
    crowd = Crowd(people)
    times = ["--soonest", str(_SOONEST), "--latest", str(_SOONEST + spread)]
    async with stage(crowd, limits=limits, saturn=times) as scene:
        since = await before(crowd, scene.place)
        found = await _of_crowd(sizes, crowd, spread, scene, since, types=types)
    return replace(found, is_sound=found.is_sound and not (limits and found.limits_broken))


async def _of_crowd(
    sizes: Sizes, crowd: Crowd, spread: float, scene: Stage, since: float | None, *, types: bool
) -> Delays:
    people = crowd.people
    async with scene.bot() as bot:
        commands = ((crowd.user(number), "start") for number in range(people if types else 0))
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
    delays = [posted - (at if since is None else since) for at, posted in pairs]
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
    return Delays(delays, detail, is_sound, slack["limits_broken"], slack["homes"])


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
