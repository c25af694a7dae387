"""A bot with two web processes and a worker. Either web process handles any request, but only once."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from bot.app import Role
from bot.store.postgres_transaction import WRITING
from playground.processes import reserved_port
from tests.rigs import postgres
from tests.rigs.scenario.people import BOT, GENERAL
from tests.scenarios.webs import Webs

#: SQL that takes the lock that all writers wait for.
LOCK_OUT = f"SELECT pg_advisory_lock({WRITING}, hashtext(coalesce(current_schema(), '')))".encode()


@pytest_asyncio.fixture
async def webs(tmp_path):
    settings = {"USHER_DATABASE_URL": await postgres.migrated()}
    async with Webs(tmp_path, {"settings": settings}).running() as ready:
        await ready.alice.links("alice")
        yield ready


@pytest_asyncio.fixture
async def over_sockets(tmp_path):
    settings = {"USHER_DATABASE_URL": await postgres.migrated()}
    async with Webs(tmp_path, {"settings": settings, "socket": True}).running() as ready:
        yield ready


async def test_the_same_signed_bytes_at_two_webs_have_one_effect(webs):
    alice = webs.alice
    await alice.types("start training", then_settle=False)
    asked = len(webs.slack.dispatcher.sent) - 1
    await webs.settle()
    await webs.pass_time(30)
    assert webs.calls("POST .*/start") == 1
    ready = alice.only("ready")
    await alice.presses(ready, "Stop")
    assert await webs.replayed_at(1) == 200
    await webs.settle()
    await webs.pass_time(30)
    assert webs.calls("POST .*/stop") == 1
    # By now, there is no operation that a repeated start could join.
    assert await webs.replayed_at(1, asked) == 200
    await webs.pass_time(30)
    assert webs.calls("POST .*/start") == 1
    # Once a web has read the signatures that the others have seen, it recognises a replay without a query.
    for web in webs.webs:
        await web._replays.share(web.store)
    assert await webs.replayed_at(1) == 200
    await webs.pass_time(61)
    assert await webs.replayed_at(1) == 401
    assert len(alice.told("ready")) == 1


async def test_what_begins_at_one_web_goes_on_at_another(webs):
    alice = webs.alice
    await alice.types("start training")
    webs.goes_to(1)
    await webs.pass_time(30)
    await alice.presses(alice.only("ready"), "Stop")
    await webs.pass_time(30)
    assert webs.calls("POST .*/stop") == 1


async def test_what_a_worker_lacks_the_key_for_waits_until_it_has_it(tmp_path):
    """The webs have been restarted with a new key, and the worker is restarted later."""
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    both = {"USHER_ENCRYPTION_KEYS": f"{new},{old}"}
    settings = {"USHER_DATABASE_URL": await postgres.migrated(), **both}
    async with Webs(tmp_path, {"settings": settings}).running() as world:
        for keys, seconds in (({"USHER_ENCRYPTION_KEYS": old}, 60), (both, 120)):
            world.bot = await world._started(Role.WORKER, keys)
            for process in (*world.webs, world.bot):
                await process.owners.renew()
            assert world.bot.owners.lacks_keys is (keys is not both)
            if keys is not both:
                await world.alice.links("alice")
                await world.alice.types("start training")
            await world.pass_time(seconds)
            assert "Link again" not in str([shown.text for shown in world.alice.sees(GENERAL)])
        assert world.alice.only("ready")
        assert world.calls("POST .*/start") == 1


async def test_over_socket_mode_two_webs_lose_and_double_nothing_while_connections_come_and_go(over_sockets):
    webs, alice = over_sockets, over_sockets.alice
    sockets, state = webs.slack.sockets, webs.slack.state
    await alice.links("alice")
    names = ("training", "notebook")
    for name in names:
        assert await state.wait_for(lambda: len(sockets.open) == 4)
        old = list(sockets.open)
        asked = [asyncio.create_task(webs.status(name)) for _ in range(4)]
        starting = asyncio.create_task(webs.slack.say(alice.id, BOT, f"start {name}"))
        # In the middle of this, Slack asks to replace all connections, and keeps them until the new ones are
        # open.
        await sockets.disconnect(close=False)
        asked += [asyncio.create_task(webs.status(name)) for _ in range(4)]
        assert (await starting)["ok"]
        assert all(answer["ok"] for answer in await asyncio.gather(*asked))
        assert await state.wait_for(lambda: len(set(sockets.open) - set(old)) == 4)  # noqa: B023 - waited for
        # Slack repeats envelopes that may not have arrived, on any of the connections.
        started = next(one for one in reversed(sockets.sent) if f"start {name}" in str(one["payload"]))
        again = [
            sockets.deliver({**started, "envelope_id": f"{name}-{number}", "retry_attempt": 1}, 3.0, one)
            for number, one in enumerate(sockets.open)
        ]
        assert all(reply.ok for reply in await asyncio.gather(*again))
        for one in old:
            await one.close()
        await webs.pass_time(60, step=5)
    assert webs.calls("POST .*/start") == len(names)
    assert (len(alice.told("card")), len(alice.told("ready"))) == (0, len(names))
    assert webs.slack.harness.violations == []


async def test_a_process_ends_in_time_while_the_database_takes_nothing(webs):
    process = webs.made(Role.SERVE, {"PORT": str(reserved_port())}, stack := AsyncExitStack())
    process.ends_within = 0.1, 0.2
    await process.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    with postgres.connected(webs.settings().database_url) as other:
        other.execute(LOCK_OUT)
        async with asyncio.timeout(8):
            await stack.aclose()
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_each_process_answers_for_itself(webs, path):
    async with aiohttp.ClientSession() as session:
        for web in webs.webs:
            async with session.get(f"http://127.0.0.1:{web.port}{path}") as answer:
                assert answer.status == 200
    assert webs.bot.port == 0
