"""Calls of Slack are counted once for all processes on a database, whatever becomes of process and clock."""

import asyncio

import pytest

from bot.store.slack import WINDOW
from tests.contract.store.conftest import machines_clock
from tests.rigs.clock import FakeClock

POST = "chat.postMessage"


async def take(store, *, most=45, method="chat.update", **keys):
    return await store.take_slack_call("T1", method, most=most, **keys)


async def take_all(store, most=45):
    taken = 0
    while await take(store, most=most) == 0:
        taken += 1
    return taken


async def test_several_processes_on_one_database_stay_within_one_limit(database, clock):
    stores = [await database.open(), await database.open()]
    waits = await asyncio.gather(*(take(stores[number % 2]) for number in range(120)))
    assert waits.count(0) == 45
    assert all(wait == pytest.approx(WINDOW) for wait in waits if wait)
    assert {await store.slack_calls_made("T1", "chat.update") for store in stores} == {45}
    await stores[0].pause_slack_method("T1", "chat.update", 90.0)
    assert await stores[1].slack_calls_made("T1", "chat.update") is None
    clock.advance(60.0)
    assert await take(stores[1]) == pytest.approx(30.0)
    clock.advance(30.1)
    assert await take_all(stores[1]) == 45
    # What doesn't count any more isn't kept.
    assert await stores[0].slack_calls_made("T1", "chat.update") == 45


async def test_a_channel_is_paced_within_its_method_alone(store, clock):
    told = {"method": POST, "gap": 1.1}
    assert await take(store, channel="D1", **told) == 0
    assert await take(store, channel="D1", **told) == pytest.approx(1.1)
    assert await take(store, channel="D2", **told) == 0
    assert await take(store, channel="D1") == 0
    clock.advance(1.0)
    assert await take(store, channel="D1", **told) == pytest.approx(0.1)
    clock.advance(0.11)
    assert await take(store, channel="D1", **told) == 0


@machines_clock
@pytest.mark.parametrize("ahead", [-86_400.0, -30.0, -5.0, 5.0, 30.0, 86_400.0])
async def test_a_clock_that_is_moved_while_nobody_serves_neither_frees_nor_locks_out(database, clock, ahead):
    clock.jump(max(-ahead, 0.0))
    store = await database.open(serves=True)
    assert await take_all(store) == 45
    await store.pause_slack_method("T1", POST, 40.0)
    await store.close()
    clock.jump(ahead)
    clock.advance(20.0)
    store = await database.open(serves=True)
    assert await take(store) == pytest.approx(WINDOW - 20.0, abs=0.2)
    assert await take(store, method=POST) == pytest.approx(20.0, abs=0.2)
    clock.advance(WINDOW - 19.8)
    assert await take_all(store) == 45


@machines_clock
@pytest.mark.parametrize("ahead", [30.0, 86_400.0])
async def test_a_clock_that_is_set_ahead_while_it_serves_frees_nothing(store, clock, ahead):
    assert await take_all(store) == 45
    clock.jump(ahead)
    clock.advance(20.0)
    assert await take(store) == pytest.approx(WINDOW - 20.0, abs=0.2)


async def test_while_the_machine_sleeps_slacks_minute_passes(store, clock):
    assert await take_all(store) == 45
    clock.sleep(120.0)
    assert await take_all(store) == 45


@machines_clock
async def test_after_another_boot_the_longest_wait_is_a_minute(database, clock):
    clock.jump(86_400.0)
    store = await database.open(serves=True)
    assert await take_all(store) == 45
    await store.pause_slack_method("T1", POST, 3600.0)
    await store.close()
    there = FakeClock(clock.now() - 86_400.0)
    there.boot = lambda: "another boot"
    store = await database.open(clock=there, serves=True)
    assert 0 < await take(store) <= WINDOW
    # Slack says it again if it is still so.
    assert await take(store, method=POST) == 0
