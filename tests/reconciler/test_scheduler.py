"""The loops: woken at once, never ended by an error, drained in time."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.domain.errands import Outcome
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.reconciler.scheduler import DAY, EVERYBODY, Loop, Scheduler
from bot.store.tables import SERVING
from bot.store.tasks import NewTask
from bot.support.errors import SlackFailed
from bot.support.pool import Pool
from tests.reconciler.runs import new_run_world
from tests.rigs.store import ALICE


class Watched(Scheduler):
    """Tell a test whenever the loops are woken: something was done, or a tick has passed."""

    def __init__(self, *arguments, **keys):
        self.woken = asyncio.Event()
        super().__init__(*arguments, **keys)

    def wake(self):
        super().wake()
        self.woken.set()

    async def eventually(self, check):
        async with asyncio.timeout(60):
            while not await check():
                self.woken.clear()
                await self.woken.wait()


def driving(kind, world, **keys):
    """Make a scheduler that drives the parts of a world."""
    world.news = made = kind(world.store, world.clock, world.ids, **keys)
    world.reborn()
    made.drive(world.reconciler, world.notifier)
    return made


@pytest.fixture
async def scheduler(world):
    made = driving(Watched, world, tick=0.05)
    yield made
    await made.drain(5)


async def test_the_whole_way_runs_by_itself(world, scheduler):
    operation_id = await world.begin(await world.own())
    scheduler.start()

    async def ended():
        world.clock.advance(1.0)
        return (await world.store.operation(operation_id)).outcome is Outcome.FULFILLED and len(
            world.slack.messages
        ) == 2

    await scheduler.eventually(ended)
    assert sorted(world.slack.kinds()) == ["card", "ready"]
    assert world.provider.accepted_starts == ["r1"]
    assert min(world.provider.gaps()) >= 10.0
    assert scheduler.stalled == []


async def test_where_nothing_happens_something_is_written_now_and_then(world):
    scheduler = driving(Watched, world, tick=0.05, beat=0.05)
    world.clock.advance(3600)
    scheduler.start()

    async def has_written():
        last = await world.store.engine.read(lambda tx: SERVING.row(tx, id=1))
        return last["seen_at"] == world.clock.now()

    try:
        await scheduler.eventually(has_written)
        world.clock.advance(3600)
        assert not await has_written()
        await scheduler.eventually(has_written)
    finally:
        await scheduler.drain(5)


async def test_people_are_read_when_nobody_is_known(world, scheduler):
    world.slack.add_user("UALICE")
    scheduler.start()

    async def known():
        return await world.store.person(ALICE) is not None

    await scheduler.eventually(known)
    assert world.slack.count("users.list") == 1


async def test_daily_work_is_guarded(world, scheduler):
    async def broken():
        raise RuntimeError("a mistake")

    world.store.sweep = broken
    with capture_logs() as logs:
        await scheduler._daily()
        await scheduler._lists()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["sweep failed"]
    assert [task.kind for task in await world.store.claim_tasks(9, 9.0)] == [TaskKind.SYNC_PEOPLE]


async def test_a_second_nightly_reading_joins_the_first(world, scheduler):
    await scheduler._daily()
    await scheduler._daily()
    await world.store.add_tasks([NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
    assert (await world.store.statistics())["tasks"] == 1


@pytest.mark.parametrize(("down_for", "readings"), [(10 * 3600.0, 0), (20 * 3600.0, 1), (9 * DAY, 1)])
async def test_what_a_night_should_have_done_is_made_up_for_at_the_start(world, down_for, readings):
    async def starts():
        scheduler = driving(Scheduler, world)
        for _ in range(3):
            await scheduler._daily()
            await world.work()
        swept = await world.store.last_did("sweep") == await world.store.now()
        return world.slack.count("users.list"), swept

    # Eight in the morning; what was never done is done.
    assert world.clock.now() % DAY == 8 * 3600
    assert await starts() == (1, True)
    world.clock.advance(down_for)
    assert await starts() == (1 + readings, bool(readings))


async def test_a_reading_that_failed_is_not_done(world, scheduler):
    world.slack.fail("users.list", SlackFailed("users.list", "internal_error"), times=99)
    await scheduler._daily()
    await world.work()
    assert await world.store.last_did("sync_people") is None


async def test_a_step_that_raises_is_logged_with_a_reference_and_tried_again(world):
    calls = []

    async def step(_pool):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a mistake")
        loop.stop()
        return 0

    loop = Loop("operations", step, 5, world.ids, world.clock, rest=0.0)
    with capture_logs() as logs:
        async with asyncio.timeout(30):
            await loop.run()
    assert len(calls) == 2
    assert logs[0]["reference"].startswith("TEST-")


async def test_what_runs_may_end_and_the_rest_is_cancelled(world, scheduler):
    operation_id = await world.begin(await world.own())
    began = world.hang("start")
    scheduler.start()
    await asyncio.wait_for(began.wait(), 30)
    assert await scheduler.drain(0.1) == 1
    world.provider.during = None
    world.reborn()
    world.clock.advance(60)
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
    assert world.slack.kinds().count("ready") == 1


async def test_a_run_goes_its_whole_way_by_itself_and_an_open_stream_holds_nothing_up():
    async with new_run_world() as runs:
        world = runs.world
        runs.cloud.opens("run1")
        runs.cloud.writes("run1", "one\n")
        runs.cloud.writes("run2", "two\n")
        scheduler = driving(Watched, world, tick=0.05)
        runs.cloud.job_takes = None
        await runs.runs(name="endless")
        await runs.world.reconciler.runs.step()
        await runs.runs(name="ending")
        await runs.world.reconciler.runs.step()
        runs.cloud.ends("run2")
        scheduler.start()

        async def sent():
            world.clock.advance(1.0)
            return bool(runs.slack.shared()) and runs.cloud.outputs["run1"].open == 1

        await scheduler.eventually(sent)
        assert await scheduler.drain(600) == 1
        assert runs.cloud.outputs["run1"].open == 0


async def test_nothing_is_claimed_after_the_drain(world, scheduler):
    scheduler.start()
    await scheduler.drain(5)
    await world.begin(await world.own(state=State.RUNNING))
    scheduler.wake()
    await asyncio.sleep(0)
    assert world.provider.calls == []
    assert scheduler.stalled == [
        "look",
        "operations",
        "reads",
        "tasks",
        "outages",
        "jobs",
        "streams",
        "clockwork",
        "notices",
        "cards",
        "homes",
        "outputs",
    ]


async def test_a_pool_is_bounded_and_tells_when_there_is_room_again():
    done = []
    pool = Pool(2, lambda: done.append(pool.room))
    release = asyncio.Event()

    async def work():
        await release.wait()

    pool.add(work())
    pool.add(work())
    assert pool.room == 0
    release.set()
    assert await pool.drain(30) == 0
    await asyncio.sleep(0)
    assert done == [1, 2]
    assert await pool.drain(0) == 0
