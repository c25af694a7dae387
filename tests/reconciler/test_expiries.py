"""Warnings before a workspace ends by itself: in time, once for each end, by fresh news."""

import pytest

from bot.domain.workspaces import OperationVerb, State
from tests.reconciler.sphere_world import PUBLIC_URL, sphere_world
from tests.rigs.store import hide_workspace

MINUTE = 60.0


@pytest.fixture
async def world():
    async with sphere_world(inactivity_minutes=15, retention_minutes=30) as made:
        yield made


def texts(world):
    return [message["text"] for message in world.told("ending")]


async def test_who_leaves_it_alone_is_warned_once_and_may_open_or_remove_it(world):
    row = await world.made()
    await world.pass_time(9 * MINUTE)
    assert texts(world) == []
    await world.pass_time(2 * MINUTE)
    (warning,) = world.told("ending")
    assert warning["text"] == "lab on Courses will stop in 5 min."
    labels = [button["text"]["text"] for button in warning["blocks"][-1]["elements"]]
    assert labels == ["Open", "Remove"]
    assert warning["blocks"][-1]["elements"][0]["url"] == f"{PUBLIC_URL}/ide/{row.id}"
    await world.pass_time(3 * MINUTE)
    assert len(texts(world)) == 1


async def test_what_is_used_meanwhile_is_warned_of_at_its_new_end(world):
    row = await world.made()
    await world.pass_time(10.5 * MINUTE)
    assert len(texts(world)) == 1
    world.machine(row).last_usage = world.clock.now()
    await world.pass_time(9 * MINUTE)
    assert len(texts(world)) == 1
    await world.pass_time(3 * MINUTE)
    assert len(texts(world)) == 2


async def test_what_was_used_shortly_before_is_not_warned_of(world):
    """The row still says the old end; the read that comes first knows better."""
    row = await world.made()
    await world.pass_time(8 * MINUTE)
    world.machine(row).last_usage = world.clock.now()
    await world.pass_time(4 * MINUTE)
    assert texts(world) == []


async def test_without_fresh_news_nobody_is_warned(world):
    row = await world.made()
    world.server.state.access_token = "changed"
    await world.pass_time(13 * MINUTE)
    assert texts(world) == []
    assert (await world.row(row)).state is State.RUNNING


async def test_a_second_life_counts_from_its_own_begin(world):
    """The server tells the last use of before; it is not over for that."""
    row = await world.made()
    world.machine(row).last_usage = world.clock.now()
    await world.world.until_ended(await world.world.begin(row, OperationVerb.STOP))
    await world.pass_time(20 * MINUTE)
    await world.world.until_ended(await world.world.begin(await world.row(row), OperationVerb.START))
    began = world.clock.now()
    assert abs((await world.row(row)).ends_at - began - 15 * MINUTE) < 15
    warned = len(texts(world))
    await world.pass_time(11 * MINUTE)
    assert len(texts(world)) == warned + 1
    assert world.machine(row).phase == "running"


async def test_a_stopped_one_is_warned_of_before_it_is_removed(world):
    row = await world.made()
    await world.world.until_ended(await world.world.begin(row, OperationVerb.STOP))
    await world.pass_time(24 * MINUTE)
    assert texts(world) == []
    await world.pass_time(2 * MINUTE)
    (warning,) = world.told("ending")
    assert warning["text"] == "Courses will remove lab in 5 min."
    labels = [button["text"]["text"] for button in warning["blocks"][-1]["elements"]]
    assert labels == ["Start", "Remove"]
    await world.pass_time(6 * MINUTE)
    assert len(texts(world)) == 1


async def test_who_has_it_stopped_or_forgotten_is_not_warned(world):
    row = await world.made()
    await hide_workspace(world.store, row.id)
    await world.pass_time(12 * MINUTE)
    assert texts(world) == []


async def test_a_restart_warns_nobody_twice(world):
    await world.made()
    await world.pass_time(11 * MINUTE)
    world.world.reborn()
    await world.pass_time(1 * MINUTE)
    assert len(texts(world)) == 1


async def test_the_gate_is_kept_all_the_while(world):
    await world.made()
    await world.pass_time(15 * MINUTE)
    assert world.server.harness.violations == []
