"""The loops: woken at once, never ended by an error, and drained in time."""

import asyncio
import math
import threading
from collections import Counter
from functools import partial

import pytest
from structlog.testing import capture_logs

from bot.domain.tasks import TaskKind
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.reconciler.scheduler import DAY_SECONDS, EMPTY_CLAIM_REST_SECONDS, EVERYBODY, Loop, Scheduler
from bot.services.owners import HELP_AFTER_SECONDS
from bot.store import counts, due_work, maintenance, operations, sweeping
from bot.store import tasks as task_rows
from bot.store.due_work import list_kinds
from bot.store.tables import SERVING
from bot.store.tasks import NewTask
from bot.support.errors import SlackFailed, StoreBusy
from bot.support.pool import Pool, count_free_slots, run_all
from tests.reconciler.runs import new_run_world
from tests.rigs.functions import replace_function
from tests.rigs.store import ALICE


class Watched(Scheduler):
    """A scheduler that signals after each tick, once it has woken its loops."""

    def __init__(self, *arguments, **keys):
        self.woken = asyncio.Event()
        super().__init__(*arguments, **keys)

    async def _on_tick(self):
        await super()._on_tick()
        self.woken.set()

    async def eventually(self, check):
        async with asyncio.timeout(60):
            while not await check():
                self.woken.clear()
                await self.woken.wait()


def driving(kind, world, **keys):
    """Return a scheduler that drives the parts of a world."""
    made = kind(world.store, world.clock, world.ids, **keys)
    world.reborn()
    made.drive(world.reconciler, world.notifier)
    return made


@pytest.fixture
async def scheduler(world):
    made = driving(Watched, world, tick=0.01)
    yield made
    await made.drain(5)


async def test_the_whole_way_runs_by_itself(world, scheduler):
    operation_id = await world.begin(await world.own())
    scheduler.start()

    async def ended():
        # While work is due, advance by less time than a read may take between its claim and its request.
        world.clock.advance(0.2 if scheduler.due else 1.0)
        return (
            await world.store.read(operations.find_operation, operation_id)
        ).outcome is Outcome.FULFILLED and len(world.slack.messages) == 2

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

    replace_function(world.store, sweeping.sweep, broken)
    with capture_logs() as logs:
        await scheduler._run_daily()
        await scheduler._refresh_lists()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["sweep failed"]
    assert [task.kind for task in await world.store.claim(task_rows.claim_tasks, 9, 9.0)] == [
        TaskKind.SYNC_PEOPLE
    ]


async def test_a_second_nightly_reading_joins_the_first(world, scheduler):
    await scheduler._run_daily()
    await scheduler._run_daily()
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
    assert (await world.store.perform(counts.count_rows))["tasks"] == 1


@pytest.mark.parametrize(("down_for", "readings"), [(10 * 3600.0, 0), (20 * 3600.0, 1), (9 * DAY_SECONDS, 1)])
async def test_what_a_night_should_have_done_is_made_up_for_at_the_start(world, down_for, readings):
    async def starts():
        scheduler = driving(Scheduler, world)
        for _ in range(3):
            await scheduler._run_daily()
            await world.work()
        swept = await world.store.read(maintenance.find_last_done, "sweep") == await world.store.now()
        return world.slack.count("users.list"), swept

    # It is eight in the morning, and work that was never done before is done now.
    assert world.clock.now() % DAY_SECONDS == 8 * 3600
    assert await starts() == (1, True)
    world.clock.advance(down_for)
    assert await starts() == (1 + readings, bool(readings))


async def test_a_reading_that_failed_is_not_done(world, scheduler):
    world.slack.fail("users.list", SlackFailed("users.list", "internal_error"), times=99)
    await scheduler._run_daily()
    await world.work()
    assert await world.store.read(maintenance.find_last_done, "sync_people") is None


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
    assert await scheduler.drain(2.0) == 1
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
        # Too long to be shown together with the end.
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
        "due",
        "operations",
        "reads",
        "tasks",
        "outages",
        "jobs",
        "streams",
        "scheduled_work",
        "notices",
        "cards",
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


