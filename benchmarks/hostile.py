"""What one hostile person can do to the others: they send what is dear to read, as fast as they can."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from itertools import cycle
from typing import Final

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import send
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, note, stage

#: Quotes, sentences, names, times, tokens, and too much: (command, beginning, what is repeated, length).
_TEXTS: Final = (
    ("/job", "run ", '"a ', 5_900),
    ("/job", "run -- ", "'a ", 39_000),
    ("/workspace", "", "a. ", 1_900),
    ("/workspace", "", "a.", 39_000),
    ("/workspace", "stop ", "notebook-000,", 1_900),
    ("/workspace", "is ", "notebook-001 and ", 1_900),
    ("/workspace", "keep notebook-000 ", "another 1 hour ", 1_900),
    ("/workspace", "keep notebook-000 ", "until 1 ", 1_900),
    ("/workspace", "open ", "https://a.b/c ", 1_900),
    ("/workspace", "", "0123456789abcdef" * 2 + " ", 1_900),
    ("/workspace", "start ", "a:b-c/d", 1_900),
)
#: How often a single text is sent to see what it costs.
_EACH: Final = 20


async def measure_hostile(sizes: Sizes) -> list[Figure]:
    """Have many people work: first alone, then beside one whom no limit per person holds up."""
    crowd = Crowd(sizes.hostile_people, sizes.hostile_workspaces)
    async with stage(crowd) as scene:
        seen = scene.folder / "stops.json"
        watched = ["benchmarks.stops", str(seen)]
        async with scene.bot(program=watched) as bot:
            await send(bot.target.url, _work(bot, crowd, crowd.people), sizes.hostile_connections)
            os.kill(bot.pid, signal.SIGUSR1)
            cost, dearest = max([await _cost(bot, text) for text in _TEXTS])
            alone = await send(
                bot.target.url, _work(bot, crowd, sizes.hostile_acks), sizes.hostile_connections
            )
            is_over = asyncio.Event()
            attack = asyncio.create_task(send(bot.target.url, _attack(bot, is_over), 1))
            try:
                beside = await send(
                    bot.target.url, _work(bot, crowd, sizes.hostile_acks), sizes.hostile_connections
                )
            finally:
                is_over.set()
            attacks = await attack
            os.kill(bot.pid, signal.SIGUSR2)
            while not seen.exists():
                bot.child.must_live()
                await asyncio.sleep(0.05)
        stops = json.loads(seen.read_text(encoding="utf-8"))
    wrong = [*alone.wrong, *beside.wrong, *attacks.wrong]
    if wrong:
        raise BenchmarkError(f"{len(wrong)} wrong answers, such as {wrong[0]}")
    for seconds, place in stops:
        note(f"the loop stood still for {seconds * 1e3:.0f} ms in {place}")
    late, early = quantile(beside.seconds, 0.99), quantile(alone.seconds, 0.99)
    note(f"99 % of acks within {early:.3f} s alone, {late:.3f} s beside {len(attacks.seconds)} hostile texts")
    longest, where = stops[0] if stops else (0.0, "")
    return [
        Figure("hostile_ack_p99", late),
        Figure("hostile_text_cpu", cost, note=dearest),
        Figure("loop_stop_longest", longest * 1e3, note=where),
    ]


async def measure_searches(sizes: Sizes) -> list[Figure]:
    """Have people ask for help, first alone, then beside one who types letters into a menu without end."""
    crowd = Crowd(sizes.hostile_people, sizes.searched)
    async with stage(crowd) as scene, scene.bot() as bot:
        url, at_once = bot.target.url, sizes.hostile_connections
        alone = await send(url, _helps(bot, crowd, sizes.hostile_acks), at_once)
        is_over = asyncio.Event()
        attack = asyncio.create_task(send(url, _searches(bot, is_over), sizes.searching))
        try:
            beside = await send(url, _helps(bot, crowd, sizes.hostile_acks), at_once)
        finally:
            is_over.set()
        searches = await attack
    wrong = [*alone.wrong, *beside.wrong, *searches.wrong]
    if wrong:
        raise BenchmarkError(f"{len(wrong)} wrong answers, such as {wrong[0]}")
    late, early = quantile(beside.seconds, 0.99), quantile(alone.seconds, 0.99)
    note(f"99 % of helps within {early:.3f} s alone, {late:.3f} s beside {len(searches.seconds)} searches")
    return [Figure("searches_ack_p99", late)]


def _helps(bot: Bot, crowd: Crowd, count: int) -> Iterator[bytes]:
    for number in range(count):
        yield bot.target.request(crowd.user(1 + number % (crowd.people - 1)), "help", number)


def _searches(bot: Bot, is_over: asyncio.Event) -> Iterator[bytes]:
    number = 0
    while not is_over.is_set():
        # Like many names, and none.
        yield bot.target.search(Crowd.user(0), f"notebok-{number}")
        number += 1


def _work(bot: Bot, crowd: Crowd, count: int) -> Iterator[bytes]:
    """Return what everybody but the first person types, in turn."""
    for number in range(count):
        person, turn = 1 + number % (crowd.people - 1), number // (crowd.people - 1)
        name = crowd.workspace(turn % crowd.each)
        text = ("list", f"status {name}", "help", f"start {name}")[turn % 4]
        yield bot.target.request(crowd.user(person), text, number)


def _attack(bot: Bot, is_over: asyncio.Event) -> Iterator[bytes]:
    for number, text in enumerate(cycle(_TEXTS)):
        if is_over.is_set():
            return
        yield _request(bot, text, number)


def _request(bot: Bot, text: tuple[str, str, str, int], number: int) -> bytes:
    command, begin, part, length = text
    whole = (begin + part * (length // len(part) + 1))[:length]
    return bot.target.request(Crowd.user(0), whole, number, command)


async def _cost(bot: Bot, text: tuple[str, str, str, int]) -> tuple[float, str]:
    """Return the CPU of one such text, in ms, and what it is."""
    before = cpu_seconds(bot.pid)
    outcome = await send(bot.target.url, (_request(bot, text, number) for number in range(_EACH)), 1)
    if outcome.wrong:
        raise BenchmarkError(f"a wrong answer: {outcome.wrong[0]}")
    command, begin, part, length = text
    return (cpu_seconds(bot.pid) - before) / _EACH * 1e3, f"{command} {begin}{part.strip()} …, {length}"
