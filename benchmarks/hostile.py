"""A benchmark of how much one hostile person can slow down others with text that is costly to parse."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, quantile
from benchmarks.load import send
from benchmarks.machine import BenchmarkError, cpu_seconds
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, note, stage

#: Costly messages of different kinds, each as (command, beginning, repeated part, length).
TEXTS: Final = (
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
#: Messages that are costly if a person has thousands of workspaces: the common beginning of their names,
#: parts of names, names with typing mistakes, and words for all or none of them.
NAMES: Final = (
    *("start notebook", "stop notebook", "stop note", "keep notebook until 6pm", "open notebok-0001"),
    *("start ebook", "stop all", "stop everything but notebook-0001", "list", "list notebook"),
    *("list ebook", "start", "stop running", "is notebook running?", "status notebook", "who's up?"),
    *("start all", "start every notebook", "start notebook at 6", "hours notebook"),
    *("please start it", "what's running?"),
)
#: How often each message is sent to measure its cost.
_EACH: Final = 20
_EACH_AMONG_MANY: Final = 3


async def measure_hostile(sizes: Sizes) -> list[Figure]:
    """Measure many people at work, first alone, and then next to one attacker without a rate limit."""
    crowd = Crowd(sizes.hostile_people, sizes.hostile_workspaces)
    async with stage(crowd) as scene:
        seen = scene.folder / "stops.json"
        watched = ["benchmarks.stops", str(seen)]
        async with scene.bot(program=watched) as bot:
            await send(bot.target.url, _work(bot, crowd, crowd.people), sizes.hostile_connections)
            os.kill(bot.pid, signal.SIGUSR1)
            cost, dearest = max([await _cost(bot, text) for text in TEXTS])
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
            stops = await _stops(bot, seen)
    for each in sizes.hostile_many:
        stops += await _among_many(each)
    wrong = [*alone.wrong, *beside.wrong, *attacks.wrong]
    if wrong:
        raise BenchmarkError(f"{len(wrong)} wrong answers, such as {wrong[0]}")
    for seconds, place in stops:
        note(f"the loop stood still for {seconds * 1e3:.0f} ms in {place}")
    late, early = quantile(beside.seconds, 0.99), quantile(alone.seconds, 0.99)
    note(f"99 % of acks within {early:.3f} s alone, {late:.3f} s beside {len(attacks.seconds)} hostile texts")
    if not stops:
        raise BenchmarkError("nothing was seen of what the loop runs")
    longest, where = max(stops)
    return [
        Figure("hostile_ack_p99", late),
        Figure("hostile_text_cpu", cost, note=dearest),
        Figure("loop_stop_longest", longest * 1e3, note=where),
    ]


async def _among_many(count: int) -> list[tuple[float, str]]:
    """Send each message as a person with this many similarly named workspaces.

    Return the event loop's stops.
    """
    found = []
    async with stage(Crowd(1, count)) as scene:
        seen = scene.folder / "stops.json"
        async with scene.bot(program=["benchmarks.stops", str(seen)]) as bot:
            await send(bot.target.url, iter([bot.target.request(Crowd.user(0), "list", 0)]), 1)
            for text in (*TEXTS, *(("/workspace", name, "", len(name)) for name in NAMES)):
                os.kill(bot.pid, signal.SIGUSR1)
                cost, what = await _cost(bot, text, _EACH_AMONG_MANY)
                stops = await _stops(bot, seen)
                longest, place = max(stops, default=(0.0, "nowhere"))
                note(f"{count} workspaces, {what}: {cost:.0f} ms, at most {longest * 1e3:.0f} ms, {place}")
                found += [(seconds, f"{place}, {count} workspaces, {what}") for seconds, place in stops]
    return found


async def _stops(bot: Bot, seen: Path) -> list[tuple[float, str]]:
    """Return where the event loop was blocked, and for how long, since the last SIGUSR1."""
    os.kill(bot.pid, signal.SIGUSR2)
    while (stops := _take_written(seen)) is None:
        bot.child.must_live()
        await asyncio.sleep(0.05)
    return stops


def _take_written(seen: Path) -> list[tuple[float, str]] | None:
    """Read and delete the file that the bot writes, or return None if it doesn't exist yet."""
    if not seen.exists():
        return None
    stops = json.loads(seen.read_text(encoding="utf-8"))
    seen.unlink()
    return [(seconds, place) for seconds, place in stops]


def _work(bot: Bot, crowd: Crowd, count: int) -> Iterator[bytes]:
    """Return requests in which everybody but the first person types commands in turn."""
    for number in range(count):
        person, turn = 1 + number % (crowd.people - 1), number // (crowd.people - 1)
        name = crowd.workspace(turn % crowd.each)
        text = ("list", f"status {name}", "help", f"start {name}")[turn % 4]
        yield bot.target.request(crowd.user(person), text, number)


def _attack(bot: Bot, is_over: asyncio.Event) -> Iterator[bytes]:
    for number, text in enumerate(cycle(TEXTS)):
        if is_over.is_set():
            return
        yield _request(bot, text, number)


def _request(bot: Bot, text: tuple[str, str, str, int], number: int) -> bytes:
    return bot.target.request(Crowd.user(0), whole(text), number, text[0])


def whole(text: tuple[str, str, str, int]) -> str:
    """Return one of the messages in full, as it is typed."""
    _, begin, part, length = text
    return (begin + part * length)[:length]


async def _cost(bot: Bot, text: tuple[str, str, str, int], times: int = _EACH) -> tuple[float, str]:
    """Return how much CPU such a message takes, in ms, and a description of the message."""
    before = cpu_seconds(bot.pid)
    outcome = await send(bot.target.url, (_request(bot, text, number) for number in range(times)), 1)
    if outcome.wrong:
        raise BenchmarkError(f"a wrong answer: {outcome.wrong[0]}")
    command, begin, part, length = text
    what = f"{command} {begin}{part.strip()} …, {length}" if part else f"{command} {begin}"
    return (cpu_seconds(bot.pid) - before) / times * 1e3, what
