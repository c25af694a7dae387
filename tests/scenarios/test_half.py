"""A worker that lost the connection on which it writes, beside a healthy one: as processes, on PostgreSQL."""

import asyncio
import os
import signal
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.messages.texts.problems import CAUSES, MESSAGE_NOT_RECORDED
from playground.processes import reserved_port
from tests.contract.store.postgres_faults import cut
from tests.project.repository import ROOT
from tests.rigs import postgres, postgres_tls, releases
from tests.rigs.scenario import SEED
from tests.rigs.scenario.people import BOT
from tests.scenarios.test_process import ProcessWorld

PASSWORD = "canary-1"
#: Slack takes one message a second for each person.
PEOPLE = ("alice", "bob", "carol")
ASKED = [(owner, f"{owner}-{number}") for number in range(10) for owner in PEOPLE]
SEEDED = {
    **SEED,
    "workspaces": [{"owner": owner, "name": name, "start_seconds": 0.1} for owner, name in ASKED],
    "jobs": [{"owner": "alice", "name": "nightly", "run_seconds": 20}],
}
#: Within so many seconds everything that was accepted is told.
TOLD = 60.0
#: The worker's connection that writes is the first that it makes.
WRITES = "SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY backend_start LIMIT 1"
OWNED = "SELECT name FROM owners WHERE owner = %s AND until > extract(epoch FROM clock_timestamp())"


class Half(ProcessWorld):
    """Run a web, and workers of which one has a role of its own in the database."""

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.url = postgres.new_database("usher_half")
        self.role = f"usher_half_{os.getpid()}"
        self.processes = []

    def environment(self):
        return super().environment() | {"USHER_DATABASE_URL": self.url, "USHER_PERSON_BURST": "100"}

    async def start_bot(self):
        self.write_connections()
        place = urlsplit(self.url)
        theirs = place._replace(netloc=f"{self.role}:{PASSWORD}@").geturl()
        await self.start("worker", USHER_DATABASE_URL=theirs)
        await self.start("web")
        self._install(f"http://127.0.0.1:{self.port}")

    async def start(self, role, **changes):
        port = self.port if role == "web" else reserved_port()
        env = self.variables() | {"PORT": str(port)} | changes
        log = self.folder / f"{len(self.processes)}-{role}.log"
        self.processes.append(await releases.started(ROOT, "-m", "bot", role, env=env, log=log))
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await self._is_ready(session, port):
                assert self.processes[-1].returncode is None, log.read_text()
                await asyncio.sleep(0.05)

    def rows(self, query, *given):
        with postgres.connected(self.url) as connection:
            return [row[0] for row in connection.execute(query, given or None)]

    async def until(self, query, *given):
        async with asyncio.timeout(60):
            while not self.rows(query, *given):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)

    def shut_out(self):
        """Let the one worker lose the connection that writes, and get no other."""
        (pid,) = self.rows(WRITES, self.role)
        (there,) = self.rows("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", self.role)
        with postgres.connected(self.url) as connection:
            connection.execute(f"ALTER ROLE {self.role} CONNECTION LIMIT {there - 1}".encode())
        cut(self.url, pid)

    async def stop_bot(self):
        for process in self.processes:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
        for log in sorted(self.folder.glob("*.log")):
            if log != self.folder / "usher.log":
                self.watch.log.write(log.read_text())

    def stored(self):
        return b""


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
    # It alone follows a run, and sends the connection's starts.
    await alice.types("run saturn nightly", command="/job")
    await half.until("SELECT 1 FROM owners WHERE starts_with(name, 'output:')")
    (first, *others) = ASKED
    await alice.types(f"start {first[1]}")
    await alice.waits_for("ready", first[1])
    (lost,) = half.rows("SELECT owner FROM owners WHERE starts_with(name, 'worker:')")
    assert len(half.rows(OWNED, lost)) == 3
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
    """Run a web whose database can be taken away, and a worker that keeps it."""

    async def start_bot(self):
        self.write_connections()
        theirs = urlsplit(self.url)._replace(netloc=f"{self.role}:{PASSWORD}@").geturl()
        await self.start("web", USHER_DATABASE_URL=theirs)
        await self.start("worker")
        self._install(f"http://127.0.0.1:{self.port}")

    def take_away(self):
        """Let the web have no connection any more."""
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
async def test_sentence_without_postgresql_is_answered_once(away):
    alice, events = away.alice, away.slack.events
    assert (await alice.types("whoami", then_settle=False)).is_private
    away.take_away()
    # Nor is the database called busy.
    assert CAUSES["store_unavailable"] in (await alice.types("list", then_settle=False)).text
    assert (await away.slack.say(alice.id, BOT, "what can you do?"))["ok"]
    (event_id,) = (name for name, one in events.deliveries.items() if "what can you" in str(one.payload))
    (shown,) = alice.hears()
    assert MESSAGE_NOT_RECORDED in shown.text
    # In another second than the first, or it would be a replay.
    await asyncio.sleep(1.5)
    assert not (await events.redeliver(event_id, 1)).ok
    assert len(alice.hears()) == 1
    away.bring_back()
    async with asyncio.timeout(30):
        while not (await events.redeliver(event_id, 2)).ok:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(1.5)
    assert await away.slack.state.wait_for(lambda: len(alice.hears()) == 2, 30.0)
    assert MESSAGE_NOT_RECORDED not in alice.hears()[-1].text
