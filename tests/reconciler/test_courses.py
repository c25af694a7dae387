"""A course from its card to its last lesson: who joins has a workspace ready when a lesson begins."""

from __future__ import annotations

import pytest

from bot.domain.workspaces import State
from tests.reconciler.classroom import TRAINER, people, post, press, seat, shown, told
from tests.reconciler.test_hours import became, local

#: Mondays and Wednesdays in Berlin, for a month from the 22nd of November 2027, which is a Monday.
LESSONS = {
    "days": frozenset({"mon", "wed"}),
    "starts": 9 * 60,
    "stops": 10 * 60 + 30,
    "first_day": "2027-11-22",
    "last_day": "2027-12-22",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
async def world(world):
    world.provider.start_takes = 20.0
    world.clock.advance(local("08:00") - world.clock.now())
    return world


async def course(world, *students, state=State.STOPPED, **keys):
    """Post a course's card that these join, each with a workspace."""
    card = await post(world, **LESSONS | keys)
    for one in students:
        await seat(world, one, state)
        await world.know(one)
        assert (await press(world, card, one)).result == "enrolled"
    return card


async def until(world, at, day=22, step=20.0):
    for one in [TRAINER, *people(3)]:
        await world.know(one)
    await world.pass_time(local(at, day) - world.clock.now(), step=step)


def state(world, number=0):
    return world.provider._moved(f"r-U{number:03}").state


async def test_who_joined_is_ready_at_the_begin_and_stopped_at_the_end(world):
    alice, bob, cleo = people(3)
    card = await course(world, alice, bob)
    await until(world, "08:50")
    assert world.provider.accepted_starts == []
    await until(world, "08:59")
    assert (state(world, 0), state(world, 1)) == (State.RUNNING, State.RUNNING)
    assert told(world, alice) == []
    await until(world, "09:00", step=5)
    await world.pass_time(10, step=2)
    assert told(world, alice) == ["Statistics is starting, and your workspace is ready."]
    assert "2 of 2 are ready" in str(shown(world)["blocks"])
    # Who joins while it is on is started at once.
    await seat(world, cleo)
    assert (await press(world, card, cleo)).result == "started"
    await world.pass_time(40, step=5)
    assert "is ready" in told(world, cleo)[-1]
    await until(world, "10:29")
    assert "will be stopped in" in told(world, alice)[-1]
    await until(world, "10:33")
    assert {state(world, number) for number in range(3)} == {State.STOPPED}
    assert "are ready" not in str(shown(world)["blocks"])
    assert await became(world) == [
        *[("22T09:00", "start", "started")] * 3,
        *[("22T10:30", "stop", "timer")] * 3,
    ]
    starts = len(world.provider.accepted_starts)
    await until(world, "08:59", day=24, step=120)
    assert len(world.provider.accepted_starts) == starts + 3