class Questions:
    """A scheduler whose queries for due times are made step by step, on a store that records them."""

    def __init__(self, world):
        self.world, self.kinds = world, []
        self.scheduler = Scheduler(world.store, world.clock, world.ids)
        world.reborn()
        self.scheduler.drive(world.reconciler, world.notifier)
        find_next_due = partial(world.store.read, due_work.find_next_due)

        async def note(kinds, *others):
            self.kinds.append(set(kinds))
            return await find_next_due(kinds, *others)

        replace_function(world.store, due_work.find_next_due, note)

    async def tick(self, seconds=1.0):
        """Let time pass until the next tick."""
        self.world.clock.advance(seconds)
        await self.scheduler._on_tick()

    async def find_woken(self):
        """Make the pending queries, and return the names of the loops woken since the last time."""
        await asyncio.sleep(0)
        await self.scheduler._query_due_times(None)
        names = [loop.name for loop in self.scheduler._loops[1:] if loop._woken.is_set()]
        for loop in self.scheduler._loops:
            loop._woken.clear()
        return names

    async def settle(self):
        """Ask about everything, once."""
        self.scheduler.wake()
        await self.find_woken()
        self.kinds.clear()


@pytest.fixture
async def questions(world):
    await world.own()
    await world.work()
    made = Questions(world)
    await made.settle()
    return made


async def test_write_asks_about_its_tables_and_wakes_what_is_due(world, questions):
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
    assert await questions.find_woken() == ["tasks"]
    assert questions.kinds == [{"tasks"}]
    # A claim makes nothing due, and writing a row that no loop claims wakes none.
    assert await world.store.claim(task_rows.claim_tasks, 9, 60.0)
    await world.store.write(maintenance.mark, "moved")
    await questions.find_woken()
    assert questions.kinds == [{"tasks"}]
    # Work that is due later is queried but wakes no loop.
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY, due_in=60.0)])
    assert await questions.find_woken() == []
    assert questions.kinds == [{"tasks"}, {"tasks"}]


async def test_notification_without_names_is_about_everything(questions):
    questions.scheduler.on_written(["rules", "nobody's"])
    questions.scheduler.on_written(None)
    await questions.find_woken()
    assert questions.kinds == [set(list_kinds())]


async def test_who_does_not_lead_takes_only_what_is_left(world, questions):
    scheduler = questions.scheduler
    scheduler._store.engine = Shared(scheduler._store.engine)
    scheduler._owners.leaves_for = HELP_AFTER_SECONDS
    # Another process writes it.
    world.store.engine.report_to(lambda _: None)
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
    assert (await questions.find_woken(), questions.kinds) == ([], [])
    await questions.tick()
    assert "tasks" not in await questions.find_woken()
    assert questions.kinds == [set(list_kinds())]
    await questions.tick()
    assert "tasks" in await questions.find_woken()
    # The leader takes it at once.
    scheduler._owners.leaves_for = 0.0
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.DISCOVER, "another")])
    scheduler.on_written(["tasks"])
    assert await questions.find_woken() == ["tasks"]


async def test_who_does_not_lead_goes_on_at_once_with_what_it_wrote(world, questions):
    questions.scheduler._owners.leaves_for = HELP_AFTER_SECONDS
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
    assert await questions.find_woken() == ["tasks"]


async def test_ticks_at_rest_ask_nothing(questions):
    for _ in range(100):
        await questions.tick()
        await questions.find_woken()
    assert questions.kinds == []


async def test_shared_database_is_asked_about_everything_each_tick(questions):
    questions.scheduler._store.engine = Shared(questions.scheduler._store.engine)
    for _ in range(3):
        await questions.tick()
        await questions.find_woken()
    assert questions.kinds == [set(list_kinds())] * 3


class Shared:
    """An engine whose database other processes write to as well."""

    is_shared = True

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        return getattr(self._engine, name)


async def test_task_due_later_wakes_its_loop_then(world, questions):
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY, due_in=2.5)])
    woken = []
    for _ in range(6):
        await questions.find_woken()
        await questions.tick(0.5)
        woken.append("tasks" in await questions.find_woken())
    assert woken == [False] * 4 + [True] * 2
    # The task was queried only once, when it was written.
    assert questions.kinds == [{"tasks"}]


async def test_timer_wakes_a_loop_between_two_ticks(world):
    scheduler = driving(Scheduler, world, tick=3_600.0)
    scheduler.start()
    claimed = asyncio.Event()
    claim = partial(world.store.claim, task_rows.claim_tasks)

    async def note(*arguments):
        found = await claim(*arguments)
        if any(task.subject == "later" for task in found):
            claimed.set()
        return found

    replace_function(world.store, task_rows.claim_tasks, note)
    try:
        await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "later", due_in=0.2)])
        async with asyncio.timeout(30):
            # The fake clock runs as fast as the machine's.
            while not claimed.is_set():
                await asyncio.sleep(0.01)
                world.clock.advance(0.01)
    finally:
        await scheduler.drain(5)


