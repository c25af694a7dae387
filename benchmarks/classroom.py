"""A class: everybody presses the button of one card within a minute, and gets a workspace created for them.

Slack's rate limits are on, and the provider accepts only a certain number of starts per second.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import ask
from benchmarks.machine import BenchmarkError
from benchmarks.messages import out_of_order
from benchmarks.peers import CHANNEL
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, note, noted, stage

_LOOK_EVERY = 0.5
_CARD_SECONDS = 30.0
#: Seconds after which a person who got no answer presses again, as real people do.
_AGAIN = 1.0
_RECIPE = {"type": "workspace", "spec": {"name": "course", "instance_type": "medium"}}


@dataclass(slots=True)
class Class:
    """The setup, the running bot, and how long it took to acknowledge each press."""

    scene: Stage
    sizes: Sizes
    bot: Bot
    #: Additional web processes; presses are sent to each in turn.
    others: Sequence[Bot] = ()
    place: dict[str, str] = field(default_factory=dict)
    card: str = ""
    acks: list[float] = field(default_factory=list)
    again: int = 0

    async def post(self, command: str = "card saturn/course --title Class") -> None:
        """Post the card as a member of the class, and wait until it has appeared in the channel."""
        user = self.scene.crowd.user(0)
        target = self.bot.target
        await ask(target.url, target.request(user, command, 1))
        until = time.perf_counter() + _CARD_SECONDS
        while time.perf_counter() < until:
            posts = (await noted(self.scene.slack))["posts"]
            found = [key for _, channel, key in posts if channel == CHANNEL and "/class_card/" in key]
            if found:
                self.card = found[0].partition("/")[0]
                self.place = {
                    "channel": CHANNEL,
                    "ts": f"{time.time():.6f}",
                    "response_url": f"{self.scene.slack.url}/_answers",
                }
                return
            await asyncio.sleep(_LOOK_EVERY)
        raise BenchmarkError(f"the card was not posted: {self.bot.child.last_words()}")

    async def press(self, number: int, at: float) -> None:
        """Press the button as one person at the given moment, and again until there is an answer."""
        await asyncio.sleep(max(at - time.perf_counter(), 0.0))
        user = self.scene.crowd.user(number)
        while True:
            webs = (self.bot, *self.others)
            target = webs[number % len(webs)].target
            try:
                request = target.click(user, "class_press", self.card, self.place, number)
                status, seconds = await ask(target.url, request)
            except (OSError, TimeoutError):
                status, seconds = 0, 0.0
            if status == 200:
                self.acks.append(seconds)
                return
            self.again += 1
            await asyncio.sleep(_AGAIN)

    async def all_press(self) -> None:
        """Let everybody press the button at a random moment within the given time."""
        chance = random.Random(self.sizes.class_people)  # noqa: S311 - spreads presses, protects nothing
        began = time.perf_counter()
        moments = sorted(
            chance.uniform(0.0, self.sizes.class_seconds) for _ in range(self.scene.crowd.people)
        )
        await asyncio.gather(*(self.press(number, began + at) for number, at in enumerate(moments)))


async def measure_class(sizes: Sizes) -> list[Figure]:
    """Measure acknowledgements, how many people have exactly one workspace, and the last message's delay."""
    crowd = Crowd(sizes.class_people, 0)
    async with stage(crowd, limits=True) as scene:
        await _prepare(scene, sizes)
        async with scene.bot(_connection(scene, sizes)) as bot:
            room = Class(scene, sizes, bot)
            await room.post()
            await room.all_press()
            told = await _wait_until_notified(room)
    share, last, detail, sound = _judge_class(room, told)
    acks = quantile(room.acks, 0.99)
    note(f"p99 of {len(room.acks)} acks {acks * 1000:.0f} ms; {detail}")
    return [
        Figure("class_ack_p99", acks, sound=not room.again, note=detail),
        Figure("class_exactly_one", share, sound=sound, note=detail),
        Figure("class_limited_last", last, sound=sound, note=detail),
    ]


async def _prepare(scene: Stage, sizes: Sizes) -> None:
    (scene.folder / "course.json").write_text(json.dumps(_RECIPE), encoding="utf-8")
    (scene.folder / "course.json").chmod(0o600)
    limits = {"starts_per_second": sizes.class_starts, "unique_names": True}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{scene.saturn.url}/_playground/limits", json=limits) as answer,
    ):
        answer.raise_for_status()


def _connection(scene: Stage, sizes: Sizes) -> str:
    return (
        f"starts_per_second = {sizes.class_starts}\n[[connections.saturn.templates]]\n"
        f'name = "course"\nfile = {json.dumps(str(scene.folder / "course.json"))}\n'
    )


async def _wait_until_notified(room: Class) -> dict[str, Any]:
    """Wait until everybody has been told; return what both servers recorded."""
    until = time.perf_counter() + room.sizes.patience
    told: dict[str, Any] = {}
    while time.perf_counter() < until:
        room.bot.child.must_live()
        slack, saturn = await noted(room.scene.slack), await noted(room.scene.saturn)
        told = {"slack": slack, "saturn": saturn}
        users = {channel for _, channel, key in slack["posts"] if "/ready/" in key}
        if len(users) >= room.scene.crowd.people:
            break
        await asyncio.sleep(_LOOK_EVERY)
    # A duplicate message or workspace would appear soon after the first.
    await asyncio.sleep(2 * _LOOK_EVERY)
    slack, saturn = await noted(room.scene.slack), await noted(room.scene.saturn)
    return {"slack": slack, "saturn": saturn} if told else {}


def _judge_class(room: Class, told: dict[str, Any]) -> tuple[float, float, str, bool]:
    """Return the share of people with exactly one workspace, the last delay, details, and the verdict.

    Nobody may have overtaken another person, and the provider must not have refused any start.
    """
    crowd, saturn = room.scene.crowd, told["saturn"]
    made = Counter(saturn["made"].values())
    ids = {owner: remote_id for remote_id, owner in saturn["made"].items()}
    posts: dict[str, list[float]] = defaultdict(list)
    others: list[str] = []
    for at, channel, key in told["slack"]["posts"]:
        if "/ready/" in key:
            posts[channel].append(at)
        elif channel != CHANNEL:
            others.append(key)
    good = [
        number
        for number in range(crowd.people)
        if made[crowd.username(number)] == 1 and len(posts[crowd.user(number)]) == 1
    ]
    pairs = sorted(
        (float(saturn["ready_at"][ids[crowd.username(number)]]), posts[crowd.user(number)][0])
        for number in good
        if ids[crowd.username(number)] in saturn["ready_at"]
    )
    last = max((posted - at for at, posted in pairs), default=float("inf"))
    late, broken = out_of_order(pairs), saturn["violations"] + told["slack"]["limits_broken"]
    detail = (
        f"{len(good)} of {crowd.people} have one workspace and one message, other messages: {others}, "
        f"{late} out of order, {broken} rules broken, {saturn['refused_starts']} starts refused"
    )
    sound = not (broken or others or late or saturn["refused_starts"])
    return 100.0 * len(good) / crowd.people, last, detail, sound
