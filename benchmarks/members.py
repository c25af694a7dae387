"""A course of as many as a card takes: its teacher skips a lesson, takes days away and ends it.

Meanwhile others type. On SQLite in one process, and on PostgreSQL with a web and a worker.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.classroom import Class
from benchmarks.course import at_noon, hours_at
from benchmarks.crowd import TEAM, Crowd, Deployment, settle
from benchmarks.figures import Figure, quantile
from benchmarks.homes import KEY, context
from benchmarks.load import ask, shown
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, note, stage
from bot.domain.notices import NewNotice
from bot.domain.people import Principal
from bot.domain.workspaces import State, Workspace
from bot.features.courses import lesson_store, timetable
from bot.features.courses import store as class_rows
from bot.features.courses import use_cases as courses_use_cases
from bot.features.courses.model import ClassCard, ClassKind, CourseRule
from bot.features.courses.tables import PARTICIPANTS
from bot.messages.blocks.notices import render
from bot.services.caller import Caller
from bot.services.message_context import Gatherer
from bot.store import notices, open_store
from bot.store.store import Store
from bot.store.tables import WORKSPACES
from bot.store.transaction import Transaction
from bot.support.clock import SystemClock, SystemIds
from bot.support.http import Http

#: Somebody else asks for help so often, and it is looked so often who has followed, in seconds.
_TYPES_EVERY, _LOOKS_EVERY = 0.1, 0.5
#: Others type alone for so long first.
_ALONE = 5.0
#: The lesson begins so much later, long enough before anything of it is started.
_AHEAD = 6 * 3600.0
_TOGETHER = 100
#: The days that are left when a change takes the others from everybody.
_LEFT = "mon,tue,wed,thu,fri"
_EVERY = "SELECT * FROM workspaces ORDER BY id"
_TEACHER = Principal(None, TEAM, Crowd.user(0))


@dataclass(slots=True)
class _Seen:
    """Hold how long each help, each decision and its members took, in seconds, and how many were refused."""

    helps: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    followed: list[float] = field(default_factory=list)
    refused: int = 0


async def measure_members(sizes: Sizes) -> list[Figure]:
    """Measure until what is decided about a course is taken, until all follow, and how long others wait."""
    return await _measure_change(sizes, "", shared=False)


async def measure_message(sizes: Sizes) -> list[Figure]:
    """Measure the CPU of gathering and drawing what each member is told at the end of a class, in ms."""
    crowd = Crowd(sizes.members)
    with tempfile.TemporaryDirectory() as folder:
        place = Deployment(f"sqlite:///{Path(folder) / 'usher.db'}", KEY, "https://cloud.example.org")
        await settle(crowd, place, State.RUNNING)
        store = await open_store(place.database_url, SystemClock(), SystemIds())
        async with Http.new_session() as session:
            caller = Caller(context(store, place, Http(session, time.monotonic)), _TEACHER, "post", "R")
            try:
                card = await caller.run(
                    courses_use_cases.post, ClassCard(_TEACHER, "C1", place.connection, "Class")
                )
                every = await _press(store, card)
                await caller.run(courses_use_cases.CLASS_WORK.carry_out, card)
                took = await _measure_rendering(caller, card, every[: sizes.home_draws])
            finally:
                await store.close()
    return [Figure("members_message", took * 1e3, note="" if sizes.is_full else "toy")]


async def _press(store: Store, card: ClassCard) -> Sequence[Workspace]:
    """Let everybody have pressed a card of no course."""
    every = [WORKSPACES.parse(row) for row in await store.engine.read(lambda tx: tx.all(_EVERY))]

    def write(tx: Transaction, first: int) -> None:
        pressed = {"joined_at": tx.now(), "consented_at": tx.now()}
        for one in every[first : first + _TOGETHER]:
            PARTICIPANTS.add(tx, card_id=card.id, principal=one.principal, workspace_id=one.id, **pressed)

    for first in range(0, len(every), _TOGETHER):
        await store.engine.write(partial(write, first=first))
    return every


async def _measure_rendering(caller: Caller, card: ClassCard, told: Sequence[Workspace]) -> float:
    """Return the CPU of a message, in seconds."""
    store, gatherer = caller.context.store, Gatherer(caller.context)
    kind = ClassKind.CLASS_STOP_WARNING
    ends = [NewNotice(card.id, kind, one.id, one.principal, {"workspace": one.id}) for one in told]
    await store.write(notices.add_notices, ends)
    found = [one for one in await store.perform(notices.claim_notices, len(told), 60.0) if one.kind is kind]
    began = time.process_time()
    for one in found:
        render(one.kind, await gatherer.describe_pending(one))
    return (time.process_time() - began) / len(found)


async def measure_members_shared(sizes: Sizes) -> list[Figure]:
    """Measure the same on PostgreSQL."""
    return await _measure_change(sizes, "_shared", shared=True)


async def _measure_change(sizes: Sizes, name: str, *, shared: bool) -> list[Figure]:
    crowd, seen = Crowd(sizes.members), _Seen()
    async with stage(crowd, shared=shared) as scene:
        zone = await at_noon(crowd, scene.place)
        times = hours_at(_lesson(), zone)
        async with _bots(scene, sizes) as room:
            await room.post(f"card notebook*@saturn --title Course --hours daily {times}")
            place = room.place
        async with _store(scene) as store:
            (card,) = await store.read(class_rows.list_courses)
            await _join(store, card)
        async with _bots(scene, sizes) as room, _store(scene) as store:
            room.place = place
            is_over = asyncio.Event()
            typing = asyncio.create_task(_type(room, seen, is_over))
            await asyncio.sleep(_ALONE)
            alone, seen.helps = seen.helps, []
            for order in ("skip tomorrow", f"hours {_LEFT} {times}", "end"):
                await _decide(room, store, order, seen)
            # A help that still waits for its answer waited for these, too.
            is_over.set()
            await typing
    before, helps = ([quantile(one, share) for share in (0.5, 0.99)] for one in (alone, seen.helps))
    detail = (
        f"{crowd.people} members: taken after {_describe(seen.taken)} s, "
        f"followed after {_describe(seen.followed)}; "
        f"{len(seen.helps)} helps, median and p99 {_describe(helps)} s, {_describe(before)} s before; "
        f"{seen.refused} refused"
    )
    note(detail)
    sound = not seen.refused
    return [
        Figure(f"members{name}_taken", max(seen.taken), sound=sound, note=detail),
        Figure(f"members{name}_followed", max(seen.followed), sound=sound, note=detail),
        Figure(f"members{name}_help", helps[1], sound=sound, note=detail),
    ]


def _describe(seconds: Sequence[float]) -> str:
    return ", ".join(f"{one:.2f}" for one in seconds)


def _lesson() -> float:
    return (time.time() + _AHEAD) // 60 * 60


@asynccontextmanager
async def _bots(scene: Stage, sizes: Sizes) -> AsyncIterator[Class]:
    """Run the bot, whose first process is asked."""
    async with AsyncExitStack() as stack:
        roles = ("serve",) if scene.server is None else ("web", "worker")
        bots = [await stack.enter_async_context(scene.bot(role=role)) for role in roles]
        yield Class(scene, sizes, bots[0])


@asynccontextmanager
async def _store(scene: Stage) -> AsyncIterator[Store]:
    store = await open_store(scene.place.database_url, SystemClock(), SystemIds())
    try:
        yield store
    finally:
        await store.close()


async def _join(store: Store, card: ClassCard) -> None:
    """Let everybody have joined, as pressing would have written it."""
    every = [WORKSPACES.parse(row) for row in await store.engine.read(lambda tx: tx.all(_EVERY))]

    def write(tx: Transaction, first: int) -> None:
        now = tx.now()
        for number, one in enumerate(every[first : first + _TOGETHER], first):
            key = f"{card.id}:{now:017.6f}:{number:05d}"
            given = (key, one.principal, card.connection, one.id, card.time_zone, card.time_zone, now)
            rule = CourseRule(
                *given, **card.timetable(), card=card.id, course=card.title, notified_state=card.state
            )
            lesson_store.put_rule(tx, timetable.apply_timetable(rule, card))
            pressed = {"joined_at": now, "workspace_id": one.id, "consented_at": now}
            PARTICIPANTS.add(tx, card_id=card.id, principal=one.principal, **pressed)

    for first in range(0, len(every), _TOGETHER):
        await store.engine.write(lambda tx, first=first: write(tx, first))  # type: ignore[misc]


async def _type(room: Class, seen: _Seen, is_over: asyncio.Event) -> None:
    """Let others ask for help, one after the other, until that is over and the last is answered."""
    number = 0
    while not is_over.is_set():
        number += 1
        user = Crowd.user(number % (room.scene.crowd.people - 1) + 1)
        await _ask(room, user, "help", number, seen.helps, seen)
        await asyncio.sleep(_TYPES_EVERY)


async def _ask(room: Class, user: str, text: str, number: int, taken: list[float], seen: _Seen) -> None:
    target = room.bot.target
    status, seconds = await ask(target.url, target.request(user, text, number))
    seen.refused += status != 200
    taken.append(seconds)


async def _agree(room: Class, text: str) -> None:
    """Type a change as the teacher, and press the button of what is asked first, if anything is."""
    target, teacher = room.bot.target, Crowd.user(0)
    answer = await shown(target.url, target.request(teacher, text, 0)) or {}
    buttons = [one for block in answer.get("blocks", ()) for one in block.get("elements", ())]
    agreed = [one for one in buttons if one.get("style") == "danger"]
    for button in agreed[:1]:
        await ask(target.url, target.click(teacher, button["action_id"], button["value"], room.place, 1))


async def _decide(room: Class, store: Store, order: str, seen: _Seen) -> None:
    """Have the teacher decide, and wait until that is so and all have followed.

    They follow from when it can't be taken back any more, which isn't counted.
    """
    (before,) = await store.read(class_rows.list_courses)
    began = time.perf_counter()
    await _agree(room, f"card Course {order}")
    while (
        now := await store.read(class_rows.find_card, before.id)
    ) is not None and now.state == before.state:
        await asyncio.sleep(_LOOKS_EVERY / 10)
        if time.perf_counter() > began + room.sizes.patience:
            seen.refused += 1
            break
    seen.taken.append(time.perf_counter() - began)
    behind = (await store.read(class_rows.count_members, before.id)).behind
    if now is None or now.fan_out_at is None or behind != room.scene.crowd.people:
        raise BenchmarkError(f"{behind} of {room.scene.crowd.people} have to follow {order}")
    await asyncio.sleep(now.fan_out_at - time.time())
    began = time.perf_counter()
    while time.perf_counter() < began + room.sizes.patience:
        card = await store.read(class_rows.find_card, before.id)
        if card is not None and card.fan_out_at is None:
            break
        await asyncio.sleep(_LOOKS_EVERY)
    seen.followed.append(time.perf_counter() - began)
    if behind := (await store.read(class_rows.count_members, before.id)).behind:
        raise BenchmarkError(f"{behind} haven't followed {order}")
    note(f"{order}: taken after {seen.taken[-1]:.2f} s, followed after {seen.followed[-1]:.1f} s")
