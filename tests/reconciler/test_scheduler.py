"""The loops: woken at once, never ended by an error, drained in time."""

import asyncio
from collections import Counter

import pytest
from structlog.testing import capture_logs

from bot.domain.errands import Outcome
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.reconciler.scheduler import DAY, EVERYBODY, Loop, Scheduler
from bot.store.look import KINDS
from bot.store.tables import SERVING
from bot.store.tasks import NewTask
from bot.support.errors import SlackFailed, StoreBusy
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
    assert sorted(world.slack.sent_kinds()) == ["card", "ready"]
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
        # Too long to be shown with its end.
        runs.cloud.writes("run2", f"{'.' * 3000}\n")
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


class Looks:
    """Step a scheduler's looks by hand, over a store that notes what is looked for."""

    def __init__(self, world, *, is_shared=False):
        self.world, self.asked = world, []
        world.news = self.scheduler = Scheduler(world.store, world.clock, world.ids)
        self.scheduler._ahead *= not is_shared
        world.reborn()
        self.scheduler.drive(world.reconciler, world.notifier)
        look = world.store.look

        async def noted(kinds, *others):
            self.asked.append(set(kinds))
            return await look(kinds, *others)

        world.store.look = noted

    async def woken(self):
        """Look for what was asked about; return the names of the loops that are woken since."""
        await asyncio.sleep(0)
        if self.scheduler._asked:
            await self.scheduler._look(None)
        names = [loop.name for loop in self.scheduler._loops[1:] if loop._woken.is_set()]
        for loop in self.scheduler._loops:
            loop._woken.clear()
        return names

    async def settled(self):
        """Look at everything, which leaves all kinds quiet."""
        self.scheduler.wake()
        await self.woken()
        self.asked.clear()


@pytest.fixture
async def looks(world):
    await world.own()
    await world.work()
    made = Looks(world)
    await made.settled()
    return made


async def test_a_write_wakes_the_loops_of_what_it_made_due_and_no_others(world, looks):
    await world.store.add_tasks([NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
    assert await looks.woken() == ["tasks"]
    assert looks.asked == [{"tasks"}]
    # A claim makes nothing due, and what nobody claims by wakes nobody.
    assert await world.store.claim_tasks(9, 60.0)
    await world.store.mark("moved")
    assert await looks.woken() == []
    assert looks.asked == [{"tasks"}]
    # A write that makes nothing due now is looked at, and wakes nobody.
    await world.store.add_tasks([NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY, due_in=60.0)])
    assert await looks.woken() == []
    assert looks.asked == [{"tasks"}, {"tasks"}]


async def test_a_notification_without_names_is_about_everything(looks):
    looks.scheduler.written(["rules", "nobody's"])
    looks.scheduler.written(None)
    await looks.woken()
    assert looks.asked == [set(KINDS)]


async def test_at_rest_ten_seconds_cost_two_looks(world, looks):
    for _ in range(10):
        world.clock.advance(1.0)
        looks.scheduler.wake()
        await looks.woken()
    assert looks.asked == [set(KINDS)] * 2


async def test_where_others_write_too_everything_is_looked_at_on_each_tick(world):
    looks = Looks(world, is_shared=True)
    for _ in range(3):
        looks.scheduler.wake()
        await looks.woken()
    assert looks.asked == [set(KINDS)] * 3


async def test_what_time_makes_due_is_found_by_the_next_tick(world, looks):
    await world.store.add_tasks([NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY, due_in=2.5)])
    found = []
    for second in range(1, 7):
        await looks.woken()
        world.clock.advance(1.0)
        looks.scheduler.wake()
        if "tasks" in await looks.woken():
            found.append(second)
    assert found == [3, 4, 5, 6]


async def test_a_clock_that_jumps_is_followed_by_the_next_tick(world, looks):
    await world.store.add_tasks([NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY, due_in=3600.0)])
    assert await looks.woken() == []
    world.clock.jump(3601.0)
    looks.scheduler.wake()
    assert "tasks" in await looks.woken()


async def test_where_nothing_can_be_looked_for_each_loop_finds_out_for_itself(world, looks):
    async def busy(*_):
        raise StoreBusy("not now")

    world.store.look = busy
    looks.scheduler.written(None)
    with capture_logs() as logs:
        assert len(await looks.woken()) == 10
    assert [entry["event"] for entry in logs] == ["nothing could be looked for"]


async def test_a_loop_that_took_one_waits_and_one_that_took_more_goes_on(world):
    taken = iter([3, 2, 1])

    async def step(_pool):
        return next(taken)

    loop = Loop("operations", step, 5, world.ids, world.clock, rest=0.0)
    running = asyncio.create_task(loop.run())
    for _ in range(50):
        await asyncio.sleep(0)
    assert list(taken) == []
    assert not running.done()
    loop.stop()
    await running


async def test_every_kind_has_one_loop(looks):
    found = Counter(kind for loop in looks.scheduler._loops for kind in loop.kinds)
    # Outputs are in no row.
    assert found == Counter([*KINDS, "look", "outputs"])