async def test_clock_that_jumps_is_noticed_by_the_next_tick(world, questions):
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY, due_in=3600.0)])
    assert await questions.find_woken() == []
    world.clock.jump(3601.0)
    await questions.tick()
    assert "tasks" in await questions.find_woken()


async def test_loop_rests_after_a_claim_in_vain_until_a_write(world, questions):
    tasks = next(loop for loop in questions.scheduler._loops if loop.name == "tasks")
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, EVERYBODY)])
    assert await questions.find_woken() == ["tasks"]
    tasks.rests_until = world.clock.monotonic() + EMPTY_CLAIM_REST_SECONDS
    questions.scheduler._wake_due()
    assert await questions.find_woken() == []
    await questions.tick(EMPTY_CLAIM_REST_SECONDS)
    assert "tasks" in await questions.find_woken()
    tasks.rests_until = world.clock.monotonic() + EMPTY_CLAIM_REST_SECONDS
    await world.store.write(task_rows.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "another")])
    assert await questions.find_woken() == ["tasks"]


async def test_two_vain_claims_put_a_loop_to_rest_and_a_good_one_does_not(world):
    claims = iter([1, 0, 0, 1, 0])
    loop = Loop("operations", lambda _pool: claim(), 5, world.ids, world.clock, rest=0.0)
    rests = []

    async def claim():
        return next(claims)

    loop.on_step = lambda: rests.append(loop.rests_until - world.clock.monotonic())
    running = asyncio.create_task(loop.run())
    for _ in range(5):
        await asyncio.sleep(0)
        loop.wake()
        await asyncio.sleep(0)
    loop.stop()
    await running
    assert rests == [-math.inf, -math.inf, EMPTY_CLAIM_REST_SECONDS, -math.inf, -math.inf]


async def test_tick_runs_in_the_thread_of_the_loop(world):
    threads, ticked = set(), asyncio.Event()
    scheduler = driving(Scheduler, world, tick=0.01)
    loop = asyncio.get_running_loop()

    def note():
        threads.add(threading.get_ident())
        loop.call_soon_threadsafe(ticked.set)
        return False

    scheduler._loops[1].is_restless = note
    scheduler.start()
    try:
        await asyncio.wait_for(ticked.wait(), 30)
    finally:
        await scheduler.drain(5)
    assert threads == {threading.get_ident()}


async def test_loops_find_out_for_themselves_when_rows_cannot_be_asked(world, questions):
    async def fail(*_):
        raise StoreBusy("not now")

    replace_function(world.store, due_work.find_next_due, fail)
    questions.scheduler.on_written(None)
    with capture_logs() as logs:
        assert len(await questions.find_woken()) == 9
    assert [entry["event"] for entry in logs] == ["nothing could be looked for"]


async def test_loop_goes_on_after_a_claim_that_reached_its_limit_and_waits_after_any_other(world):
    claims = iter([3, 3, 2])

    async def step(pool):
        claimed = next(claims)
        await run_all([], pool, is_full=claimed >= 3)
        return claimed

    loop = Loop("operations", step, 5, world.ids, world.clock, rest=0.0)
    running = asyncio.create_task(loop.run())
    for _ in range(50):
        await asyncio.sleep(0)
    assert list(claims) == []
    assert not running.done()
    loop.stop()
    await running


@pytest.mark.parametrize(
    ("due", "claims_before", "claims_after"), [(1, [1], [1]), (3, [2, 0], [2, 0, 1])], ids=["room", "no room"]
)
async def test_work_that_ends_wakes_a_loop_that_had_no_room(world, due, claims_before, claims_after):
    ends, claims = asyncio.Event(), []

    async def work():
        await ends.wait()

    async def step(pool):
        limit = count_free_slots(pool, 2)
        claims.append(min(due - sum(claims), limit))
        await run_all([work() for _ in range(claims[-1])], pool, is_full=claims[-1] >= limit)
        return claims[-1]

    async def let_run():
        for _ in range(20):
            await asyncio.sleep(0)

    loop = Loop("operations", step, 2, world.ids, world.clock, rest=0.0)
    running = asyncio.create_task(loop.run())
    await let_run()
    assert claims == claims_before
    ends.set()
    await let_run()
    assert claims == claims_after
    loop.stop()
    await running


async def test_every_kind_has_one_loop(questions):
    found = Counter(kind for loop in questions.scheduler._loops for kind in loop.kinds)
    # Outputs are in no row.
    assert found == Counter([*list_kinds(), "due", "outputs"])
