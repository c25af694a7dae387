"""A course with its members, in the world of the reconciler's tests."""

from __future__ import annotations

import pytest

from bot.domain.workspaces import State
from tests.reconciler.classroom import TRAINER, people, post, press, seat
from tests.reconciler.hours import local

#: Mondays and Wednesdays in Berlin, for a month from 22 November 2027, which is a Monday.
LESSONS = {
    "days": frozenset({"mon", "wed"}),
    "starts": 9 * 60,
    "stops": 10 * 60 + 30,
    "first_day": "2027-11-22",
    "last_day": "2027-12-22",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
async def term(world):
    """A world at 08:00 on the day of the first lesson, where starts take 20 seconds."""
    world.provider.start_takes = 20.0
    world.clock.advance(local("08:00") - world.clock.now())
    return world


async def course(world, *students, state=State.STOPPED, **keys):
    """Post a course's card, and let these students join, each with a workspace."""
    card = await post(world, **LESSONS | keys)
    for one in students:
        await seat(world, one, state)
        await world.know(one)
        assert (await press(world, card, one)).result == "enrolled"
    return card


async def until(world, at, day=22, step=20.0):
    for one in [TRAINER, *people(3)]:
        await world.know(one, time_zone="Europe/Berlin")
    await world.pass_time(local(at, day) - world.clock.now(), step=step)


def state(world, number=0):
    return world.provider._moved(f"r-U{number:03}").state
