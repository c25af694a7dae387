"""Schedules of jobs: set as a task, and never in another order than they were asked for."""

import pytest

from bot.domain.tasks import TaskKind
from bot.providers import facets
from bot.store import tasks
from bot.store.tasks import NewTask
from bot.support.errors import Unreachable
from tests.reconciler.world import new_world
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE


class Cron(FakeProvider, facets.Schedules):
    """Keep what was set last."""

    cron: str | None = ""

    def list_scheduled_jobs(self, snapshot):
        raise AssertionError("no list of jobs is drawn here")

    async def schedule(self, access, run_id, cron):
        self._note("schedule", access, run_id)
        self._raise("schedule", after=False)
        self.cron = cron


@pytest.fixture
async def cron_world():
    async with new_world(Cron) as made:
        yield made


async def ask(cron_world, account, cron):
    payload = {
        "account": account.id,
        "principal": ALICE.key,
        "connection": "cloud",
        "job": "j1",
        "name": "etl",
    }
    subject = f"{account.id}/j1/{cron_world.ids.reference()}"
    await cron_world.store.write(
        tasks.add_tasks, [NewTask(TaskKind.SCHEDULE, subject, payload | {"cron": cron})]
    )


def told(cron_world):
    return [one["text"] for one in cron_world.slack.messages]


async def test_what_had_to_wait_is_not_set_after_what_was_asked_for_later(cron_world):
    account = await cron_world.link()
    cron_world.provider.fail("schedule", Unreachable("no connection"))
    await ask(cron_world, account, "0 3 * * *")
    await cron_world.work()
    assert told(cron_world) == []
    cron_world.clock.advance(0.1)
    await ask(cron_world, account, "0 5 * * *")
    await cron_world.pass_time(60)
    assert cron_world.provider.cron == "0 5 * * *"
    assert cron_world.provider.count("schedule") == 2
    texts = sorted(told(cron_world))
    assert "will run on the schedule 0 5 * * *" in texts[1]
    assert "schedule of etl on Fake Cloud. You've asked for something else since" in texts[0]


async def test_one_after_the_other_both_are_set(cron_world):
    account = await cron_world.link()
    await ask(cron_world, account, "0 3 * * *")
    await cron_world.work()
    assert cron_world.provider.cron == "0 3 * * *"
    cron_world.clock.advance(1.0)
    await ask(cron_world, account, "")
    await cron_world.pass_time(5)
    assert cron_world.provider.cron is None
    assert "no longer runs on a schedule" in told(cron_world)[-1]
