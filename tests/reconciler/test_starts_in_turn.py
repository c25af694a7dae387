"""Starts on one connection: in the order of the presses, within its limit, and delayed if it asks."""

from itertools import pairwise

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.reconciler.runtimes import MIN_PEOPLE_OF_SHARED_LIMIT
from bot.store import workspaces
from bot.support.errors import RateLimited
from tests.reconciler.classroom import people, post, press, seat
from tests.reconciler.world import new_world
from tests.rigs.providers import FakeProvider, fake_settings


def ruled(per_second):
    def made(clock):
        return FakeProvider(clock, fake_settings("cloud", title="Cloud", starts_per_second=per_second))

    return made


def starts(world):
    return [one for one in world.provider.calls if one.method == "start"]


async def class_of(world, count):
    card, everybody = await post(world), people(count)
    for principal in everybody:
        await seat(world, principal)
    await world.pass_time(2)
    return card, everybody


async def test_nobody_is_overtaken_and_the_rule_is_kept():
    async with new_world(ruled(2.0)) as world:
        card, everybody = await class_of(world, 20)
        for principal in everybody:
            await press(world, card, principal)
            await world.pass_time(0.2, step=0.1)
        await world.pass_time(30, step=0.1)
        made = starts(world)
        assert [one.remote_id for one in made] == [f"r-{principal.user_id}" for principal in everybody]
        # Never more than two in any second; the clock moves in steps of a tenth.
        assert min(later.at - earlier.at for earlier, later in pairwise(made)) > 0.49
        assert made[-1].at - made[0].at < 20 / 2.0 * 1.3


@pytest.mark.parametrize(("per_second", "lives"), [(4.0, 2.0), (0.5, 4.0)])
async def test_the_rule_is_kept_by_a_process_that_is_killed_again_and_again(per_second, lives):
    async with new_world(ruled(per_second)) as world:
        card, everybody = await class_of(world, 8)
        for principal in everybody:
            await press(world, card, principal)
        for _ in range(12):
            world.reborn()
            await world.pass_time(lives, step=0.1)
        made = [one.at for one in starts(world)]
        assert len(made) == 8
        period = max(1.0, 1.0 / per_second)
        most = max(sum(at - period < one <= at for one in made) for at in made)
        assert most <= per_second * period


async def test_a_limit_that_several_met_holds_all_later_starts_instead_of_each_finding_out():
    async with new_world() as world:
        card, everybody = await class_of(world, 12)
        world.provider.fail(
            "start", RateLimited("too many", retry_after=8.0), times=MIN_PEOPLE_OF_SHARED_LIMIT
        )
        for principal in everybody[:MIN_PEOPLE_OF_SHARED_LIMIT]:
            await press(world, card, principal)
        await world.pass_time(2)
        assert len(starts(world)) == MIN_PEOPLE_OF_SHARED_LIMIT
        for principal in everybody[MIN_PEOPLE_OF_SHARED_LIMIT:]:
            await press(world, card, principal)
        await world.pass_time(4)
        assert len(starts(world)) == MIN_PEOPLE_OF_SHARED_LIMIT
        await world.pass_time(60)
        assert len(starts(world)) == 12 + MIN_PEOPLE_OF_SHARED_LIMIT
        began = starts(world)[MIN_PEOPLE_OF_SHARED_LIMIT - 1].at
        assert min(one.at for one in starts(world)[MIN_PEOPLE_OF_SHARED_LIMIT:]) >= began + 7.9
        assert {world.provider._moved(key).state for key in world.provider.machines} == {State.RUNNING}


async def test_stops_wait_for_no_turn():
    async with new_world(ruled(1.0)) as world:
        card, everybody = await class_of(world, 5)
        for principal in everybody:
            await press(world, card, principal)
        await world.pass_time(20)
        rows = [
            (await world.store.perform(workspaces.read_workspaces, principal))[0] for principal in everybody
        ]
        for row in rows:
            await world.begin(row, OperationVerb.STOP)
        await world.pass_time(14)
        stops = [one.at for one in world.provider.calls if one.method == "stop"]
        assert len(stops) == 5
