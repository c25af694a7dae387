"""A day, a week and two weeks: how many messages are left, how often they changed, what isn't true.

They talk to the real bot, in this process, by signed requests of the local Slack; time is moved, so no figure
depends on the machine. All is counted from the conversation, as a person sees it: nothing here knows how
messages are kept. Every button that stands there in the evening is pressed, each in a copy of the world.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import structlog

from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from tests.rigs.fortnight import play_fortnight
from tests.rigs.scenario.conversation import WATCHED, Conversation
from tests.rigs.scenario.day import ACTS as DAY
from tests.rigs.scenario.people import BOT, GENERAL
from tests.rigs.scenario.workbench import SEED, WorkbenchWorld, workbench_world

Play = Callable[[Path], Awaitable[Conversation]]

#: What is counted of each.
COUNTED: Final = ("messages", "edits", "grey_edits", "grey", "untrue", "twice")
#: The database is in memory: a copy of the process has one of its own.
IN_MEMORY: Final[Mapping[str, str]] = MappingProxyType({"USHER_DATABASE_URL": "sqlite:///:memory:"})
#: How many seconds pass after each act of the day.
_AFTER, _STEP = 90.0, 3.0
#: The steps in which the rest of the week passes, once nobody watches what becomes of an act.
_REST = 60.0
#: A course of two lessons: its teacher posts the card, and the person joins once.
COURSE: Final = "card notebook@saturn --title Statistics --hours tue,thu 13:00-14:00"
#: By day, the first of which is a Monday, and time: 16 starts, 14 stops, 4 runs, 6 others, and a failure.
WEEK: Final = (
    (0, "8:30", BOT, "start notebook"),
    (0, "9:10", BOT, "start training for 2h"),
    (0, "9:20", BOT, "make that 3h"),
    (0, "12:40", BOT, "stop notebook"),
    (0, "13:05", BOT, "start report"),
    (0, "14:00", BOT, "/job run wb --cluster Local -- Rscript Test.R"),
    (0, "15:00", GENERAL, "start notebook"),
    (0, "17:30", BOT, "stop report"),
    (0, "17:31", BOT, "stop notebook"),
    (1, "8:40", BOT, "start report"),
    (1, "9:15", BOT, "start broken"),
    (1, "11:00", BOT, "stop report"),
    (1, "15:00", BOT, "start thesis"),
    (1, "15:30", BOT, "alias training model"),
    (1, "16:00", BOT, "start training"),
    (1, "17:45", BOT, "suspend thesis"),
    (1, "18:00", GENERAL, "stop training"),
    (2, "8:30", GENERAL, "start notebook"),
    (2, "8:35", GENERAL, "start report"),
    (2, "10:00", BOT, "stop notebook in 2 hours"),
    (2, "10:01", BOT, "undo"),
    (2, "12:00", BOT, "/job run wb --cluster Local -- Rscript Test.R"),
    (2, "15:00", BOT, "stop notebook"),
    (2, "15:20", BOT, "start training"),
    (2, "17:40", BOT, "stop training"),
    (2, "17:41", BOT, "stop report"),
    (3, "8:50", BOT, "start report"),
    (3, "9:00", BOT, "notify report off"),
    (3, "10:30", BOT, "/job run wb --cluster Local -- Rscript Test.R"),
    (3, "15:00", BOT, "start training"),
    (3, "16:00", BOT, "restart report"),
    (3, "17:30", GENERAL, "stop training"),
    (3, "17:35", BOT, "stop report"),
    (4, "8:30", BOT, "start notebook"),
    (4, "9:00", BOT, "start training for 1h"),
    (4, "9:30", BOT, "keep training"),
    (4, "11:00", BOT, "/job run wb --cluster Local -- Rscript Test.R"),
    (4, "13:00", BOT, "stop training"),
    (4, "14:00", BOT, "start report"),
    (4, "17:30", BOT, "stop notebook"),
    (4, "17:32", BOT, "stop report"),
)
#: Nobody is reminded of sessions that somebody has left running.
_ONE_SESSION: Final = {**SEED, "sessions": [one for one in SEED["sessions"] if one["name"] == "thesis"]}
_DAY, _EVENING = 86_400.0, 20 * 3_600.0


@asynccontextmanager
async def at_work(folder: Path, **options: Any) -> AsyncIterator[WorkbenchWorld]:
    """Bring up a world in which somebody has linked two accounts."""
    async with workbench_world(folder, settings=dict(IN_MEMORY), **options) as stage:
        await stage.alice.has_linked("alice")
        await stage.alice.has_linked("alice", "wb", is_named=False)
        await stage.pass_time(20)
        yield stage


async def play_day(folder: Path) -> Conversation:
    """Do one thing after the other, in each conversation."""
    async with at_work(folder) as stage:
        talk = Conversation(stage, stage.alice)
        for place, said in DAY:
            await talk.does(place, said)
            await stage.pass_time(_AFTER, step=_STEP)
        await talk.press_all()
        return talk


async def play_week(folder: Path) -> Conversation:
    """Work from Monday to Friday, with two lessons; nothing happens at the weekend."""
    async with at_work(folder, posit_seed=_ONE_SESSION) as stage:
        monday = _next_monday(stage.clock.now())
        await _let_time_pass(stage, monday)
        talk = Conversation(stage, stage.alice)
        await stage.carol.types(COURSE)
        await stage.pass_time(5)
        (card,) = [one for one in stage.alice.sees(GENERAL) if "Join" in one.labels]
        await stage.alice.presses(card, "Join")
        for day, acts in groupby(WEEK, key=itemgetter(0)):
            for _, at, place, said in acts:
                hour, minute = at.split(":")
                await _let_time_pass(stage, monday + day * _DAY + int(hour) * 3_600 + int(minute) * 60)
                await talk.does(place, said)
            # What stands there in the evening is what somebody finds.
            await _let_time_pass(stage, monday + day * _DAY + _EVENING)
            await talk.press_all()
        await _let_time_pass(stage, monday + 7 * _DAY)
        await talk.press_all()
        return talk


def _next_monday(now: float) -> float:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today.timestamp() + (7 - today.weekday()) * _DAY


async def _let_time_pass(stage: WorkbenchWorld, moment: float) -> None:
    """Let time pass, at first as somebody does who watches what they have asked for."""
    left = max(moment - stage.clock.now(), 0.0)
    await stage.pass_time(min(WATCHED, left), step=_STEP)
    await stage.pass_time(max(left - WATCHED, 0.0), step=_REST)


async def measure_day(_sizes: Sizes) -> list[Figure]:
    """Measure a day of 37 acts."""
    return await _measure_day("day", play_day)


async def measure_week(_sizes: Sizes) -> list[Figure]:
    """Measure a week with its lessons."""
    return await _measure_day("week", play_week)


async def measure_fortnight(_sizes: Sizes) -> list[Figure]:
    """Measure two weeks of eleven people: a busy one, a course, a waitlist, an admin."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="usher-fortnight-") as folder:
        played = await play_fortnight(Path(folder))
    for one in played.findings:
        note(f"fortnight: {one}")
    counts = [round(played.count_per_week(place), 1) for place in range(3)]
    names = ("messages", "notifications", "edits")
    return [
        *(Figure(f"fortnight_{name}", count) for name, count in zip(names, counts, strict=True)),
        Figure("fortnight_untrue", len(played.findings), note=f"{played.pressed} buttons"),
    ]


async def _measure_day(name: str, play: Play) -> list[Figure]:
    # Nobody reads what the bot and the servers round it log.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix=f"usher-{name}-") as folder:
        talk = await play(Path(folder))
    untrue, twice = talk.untrue(), talk.twice()
    for one in untrue:
        note(f"{name}: {one.said} [{one.labelled}] is answered with: {one.wrong}")
    for act, several in twice:
        note(f"{name}: {act.said} left {' and '.join(repr(one.read.splitlines()[0]) for one in several)}")
    return [
        Figure(
            f"{name}_messages", len(talk.at_rest()), note=f"after {len(talk.acts)} acts, {talk.posts} posted"
        ),
        Figure(
            f"{name}_edits",
            talk.edits + talk.deletions,
            note=f"{talk.edits} edits, {talk.deletions} deletions",
        ),
        Figure(f"{name}_grey_edits", talk.grey_edits),
        Figure(f"{name}_grey", len(talk.grey())),
        Figure(f"{name}_untrue", len(untrue), note=f"of {len(talk.pressed)} buttons"),
        Figure(f"{name}_twice", len(twice)),
    ]
