"""A web process, a worker and a database whose clocks are five and a half minutes apart."""

import asyncio

import aiohttp
import pytest

from bot.app import Outlets, Process, Role
from bot.support.settings import Settings
from tests.rigs import postgres
from tests.rigs.prometheus import Scrapes
from tests.scenarios.webs import Webs

#: A number of seconds: more than the five minutes for which Slack's requests are valid.
APART = 330.0
DATABASE = "database"


class Shifted:
    """A clock that is a number of seconds ahead of another."""

    def __init__(self, clock, seconds):
        self._clock = clock
        self._seconds = seconds

    def now(self):
        return self._clock.now() + self._seconds

    def monotonic(self):
        return self._clock.monotonic()

    def boot(self):
        return self._clock.boot()


class Apart(Webs):
    """A world in which one of the clocks differs from Slack's and the provider's."""

    def shifted(self, whose):
        return Shifted(self.clock, self._options["ahead"] if self._options["whose"] == whose else 0.0)

    def made(self, role, changes, stack):
        environment = {name: value for name, value in self.environment().items() if name != "PORT"}

        async def store(url, _clock, ids):
            return await postgres.open_store(url, self.shifted(DATABASE), ids)

        return Process(
            Settings(**environment, **changes),
            self.connections(),
            stack,
            role=role,
            clock=self.shifted(role),
            outlets=Outlets(store=store),
        )

    async def compared(self, process):
        """Compare a process's clock with Slack's, as happens every minute. Return by how much it is ahead."""
        await process._compare_clocks()
        address = f"http://127.0.0.1:{process.port}/readyz"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            assert answer.status == 200
        scrapes = Scrapes()
        await scrapes.take(process.port)
        return scrapes.last("usher_clock_ahead_seconds")


async def apart(folder, whose, ahead):
    settings = {"USHER_DATABASE_URL": await postgres.migrated()}
    return Apart(folder, {"settings": settings, "whose": whose, "ahead": ahead, "sign_in": True}).running()


@pytest.mark.parametrize("ahead", [APART, -APART])
@pytest.mark.parametrize("whose", [Role.WORKER, DATABASE])
async def test_where_a_workers_or_the_databases_clock_is_wrong_requests_are_taken(tmp_path, whose, ahead):
    async with await apart(tmp_path, whose, ahead) as webs:
        await webs.alice.links("alice")
        await webs.alice.types("start training")
        await webs.pass_time(30)
        assert len(webs.alice.told("ready")) == 1
        assert abs(await webs.compared(webs.webs[0])) < 2
        assert webs.webs[0].clock.now() - webs.clock.now() == (ahead if whose == DATABASE else 0.0)


@pytest.mark.parametrize("ahead", [APART, -APART])
async def test_where_a_webs_clock_is_wrong_requests_are_refused_and_that_is_said(tmp_path, ahead):
    async with await apart(tmp_path, Role.WEB, ahead) as webs:
        said = await asyncio.gather(*(webs.status("training") for _ in range(8)))
        assert not any(answer["ok"] for answer in said)
        assert abs(await webs.compared(webs.webs[0]) - ahead) < 2
        scrapes = Scrapes()
        await scrapes.take(webs.webs[0].port)
        assert scrapes.last("usher_slack_requests_refused_total", reason="time") == 8
        scrapes.stays(180)
        scrapes.fire(["UsherClock"], tmp_path)
