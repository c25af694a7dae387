"""Clocks that were moved while no process served: nothing comes early or late, and one process fixes it."""

import sqlite3
from contextlib import closing
from functools import partial

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.stops import PlannedStop
from bot.domain.tasks import TaskKind
from bot.domain.timers import TIMER_WARNING_SECONDS
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.store import notices, operations, runs, schema, tasks, timers, workspaces
from bot.store.tables import WORKSPACES
from bot.store.tasks import NewTask
from bot.support.clock import SystemIds
from bot.support.errors import StoreInUse
from tests.contract.store.gates import by_reference, claim_one, claimed
from tests.rigs import postgres
from tests.rigs.clock import FakeClock
from tests.rigs.store import (
    ALICE,
    accept_operation,
    add_workspace,
    first_sight,
    launched,
    link_account,
    linked,
    observe,
    set_timer,
    within,
)


class Restarted:
    """Processes that serve from one database one after the other; the clock is moved in between."""

    def __init__(self, database, clock):
        self._database = database
        self.clock = clock
        self.store = None

    async def serve(self, *, clock=None):
        if self.store is not None:
            await self.store.close()
        self.clock = clock or self.clock
        self.store = await self._database.open(clock=self.clock, serves=True)
        return self.store


@pytest.fixture
def bot(database, clock):
    return Restarted(database, clock)


async def called(store):
    """Send a start whose outcome is unknown."""
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace)).operation
    await store.write(operations.save_step, Update(operation.id, 20.0, start_call=Call.UNKNOWN, called=True))
    return operation


@pytest.mark.parametrize("ahead", [240.0, 86_400.0])
async def test_after_a_clock_that_was_ahead_all_that_is_open_is_due_when_it_would_have_been(bot, ahead):
    bot.clock.jump(ahead)
    store = await bot.serve()
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    (step,) = await store.claim(operations.claim_operations, 10, 40.0)
    await store.write(
        operations.save_step,
        Update(operation.id, 20.0, start_call=Call.ACCEPTED, called=True, claim=step.claim),
    )
    await store.write(notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE)])
    await store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, "a1")])
    assert await claim_one(store)
    bot.clock.jump(-ahead)
    bot.clock.advance(1)
    store = await bot.serve()
    now = bot.clock.now()
    assert await store.perform(notices.claim_notices, 10, 60.0)
    assert await store.claim(tasks.claim_tasks, 10, 60.0)
    healed = await store.read(operations.find_operation, operation.id)
    assert healed.created_at == healed.called_at == pytest.approx(now, abs=0.1)
    assert healed.deadline_at == pytest.approx(now + 59, abs=1.1)
    # The gate's interval holds even then, whenever the last read was.
    assert await claim_one(store) is None
    bot.clock.advance(10.6)
    assert await claim_one(store)
    bot.clock.advance(8.5)
    assert await store.claim(operations.claim_operations, 10, 40.0)


async def test_what_was_seen_in_the_future_hides_nothing_that_is_seen_now(bot):
    bot.clock.jump(3600)
    store = await bot.serve()
    workspace = (await linked(store)).workspaces[0]
    await observe(store, bot.clock, workspace, Observed(State.RUNNING), next_in=10.0)
    bot.clock.jump(-3600)
    store = await bot.serve()
    assert (await store.read(workspaces.find_workspace, workspace.id)).observed_at <= bot.clock.now()
    await observe(store, bot.clock, workspace, Observed(State.STOPPED))
    assert (await store.read(workspaces.find_workspace, workspace.id)).state is State.STOPPED


async def looks(store, workspace):
    """Return when a timer is checked next."""
    row = await store.carry_out(lambda tx: WORKSPACES.row(tx, id=workspace.id))
    return row["stop_check_at"]


async def test_a_timer_names_a_moment_that_no_clock_moves_and_is_looked_at_again(bot):
    bot.clock.jump(3600)
    store = await bot.serve()
    workspace = (await linked(store)).workspaces[0]
    at = bot.clock.now() + 7200
    await set_timer(store, workspace, PlannedStop(at, "stop"))
    bot.clock.jump(-3600)
    store = await bot.serve()
    assert await looks(store, workspace) <= bot.clock.now()
    assert await within(store, timers.claim_timers, 10, 60.0) == []
    assert await looks(store, workspace) == at - TIMER_WARNING_SECONDS
    assert (await store.read(workspaces.find_workspace, workspace.id)).stop_at == at


