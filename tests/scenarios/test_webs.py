"""Two webs and a worker on one PostgreSQL, in a time that stands still: any takes any request, each once."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio

from bot.app import Outlets, Process, Role
from bot.support.settings import Settings
from tests.rigs import postgres
from tests.rigs.ports import quiet_port
from tests.rigs.scenario import World


class Webs(World):
    """Run each role in this process; the loops are stepped."""

    webs: list[Process]

    async def start_bot(self) -> None:
        self.bot = await self._started(Role.WORKER, {})
        # The first one is where the pages' addresses lead.
        self.webs = [await self._started(Role.WEB, {"PORT": str(port)}) for port in (self.port, quiet_port())]
        self.goes_to(0)

    async def _started(self, role: Role, changes: dict[str, str]) -> Process:
        environment = {name: value for name, value in self.environment().items() if name != "PORT"}
        process = Process(
            Settings(**environment, **changes),
            self.connections(),
            self._bot_stack,
            role=role,
            clock=self.clock,
            outlets=Outlets(store=postgres.open_store),
        )
        await process.start(loops=False)
        return process

    def goes_to(self, web: int) -> None:
        """Send what Slack sends to one of the webs from now on."""
        self._install(f"http://127.0.0.1:{self.webs[web].port}")

    async def replayed_at(self, web: int) -> int:
        """Send the last request's very bytes to a web; return its status."""
        dispatcher = self.slack.dispatcher
        last = dispatcher.sent[-1]
        url = last.url.replace(f":{self.webs[0].port}/", f":{self.webs[web].port}/")
        dispatcher.sent[-1] = replace(last, url=url)
        return (await dispatcher.replay()).status


@pytest_asyncio.fixture
async def webs(tmp_path):
    settings = {"USHER_DATABASE_URL": await postgres.migrated()}
    async with Webs(tmp_path, {"settings": settings}).running() as ready:
        await ready.alice.links("alice")
        yield ready


async def test_the_same_signed_bytes_at_two_webs_have_one_effect(webs):
    alice = webs.alice
    await alice.types("start training", then_settle=False)
    assert await webs.replayed_at(1) == 200
    await webs.settle()
    (card,) = alice.told("card")
    await webs.pass_time(30)
    assert webs.calls("POST .*/start") == 1
    ready = alice.only("ready")
    await alice.presses(ready, "Stop")
    assert await webs.replayed_at(1) == 200
    await webs.settle()
    assert webs.calls("POST .*/stop") <= 1
    # Once it has read what the others have seen, it doesn't even look.
    for web in webs.webs:
        await web._replays.share(web.store)
    assert await webs.replayed_at(1) == 401
    assert len(alice.told("card")) == 2, card


async def test_what_begins_at_one_web_goes_on_at_another(webs):
    alice = webs.alice
    await alice.types("start training")
    webs.goes_to(1)
    await webs.pass_time(30)
    await alice.presses(alice.only("ready"), "Stop")
    await webs.pass_time(30)
    assert webs.calls("POST .*/stop") == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_each_process_answers_for_itself(webs, path):
    async with aiohttp.ClientSession() as session:
        for web in webs.webs:
            async with session.get(f"http://127.0.0.1:{web.port}{path}") as answer:
                assert answer.status == 200
    assert webs.bot.port == 0
