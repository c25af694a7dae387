"""A course: everybody joined its card, and their workspaces are ready when a lesson begins.

The provider takes so many starts a second, and the bot is killed while they are on their way.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import aiohttp

from benchmarks.classroom import Class
from benchmarks.crowd import TEAM, Crowd, Deployment
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, note, noted, stage
from bot.domain.people import Person, Principal
from bot.domain.time_parsing import clock
from bot.features.courses.lesson_starts import MIN_SECONDS_AHEAD, StartRate
from bot.store import open_store
from bot.support.clock import SystemClock, SystemIds

#: A start takes so long, and messages are waited for so long after the last.
_TAKES, _QUIET, _LOOK_EVERY = 20.0, 15.0, 1.0
#: Where the lesson begins about noon, whatever the hour is here, so that it ends on the same day.
_NOON = 12


async def measure_course(sizes: Sizes) -> list[Figure]:
    """Measure who is told at a lesson's begin that they are ready, each started once and in turn."""
    crowd = Crowd(sizes.course_people)
    times = ["--soonest", str(_TAKES), "--latest", str(_TAKES)]
    async with stage(crowd, limits=True, saturn=times) as scene:
        zone = await at_noon(crowd, scene.place)
        await _limit(scene, sizes)
        connection = f"starts_per_second = {sizes.course_starts}\n"
        # The first lesson's lead, as nothing was measured before; the class is in place by then.
        lead = StartRate(sizes.course_starts).get_seconds_ahead(crowd.people)
        ahead = (lead if sizes.is_full else 0.0) + sizes.course_joining
        begins = (time.time() + ahead) // 60 * 60 + 60
        async with scene.bot(connection) as bot:
            room = Class(scene, sizes, bot)
            await room.post(f"card notebook*@saturn --title Course --hours daily {hours_at(begins, zone)}")
            for number in range(crowd.people):
                await room.press(number, 0.0)
            note(f"{crowd.people} joined {begins - time.time():.0f} s before the lesson")
            await asyncio.sleep(begins - sizes.course_killed - time.time())
            bot.child.process.kill()
            await bot.child.process.wait()
        async with scene.bot(connection) as bot:
            room.bot = bot
            await _wait_until_notified(room, begins)
        slack, saturn = await noted(scene.slack), await noted(scene.saturn)
    return _judge_lesson(crowd, slack["posts"], saturn, begins, lead)


async def at_noon(crowd: Crowd, place: Deployment) -> int:
    """Let the teacher be in a zone in which it is about noon; return its hours from UTC."""
    east = _NOON - datetime.now(UTC).hour
    store = await open_store(place.database_url, SystemClock(), SystemIds())
    try:
        teacher, now = Principal(None, TEAM, crowd.user(0)), await store.now()
        zone = f"Etc/GMT{-east:+d}"
        await store.save_people([Person(teacher, crowd.username(0), time_zone=zone, seen_at=now)])
    finally:
        await store.close()
    return east


def hours_at(begins: float, east: int) -> str:
    """Return the hour that begins at a moment, so many hours east."""
    at = datetime.fromtimestamp(begins + 3600.0 * east, UTC)
    minute = at.hour * 60 + at.minute
    return f"{clock(minute)}-{clock(minute + 60)}"


async def _limit(scene: Stage, sizes: Sizes) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{scene.saturn.url}/_playground/limits", json={"starts_per_second": sizes.course_starts}
        ) as answer,
    ):
        answer.raise_for_status()


async def _wait_until_notified(room: Class, begins: float) -> None:
    """Wait until everybody was told after the begin, and a little longer for what comes twice."""
    until = begins + room.sizes.patience
    while time.time() < until:
        room.bot.child.must_live()
        posts = (await noted(room.scene.slack))["posts"]
        if len({who for _, who, key in posts if "/lesson/" in key}) >= room.scene.crowd.people:
            break
        await asyncio.sleep(_LOOK_EVERY)
    await asyncio.sleep(_QUIET if room.sizes.is_full else 1.0)


def _judge_lesson(
    crowd: Crowd, posts: list[tuple[float, str, str]], saturn: dict[str, Any], begins: float, lead: float
) -> list[Figure]:
    told = {who: at for at, who, key in posts if "/lesson/" in key}
    others = Counter(who for _, who, key in posts if "/lesson/" in key or "/ready/" in key)
    ready_at, starts = saturn["ready_at"], saturn["starts"]
    ids = [crowd.remote_id(number, 0) for number in range(crowd.people)]
    began = [ready_at[one] - _TAKES for one in ids if one in ready_at]
    ready = [
        number
        for number, one in enumerate(ids)
        # Who wasn't ready at the begin has a second message, once they are.
        if ready_at.get(one, begins + 1) <= begins
        and others[crowd.user(number)] == 1
        and crowd.user(number) in told
    ]
    early = sum(at < begins - max(lead, MIN_SECONDS_AHEAD) - 1.0 for at in began)
    overtaken = sum(later < earlier for earlier, later in pairwise(began))
    twice = sum(starts.get(one, 0) > 1 for one in ids) + sum(count > 1 for count in others.values())
    last = max(told.values(), default=float("inf")) - begins
    detail = (
        f"{len(ready)} of {crowd.people} told that they are ready, the last {last:.1f} s after the begin; "
        f"starts {begins - min(began, default=begins):.0f} to {begins - max(began, default=begins):.0f} s "
        f"before, {early} before the lead, {overtaken} overtaken, {twice} twice, "
        f"{saturn['refused_starts']} refused"
    )
    note(detail)
    sound = not (early or twice or overtaken) and min(told.values(), default=0.0) >= begins - 1.0
    return [
        Figure("course_ready", 100.0 * len(ready) / crowd.people, sound=sound, note=detail),
        Figure("course_last", last, sound=sound, note=detail),
    ]