async def test_message_about_a_lesson_is_due_when_the_lesson_begins(bot):
    """Its due time is the lesson's beginning by any clock, unless the message was due at once."""
    bot.clock.jump(600)
    store = await bot.serve()
    begins = bot.clock.now() + 2_700
    coming = NewNotice("coming", NoticeKind.LESSON, "1", ALICE, due_in=2_700.0)
    missed = NewNotice("missed", NoticeKind.LESSON, "1", ALICE)
    held = NewNotice("held", NoticeKind.MESSAGE, "1", ALICE, due_in=60.0)
    await store.write(notices.add_notices, [coming, missed, held])
    bot.clock.jump(-600)
    now = bot.clock.now()
    store = await bot.serve()
    rows = await store.carry_out(lambda tx: tx.all("SELECT subject, due_at FROM notices"))
    assert {row["subject"]: row["due_at"] - now for row in rows} == {
        "coming": pytest.approx(begins - now),
        "missed": pytest.approx(0.0, abs=0.1),
        "held": pytest.approx(60.0, abs=0.1),
    }


async def test_nobody_waits_longer_than_a_day_to_hear_that_it_takes_longer(bot):
    bot.clock.jump(30 * 86_400.0)
    store = await bot.serve()
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    run = await launched(store, connection="saturn", deadline_seconds=60.0)
    there = FakeClock(bot.clock.now() - 30 * 86_400.0)
    there.boot = lambda: "another run"
    store = await bot.serve(clock=there)
    latest = there.now() + 86_400.0
    assert (await store.read(operations.find_operation, operation.id)).deadline_at <= latest
    assert (await store.read(runs.find_run, run.id)).deadline_at <= latest


async def test_a_clock_that_is_moved_again_while_a_process_starts_opens_no_gate_either(bot, database):
    store = await bot.serve()
    operation = await called(store)
    assert await claim_one(store)
    await store.close()
    bot.clock.advance(3)
    bot.clock.jump(600)
    store = await postgres.open_store(database.url, bot.clock, SystemIds())
    bot.clock.jump(5)
    await store.begin_serving()
    assert (await store.read(operations.find_operation, operation.id)).called_at == pytest.approx(
        await store.now(), abs=0.1
    )
    bot.clock.advance(10.3)
    assert await claim_one(store) is None
    bot.clock.advance(0.3)
    assert await claim_one(store)
    await store.close()


async def test_a_beat_writes_how_the_clock_stands_after_a_jump_that_it_is_the_first_to_see(bot):
    store = await bot.serve()
    operation = await called(store)
    bot.clock.advance(3)
    bot.clock.jump(3600)
    await store.perform(schema.write_heartbeat)
    seen_at = await store.now()
    bot.clock.advance(3)
    store = await bot.serve()
    # The times were corrected at the last heartbeat, and nothing has moved since.
    assert (await store.read(operations.find_operation, operation.id)).called_at == pytest.approx(
        seen_at, abs=0.1
    )


@pytest.mark.parametrize("back", [5.0, 12.0, 7200.0])
async def test_a_clock_that_is_set_back_takes_nothing_seen_before_a_call_for_what_came_of_it(bot, back):
    store = await bot.serve()
    workspace = (await linked(store)).workspaces[0]
    operation = (await accept_operation(store, workspace, interaction="i1")).operation
    await observe(store, bot.clock, workspace, Observed(State.RUNNING))
    bot.clock.advance(10)
    await store.write(operations.save_step, Update(operation.id, 20.0, start_call=Call.ACCEPTED, called=True))
    bot.clock.advance(3)
    bot.clock.jump(-back)
    store = await bot.serve()
    called, seen = (
        await store.read(operations.find_operation, operation.id),
        await store.read(workspaces.find_workspace, workspace.id),
    )
    assert called.called_at == pytest.approx(await store.now(), abs=0.01)
    assert max(seen.up_at, seen.observed_at) <= called.sent_at <= called.called_at


def rebooted(clock):
    there = FakeClock(clock.now() + 60)
    there.boot = lambda: "another run"
    return there


def moved(clock, seconds):
    clock.jump(seconds)
    return clock


