"""A course in a channel, with its teacher, its members and its lessons."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest_asyncio

from tests.rigs.scenario import world
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.class_seeds import PUPILS, TRAINER, _saturn_seed, _slack_seed

ANN, BOB, CLEO = PUPILS[:3]


BERLIN = ZoneInfo("Europe/Berlin")


@pytest_asyncio.fixture
async def room(tmp_path):
    connection = {"name": "saturn", "provider": "saturn", "title": "Saturn Cloud", "linking": ["token"]}
    async with world(
        tmp_path, slack_seed=_slack_seed(), saturn_seed=_saturn_seed(), saturn_connection=connection
    ) as made:
        for user in (ANN, BOB):
            await made.person(user).has_linked(user.lower())
        await made.settle()
        await made.pass_time(15, step=5)
        yield made


def _begin(made):
    """Return a time for a lesson to begin: a full minute, not too soon or too close to midnight."""
    begin = datetime.fromtimestamp(made.clock.now(), BERLIN).replace(second=0, microsecond=0)
    begin += timedelta(minutes=20)
    return begin + timedelta(hours=2) if begin.hour >= 23 else begin


async def _until(made, moment, step=10):
    await made.pass_time(moment.timestamp() - made.clock.now(), step=step)


def _card(made):
    (card,) = [one for one in made.person(TRAINER).sees(GENERAL) if one.kind == "class_card"]
    return card


def _running(made):
    return sorted(one.owner.upper() for one in made.saturn.state.resources.values() if one.live())


async def _joins(made, user):
    """Press *Join* for a person, and return the last message that only this person sees."""
    return [one for one in await made.person(user).presses(_card(made), "Join") if one.is_private][-1]
