"""What a start, ``help`` and a read cost in instructions, without what a process runs at rest.

Other work on the machine changes nothing about them, so a few are enough. Clocks go on as ever, so a process
that is counted has little time for much: starts come in small bursts, or far enough apart to be alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Times
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import Final

from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.instructions import Counter, must_be_there, start_counted
from benchmarks.load import press
from benchmarks.machine import BenchmarkError, cores, running
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, Stage, forget, note, noted, stage
from benchmarks.starts import READY, TAKEN, not_done
from benchmarks.turns import BARE, BEFORE, MINIMUM, USHER, home, server, variants
from bot.domain.workspaces import State

MILLION: Final = 1e6
#: Quiet is a process in which so many seconds went by without work: each ran at most so many times what half
#: of them ran, or next to nothing. What is held back for a while makes no longer pauses.
_QUIET: Final = 10
_AT_REST, _NOTHING = 2.0, 0.5 * MILLION
_SLICE: Final = 1.0
#: So many seconds lie between two bursts, and between starts that are alone: no step of one meets another's.
_BURSTS_APART, _ALONE_APART = 3.0, 2.6
#: More would wait longer for the store than it lets anybody wait.
_CONNECTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Counted:
    """Hold what a process ran meanwhile, in instructions, and for how long, in seconds."""

    instructions: float
    seconds: float

    @property
    def rate(self) -> float:
        """Return the instructions in a second."""
        return self.instructions / self.seconds


def each(work: Counted, rest: float, number: int) -> float:
    """Return what one of so many cost, in millions, without what the process runs at rest in each second."""
    return (work.instructions - rest * work.seconds) / number / MILLION


def level(slices: list[float]) -> float:
    """Return what a process runs at rest in a second, where some of the seconds may hold work."""
    most = _highest(slices)
    quiet = [one for one in slices if one <= most]
    return sum(quiet) / len(quiet)


def is_quiet(slices: list[float]) -> bool:
    """Say whether none of these seconds holds work."""
    return max(slices) <= _highest(slices)


def _highest(slices: list[float]) -> float:
    return _AT_REST * median(slices) + _NOTHING


def more(few: tuple[Counted, int], many: tuple[Counted, int]) -> float:
    """Return what one more cost, in millions: of two counts as long as each other, the rest cancels out."""
    (shorter, fewer), (longer, greater) = few, many
    if greater <= fewer:
        raise BenchmarkError(f"there were {fewer} and {greater}")
    added = longer.instructions - shorter.rate * longer.seconds
    return added / (greater - fewer * longer.seconds / shorter.seconds) / MILLION


async def _while(counter: Counter, work: Awaitable[object]) -> Counted:
    before, began = await counter.read(), time.perf_counter()
    await work
    after = await counter.read()
    return Counted(after - before, time.perf_counter() - began)


def _copy_stage(scene: Stage, name: str) -> Stage:
    """Return a stage with a database of its own, whose processes are counted."""
    return replace(scene.beside(name), start=start_counted)


async def _slices(counter: Counter, number: int) -> list[float]:
    """Return what ran in each of so many seconds."""
    return [(await _while(counter, asyncio.sleep(_SLICE))).rate for _ in range(number)]


async def _until_quiet(counter: Counter, patience: float) -> None:
    """Wait until nothing is left to do, by what runs."""
    found, until = await _slices(counter, _QUIET), time.perf_counter() + patience
    while not is_quiet(found[-_QUIET:]):
        if time.perf_counter() > until:
            raise BenchmarkError("the process didn't become quiet in time")
        found += await _slices(counter, 1)


# -- starts ------------------------------------------------------------------------------------------------


async def measure_counted_start(sizes: Sizes) -> list[Figure]:
    """Count what a start takes to its end, in bursts and alone, beside the minimum."""
    must_be_there()
    names = variants(sizes, MINIMUM)
    wanted = len(names) * (sizes.counted_starts + sizes.counted_alone + sizes.counted_burst)
    crowd = Crowd(sizes.people, -(-wanted // sizes.people))
    pairs, found = crowd.pairs(), dict[str, tuple[float, float]]()
    async with stage(crowd, saturn=READY) as scene:
        for name in names:
            place = _copy_stage(scene, name)
            async with server(place, sizes, name) as bot:
                found[name] = await _Starts(sizes, place, bot, pairs).costs()
            note(f"{name}: {found[name][0]:.2f} M of instructions a start, {found[name][1]:.2f} M alone")
    (burst, alone), before = found[USHER], found.get(BEFORE, (None, None))
    least = f"the minimum takes {found[MINIMUM][1]:.3g} alone"
    return [
        Figure("start_instructions", burst, found[MINIMUM][0], before=before[0]),
        Figure("lone_start_instructions", alone, burst, before=before[1], note=least),
    ]


@dataclass(slots=True)
class _Starts:
    sizes: Sizes
    scene: Stage
    bot: Bot
    pairs: Iterator[tuple[int, int]]

    async def costs(self) -> tuple[float, float]:
        """Return the millions of instructions of a start in bursts, and of one that is alone."""
        sizes, counter = self.sizes, Counter(self.bot.child)
        await forget(self.scene.slack)
        # What is run for the first time is made quick by Python, and isn't counted.
        await self._starts(sizes.counted_burst, sizes.counted_burst, _BURSTS_APART)
        await counter.begin()
        rests, work = [await self._rest(counter)], []
        for number, at_once, apart in (
            (sizes.counted_starts, sizes.counted_burst, _BURSTS_APART),
            (sizes.counted_alone, 1, _ALONE_APART),
        ):
            work.append(await _while(counter, self._count_starts(counter, number, at_once, apart)))
            rests.append(await self._rest(counter))
        note(f"at rest: {[round(one / MILLION, 2) for one in rests]} M of instructions a second")
        await self._require_one_call_each(sizes.counted_burst + sizes.counted_starts + sizes.counted_alone)
        burst, alone = work
        return (
            each(burst, (rests[0] + rests[1]) / 2, sizes.counted_starts),
            each(alone, (rests[1] + rests[2]) / 2, sizes.counted_alone),
        )

    async def _rest(self, counter: Counter) -> float:
        await _until_quiet(counter, self.sizes.patience)
        return level(await _slices(counter, self.sizes.counted_rest))

    async def _count_starts(self, counter: Counter, number: int, at_once: int, apart: float) -> None:
        await self._starts(number, at_once, apart)
        await _until_quiet(counter, self.sizes.patience)

    async def _starts(self, number: int, at_once: int, apart: float) -> None:
        """Press so many, some at once, and wait until nothing is left to do."""
        crowd = self.scene.crowd
        commands = [
            (crowd.user(person), f"start {crowd.workspace(workspace)}")
            for person, workspace in islice(self.pairs, number)
        ]
        for first in range(0, number, at_once):
            if first:
                await asyncio.sleep(apart)
            some = commands[first : first + at_once]
            connections = min(_CONNECTIONS, len(some))
            outcome = await press(self.bot.target, iter(some), connections, lambda body: TAKEN in body)
            if outcome.wrong:
                raise BenchmarkError(f"{len(outcome.wrong)} wrong answers, such as {outcome.wrong[0]}")
        until = time.perf_counter() + self.sizes.patience
        while waiting := not_done(self.scene.folder / "data" / "usher.db"):
            if time.perf_counter() > until:
                raise BenchmarkError(f"{waiting} starts and messages weren't done in time")
            self.bot.child.must_live()
            await asyncio.sleep(_SLICE)

    async def _require_one_call_each(self, number: int) -> None:
        """Raise BenchmarkError unless each was called once, and each person told once."""
        calls = Times((await noted(self.scene.saturn))["starts"].values())
        sent = Times(key for _, _, key in (await noted(self.scene.slack))["posts"])
        wrong = wrongs(calls, sent, number)
        if wrong:
            raise BenchmarkError(wrong)


def wrongs(calls: Times[int], sent: Times[str], number: int) -> str:
    """Say what is wrong with so many starts: how often workspaces were called, and which messages came."""
    told = sum("/ready/" in key for key in sent)
    again = sum(count for times, count in calls.items() if times > 1)
    doubled = [key for key, times in sent.items() if times > 1]
    if again:
        return f"{again} workspaces were started more than once"
    if doubled:
        return f"{len(doubled)} messages came twice, such as {doubled[0]}"
    return "" if told == number else f"{told} of {number} people were told that their workspace is ready"


# -- help --------------------------------------------------------------------------------------------------


async def measure_counted_help(sizes: Sizes) -> list[Figure]:
    """Count what ``/workspace help`` takes, beside a bare Bolt app that only acknowledges."""
    must_be_there()
    found: dict[str, float] = {}
    async with stage(Crowd(sizes.people)) as scene:
        for name in variants(sizes, BARE):
            async with server(_copy_stage(scene, name), sizes, name) as bot:
                found[name] = await _help(bot, scene.crowd, sizes, b"" if name == BARE else b"start")
    note(f"help: { {name: round(cost, 3) for name, cost in found.items()} } M of instructions")
    return [Figure("help_instructions", found[USHER], found[BARE], before=found.get(BEFORE))]


async def _help(bot: Bot, crowd: Crowd, sizes: Sizes, expected: bytes) -> float:
    async def ask(number: int) -> None:
        commands = ((crowd.user(at % crowd.people), "help") for at in range(number))
        outcome = await press(bot.target, commands, _CONNECTIONS, lambda body: expected in body)
        bot.child.must_live()
        if outcome.wrong:
            raise BenchmarkError(f"{len(outcome.wrong)} wrong answers, such as {outcome.wrong[0]}")

    counter = Counter(bot.child)
    await ask(sizes.counted_helps)
    await counter.begin()
    await _until_quiet(counter, sizes.patience)
    rest = level(await _slices(counter, sizes.counted_rest))
    work = await _while(counter, ask(sizes.counted_helps))
    return each(work, rest, sizes.counted_helps)


# -- reads -------------------------------------------------------------------------------------------------


async def measure_counted_read(sizes: Sizes) -> list[Figure]:
    """Count what one more read takes, with its claim and its record, beside a bare loop."""
    must_be_there()
    found: dict[str, list[tuple[Counted, int]]] = {name: [] for name in variants(sizes)}
    bare = 0.0
    for pending in sizes.counted_pending:
        async with _reading(pending, sizes) as scene:
            for name, counts in found.items():
                place = _copy_stage(scene, name)
                async with place.bot(home=home(sizes, name)) as bot:
                    counts.append(await _reads(scene, Counter(bot.child), sizes.counted_watch))
                    bot.child.must_live()
            bare = bare or await _bare(scene, sizes)
    costs = {name: more(*counts) for name, counts in found.items()}
    note(f"read: { {name: round(cost, 3) for name, cost in costs.items()} } M of instructions")
    return [Figure("read_instructions", costs[USHER], bare, before=costs.get(BEFORE))]


@asynccontextmanager
async def _reading(pending: int, sizes: Sizes) -> AsyncIterator[Stage]:
    crowd = Crowd(min(sizes.people, pending), -(-pending // min(sizes.people, pending)))
    saturn = ["--status", "pending"]
    async with stage(crowd, state=State.STARTING, pending=True, saturn=saturn) as scene:
        yield scene


async def _reads(scene: Stage, counter: Counter, seconds: float) -> tuple[Counted, int]:
    """Return what ran in some rounds of reads, and how many there were."""
    await counter.begin()
    await asyncio.sleep(seconds / 2)
    before = (await noted(scene.saturn))["polls"]
    work = await _while(counter, asyncio.sleep(seconds))
    told = await noted(scene.saturn)
    if told["violations"] or told["refused"]:
        raise BenchmarkError(f"{told['violations']} reads too early, {told['refused']} refused")
    return work, told["polls"] - before


async def _bare(scene: Stage, sizes: Sizes) -> float:
    """Return the millions of instructions of a read by the bare loop."""
    crowd = scene.crowd
    url = f"{scene.saturn.url}/api/workspaces/{crowd.remote_id(0, 0)}"
    words = ["benchmarks.bare_poll", url, crowd.token(0), str(_CONNECTIONS)]
    async with running("bare_poll", words, scene.folder, cores()[0], start=start_counted) as child:
        counter = Counter(child)
        await counter.begin()
        await asyncio.sleep(_SLICE)
        before = (await noted(scene.saturn))["polls"]
        work = await _while(counter, asyncio.sleep(sizes.counted_rest))
        polls = int((await noted(scene.saturn))["polls"]) - before
        child.must_live()
    cost: float = work.instructions / polls / MILLION
    return cost