@pytest.mark.parametrize(
    "then",
    [rebooted, *(partial(moved, seconds=seconds) for seconds in (-7200.0, -5.0, 5.0, 3600.0))],
    ids=["another machine", "2 h back", "5 s back", "5 s ahead", "1 h ahead"],
)
async def test_where_nobody_knows_how_much_time_has_passed_nothing_comes_early(bot, then):
    store = await bot.serve()
    operation = await called(store)
    sent_at = bot.clock.now()
    await store.write(notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE)])
    assert await store.perform(notices.claim_notices, 10, 60.0)
    assert await claim_one(store)
    bot.clock.advance(3)
    clock = then(bot.clock)
    store = await bot.serve(clock=clock)
    healed = await store.read(operations.find_operation, operation.id)
    # The search for its effect starts when the call was sent, which is never in the future.
    assert (healed.called_at, healed.sent_at) == (clock.now(), min(sent_at, clock.now()))
    assert await claim_one(store) is None
    assert await store.perform(notices.claim_notices, 10, 60.0) == []
    clock.advance(10.3)
    assert await claim_one(store) is None
    clock.advance(0.3)
    assert await claim_one(store)
    clock.advance(50.0)
    assert await store.perform(notices.claim_notices, 10, 60.0)


async def test_who_dies_while_its_time_meets_the_clock_again_opens_no_gate_early(bot):
    store = await bot.serve()
    await link_account(store)
    await add_workspace(store, by_reference(ALICE))
    bot.clock.jump(-3600)
    for _ in range(10):
        bot.clock.advance(1)
        await first_sight(store, f"any write at {bot.clock.now()}")
    assert await claim_one(store)
    bot.clock.advance(3)
    store = await bot.serve()
    bot.clock.advance(7.2)
    assert await claim_one(store) is None
    bot.clock.advance(3.4)
    assert await claim_one(store)


async def test_what_was_replaced_has_had_no_more_time_either_while_what_replaced_it_is_open(bot):
    store = await bot.serve()
    former = await called(store)
    workspace = await store.read(workspaces.find_workspace, former.workspace_id)
    operation = (await accept_operation(store, workspace, OperationVerb.STOP, interaction="i2")).operation
    for is_over, boot in enumerate(("another run", "a third one")):
        there = FakeClock(bot.clock.now() + 60)
        there.boot = lambda boot=boot: boot
        store = await bot.serve(clock=there)
        assert (
            await store.read(operations.find_operation, former.id)
        ).called_at == there.now() - 60 * is_over
        await store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))


async def test_a_start_under_a_steady_clock_keeps_nobody_waiting(bot):
    store = await bot.serve()
    operation = await called(store)
    called_at = (await store.read(operations.find_operation, operation.id)).called_at
    assert await claim_one(store)
    for _ in range(3):
        bot.clock.advance(3.6)
        store = await bot.serve()
    assert (await store.read(operations.find_operation, operation.id)).called_at == called_at
    assert await claim_one(store)


async def test_a_gate_that_moved_along_with_a_jump_opens_in_time_after_the_clock_was_put_right(bot):
    store = await bot.serve()
    await claimed(store)
    bot.clock.jump(3600)
    await first_sight(store, "any write")
    bot.clock.jump(-3600)
    store = await bot.serve()
    bot.clock.advance(10.6)
    assert await claim_one(store)


async def test_only_who_serves_moves_times(database, bot, clock):
    store = await bot.serve()
    await claimed(store)
    behind, beside = FakeClock(clock.now() - 900), FakeClock(clock.now())
    other = await database.open(clock=behind)
    assert await other.migrate() == []
    third = await database.open(clock=beside)
    beside.jump(900)
    await first_sight(third, "any write")
    clock.advance(10.4)
    assert await claim_one(store) is None
    clock.advance(0.2)
    assert await claim_one(store)


async def test_one_process_serves_at_a_time(database, bot):
    store = await bot.serve()
    with pytest.raises(StoreInUse, match="Another Usher is already running on this database"):
        await database.open(serves=True)
    # A process that only reads, or writes without serving, is allowed.
    beside = await database.open()
    assert await first_sight(beside, "i1")
    await store.close()
    await beside.begin_serving()


async def test_the_schema_is_not_changed_under_a_process_that_serves(database):
    await database.open(serves=True)
    path = database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("schema_changes", "migrations"):
            connection.execute(f"DELETE FROM {table} WHERE name = (SELECT MAX(name) FROM migrations)")
    with pytest.raises(StoreInUse, match="stop it first"):
        await database.open()
