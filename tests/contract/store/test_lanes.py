"""The queue in front of the database thread: priorities, grouping, and no job forgotten."""

import asyncio
import threading

import pytest

from bot.store.database_thread import (
    MIN_PATIENCE_SECONDS,
    PATIENCE_SECONDS,
    REQUEST_SECONDS,
    QueuedWork,
    WriteQueue,
)
from bot.store.sqlite import SqliteEngine
from bot.store.tables import INBOX
from bot.store.transaction import Priority
from bot.support.clock import SystemIds
from bot.support.errors import StoreBusy, StoreUnavailable, StoreUnsure
from tests.rigs.clock import FakeClock

PATIENCE = dict.fromkeys(Priority, 60.0)


def nothing(_):
    return None


async def queued(lanes, lane, count=1):
    """Queue jobs, and return the callers' futures once all jobs are in the queue."""
    waiting = [asyncio.ensure_future(lanes.submit(nothing, lane, is_read=False)) for _ in range(count)]
    await asyncio.sleep(0)
    return waiting


def finish(lanes, runs):
    assert lanes.may_commit(runs)
    lanes.deliver(runs)


async def test_urgent_work_goes_first():
    lanes = WriteQueue(PATIENCE)
    waiting = [*await queued(lanes, Priority.STEADY), *await queued(lanes, Priority.URGENT)]
    order = []
    for _ in range(2):
        runs = lanes.take()
        order += [run.priority for run in runs]
        finish(lanes, runs)
    assert order == [Priority.URGENT, Priority.STEADY]
    await asyncio.gather(*waiting)


async def test_other_work_gets_a_turn_however_much_urgent_work_there_is():
    lanes = WriteQueue(PATIENCE)
    waiting = await queued(lanes, Priority.STEADY)
    order = []
    for _ in range(12):
        waiting += await queued(lanes, Priority.URGENT)
        runs = lanes.take()
        order += [run.priority for run in runs]
        finish(lanes, runs)
    assert Priority.STEADY in order
    assert order.count(Priority.URGENT) >= 10
    await asyncio.gather(*waiting)


async def test_what_can_wait_goes_when_nothing_else_is_to_do():
    lanes = WriteQueue(PATIENCE)
    waiting = await queued(lanes, Priority.IDLE)
    for lane in (Priority.STEADY, Priority.URGENT):
        waiting += await queued(lanes, lane)
    order = []
    for _ in range(3):
        runs = lanes.take()
        order += [run.priority for run in runs]
        finish(lanes, runs)
    assert order[-1] is Priority.IDLE
    await asyncio.gather(*waiting)


async def test_what_is_put_back_comes_again_in_its_order():
    lanes = WriteQueue(PATIENCE)
    waiting = await queued(lanes, Priority.STEADY, 3)
    runs = lanes.take()
    lanes.put_back(runs[1:])
    assert lanes.take() == runs[1:]
    finish(lanes, runs)
    await asyncio.gather(*waiting)


async def test_who_gave_up_is_not_committed_and_does_not_come_again():
    lanes = WriteQueue(PATIENCE)
    stays, leaves = await queued(lanes, Priority.URGENT, 2)
    runs = lanes.take()
    leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    assert not lanes.may_commit(runs)
    lanes.put_back(runs)
    runs = lanes.take()
    assert len(runs) == 1
    finish(lanes, runs)
    await stays


async def test_nobody_hears_that_nothing_was_done_once_the_commit_began():
    lanes = WriteQueue(dict.fromkeys(Priority, 0.01))
    (waiting,) = await queued(lanes, Priority.URGENT)
    runs = lanes.take()
    assert lanes.may_commit(runs)
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnsure):
            await waiting
    # The caller has stopped waiting, so nobody receives the outcome.
    lanes.deliver(runs)
    await asyncio.sleep(0)


async def test_what_nobody_waits_for_is_told_what_came_of_its_commit():
    lanes = WriteQueue(dict.fromkeys(Priority, 0.01))
    (waiting,) = await queued(lanes, Priority.STEADY)
    runs = lanes.take()
    assert lanes.may_commit(runs)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    runs[0].result = "done"
    lanes.deliver(runs)
    assert await waiting == "done"


