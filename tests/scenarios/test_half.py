"""Processes on PostgreSQL: a worker that has lost the connection on which it writes, and a healthy one."""

import asyncio
import os
from urllib.parse import urlsplit

import pytest

from bot.commands.serving import WORKER_NICENESS
from bot.messages.texts.problems import CAUSES, MESSAGE_NOT_RECORDED
from tests.contract.store.postgres_faults import cut
from tests.rigs import postgres, postgres_tls
from tests.rigs.scenario.people import BOT
from tests.scenarios.half import ASKED, PASSWORD, PEOPLE, SEEDED, Half

#: Time, in seconds, within which all accepted work must be reported.
TOLD = 60.0
OWNED = "SELECT name FROM owners WHERE owner = %s AND until > extract(epoch FROM clock_timestamp())"


@pytest.fixture
async def half(tmp_path):
    made = Half(tmp_path, {"live": True, "saturn_seed": SEEDED})
    with postgres_tls.owned_by(made.url, made.role, PASSWORD):
        async with made.running() as ready:
            yield ready


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_all_that_was_accepted_is_told_though_a_worker_can_write_nothing(half):
    alice, people = half.alice, {name: getattr(half, name) for name in PEOPLE}
    for name, person in people.items():
        await person.links(name)
    # This worker is the only one that follows the run and sends the connection's starts.
    await alice.types("run saturn nightly", command="/job")
    await half.until("SELECT 1 FROM owners WHERE starts_with(name, 'output:')")
    (first, *others) = ASKED
    await alice.types(f"start {first[1]}")
    await alice.waits_for("ready", first[1])
    (lost,) = half.rows("SELECT owner FROM owners WHERE starts_with(name, 'worker:')")
    owned = sorted(name.partition(":")[0] for name in half.rows(OWNED, lost))
    assert owned == ["connection", "key", "output", "starts", "worker"]
    await half.start("worker")
    half.shut_out()
    asked_at = asyncio.get_running_loop().time()
    for owner, name in others:
        await people[owner].types(f"start {name}")
    for owner, name in others:
        left = TOLD - (asyncio.get_running_loop().time() - asked_at)
        await people[owner].waits_for("ready", f"*{name}*", max(left, 0.1))
    await alice.waits_for("job_ended", "nightly", 60.0)
    for owner, person in people.items():
        told = [one.text.split("*")[1] for one in person.told("ready")]
        assert sorted(told) == sorted(name for of, name in ASKED if of == owner)
    assert half.rows(OWNED, lost) == []


class Away(Half):
    """Runs a web process that can be cut off from the database, and a worker that stays connected."""

    async def start_bot(self):
        self.write_connections()
        theirs = urlsplit(self.url)._replace(netloc=f"{self.role}:{PASSWORD}@").geturl()
        await self.start("web", USHER_DATABASE_URL=theirs)
        await self.start("worker")
        self._install(f"http://127.0.0.1:{self.port}")

    def take_away(self):
        """Close all database connections of the web process, and prevent it from getting others."""
        with postgres.connected(self.url) as connection:
            connection.execute(f"ALTER ROLE {self.role} NOLOGIN".encode())
        for pid in self.rows("SELECT pid FROM pg_stat_activity WHERE usename = %s", self.role):
            cut(self.url, pid)

    def bring_back(self):
        with postgres.connected(self.url) as connection:
            connection.execute(f"ALTER ROLE {self.role} LOGIN".encode())


@pytest.fixture
async def away(tmp_path):
    made = Away(tmp_path, {"live": True})
    with postgres_tls.owned_by(made.url, made.role, PASSWORD):
        async with made.running() as ready:
            yield ready


@pytest.mark.timeout(120)
async def test_worker_has_a_lower_cpu_priority_than_a_web(away):
    web, worker = (os.getpriority(os.PRIO_PROCESS, process.pid) for process in away.processes)
    assert worker - web == WORKER_NICENESS


@pytest.mark.timeout(120)
async def test_sentence_without_postgresql_is_answered_once(away):
    alice, events = away.alice, away.slack.events
    assert (await alice.types("about", then_settle=False)).is_private
    away.take_away()
    # The answer doesn't say that the database is busy, either.
    assert CAUSES["store_unavailable"] in (await alice.types("list", then_settle=False)).text
    assert (await away.slack.say(alice.id, BOT, "what can you do?"))["ok"]
    (event_id,) = (name for name, one in events.deliveries.items() if "what can you" in str(one.payload))
    (shown,) = alice.hears()
    assert MESSAGE_NOT_RECORDED in shown.text
    # Wait for the next second. Otherwise, the request would count as a replay.
    await asyncio.sleep(1.5)
    assert not (await events.redeliver(event_id, 1)).ok
    assert len(alice.hears()) == 1
    away.bring_back()
    async with asyncio.timeout(30):
        while not (await events.redeliver(event_id, 2)).ok:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(1.5)
    assert await away.slack.state.wait_for(lambda: len(alice.hears()) == 2, 30.0)
    assert MESSAGE_NOT_RECORDED not in alice.hears()[-1].text