async def test_everybody_is_turned_away_when_their_own_patience_is_out():
    lanes = WriteQueue({**PATIENCE, Priority.URGENT: 0.01})
    patient = await queued(lanes, Priority.STEADY)
    first = await queued(lanes, Priority.URGENT, 2)
    left = await queued(lanes, Priority.URGENT)
    left[0].cancel()
    async with asyncio.timeout(5):
        assert {type(error) for error in await asyncio.gather(*first, return_exceptions=True)} == {StoreBusy}
        # When nobody is waiting any more, another caller arrives.
        for _ in range(2):
            (later,) = await queued(lanes, Priority.URGENT)
            with pytest.raises(StoreBusy):
                await later
    runs = lanes.take()
    assert [run.priority for run in runs] == [Priority.STEADY]
    finish(lanes, runs)
    await asyncio.gather(*patient)


async def test_all_that_a_request_waits_for_has_one_patience_together(monkeypatch):
    monkeypatch.setattr("bot.store.database_thread.monotonic", lambda: 100.0)
    lanes, own = WriteQueue(PATIENCE_SECONDS), PATIENCE_SECONDS[Priority.STEADY]
    future = asyncio.get_running_loop().create_future()

    def left(began_at):
        return lanes._left(QueuedWork(print, Priority.STEADY, True, future, (), 100.0, began_at))

    assert left(None) == own
    assert left(99.0) == PATIENCE_SECONDS[Priority.URGENT] - 1.0
    # The patience is used up, but a database that answers at once may still finish.
    assert left(100.0 - PATIENCE_SECONDS[Priority.URGENT]) == pytest.approx(MIN_PATIENCE_SECONDS)
    # Work that outlives the request that began it doesn't share the request's patience.
    assert left(100.0 - REQUEST_SECONDS) == own


async def test_who_comes_while_another_waits_is_turned_away_after_them():
    lanes = WriteQueue(dict.fromkeys(Priority, 0.02))
    ended = []
    for name in ("first", "second"):
        (waiting,) = await queued(lanes, Priority.URGENT)
        waiting.add_done_callback(lambda done, name=name: ended.append((name, type(done.exception()))))
        await asyncio.sleep(0.005)
    async with asyncio.timeout(5):
        await asyncio.gather(waiting, return_exceptions=True)
    assert ended == [("first", StoreBusy), ("second", StoreBusy)]


async def test_when_the_process_ends_nobody_waits_longer_than_it_has_left():
    lanes = WriteQueue(PATIENCE)
    early = [*await queued(lanes, Priority.URGENT), *await queued(lanes, Priority.STEADY)]
    lanes.end_within(0.01)
    async with asyncio.timeout(5):
        for one in (*early, *await queued(lanes, Priority.STEADY)):
            with pytest.raises(StoreBusy):
                await one


async def test_a_queue_whose_thread_is_gone_refuses_all():
    lanes = WriteQueue(PATIENCE)
    waiting = await queued(lanes, Priority.STEADY, 3)
    lanes.end("the disk burnt")
    for one in waiting:
        with pytest.raises(StoreUnavailable, match="burnt"):
            await one
    with pytest.raises(StoreUnavailable, match="burnt"):
        await lanes.submit(nothing, Priority.URGENT, is_read=True)


async def test_writes_that_queue_up_share_commits_in_one_thread(tmp_path):
    engine = SqliteEngine(str(tmp_path / "usher.db"), FakeClock(), SystemIds())
    await engine.open()
    await engine.migrate()
    entered, leave = threading.Event(), threading.Event()
    threads, statements = set(), []

    def block(tx):
        tx._connection.set_trace_callback(statements.append)
        entered.set()
        assert leave.wait(10)

    def write(tx, number):
        threads.add(threading.current_thread().name)
        INBOX.add_new(tx, key=str(number), seen_at=tx.now(), result="")

    first = asyncio.ensure_future(engine.write(block, Priority.URGENT))
    await asyncio.get_running_loop().run_in_executor(None, entered.wait)
    rest = [
        asyncio.ensure_future(engine.write(lambda tx, n=n: write(tx, n), Priority.URGENT)) for n in range(20)
    ]
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(first, *rest)
    await engine.close()
    assert threads == {"store"}
    # An idle machine needs two commits: one for the job that blocked, one for all others.
    assert statements.count("COMMIT") < 20
    assert sum("INSERT INTO inbox" in statement for statement in statements) == 20
