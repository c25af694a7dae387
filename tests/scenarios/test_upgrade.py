"""Upgrades: unfinished work is done exactly once, and processes stop once a newer release has migrated."""

import asyncio

import aiohttp
import pytest
import pytest_asyncio

from bot.app import Outlets, Process, Role
from bot.domain.tasks import TaskKind
from bot.store import tasks
from bot.store.postgres import PostgresEngine
from bot.store.schema import read_migrations
from bot.store.sqlite import SqliteEngine
from bot.store.store import Store
from bot.store.tasks import NewTask
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreInUse
from bot.support.release import RELEASE
from bot.support.settings import Settings
from bot.support.settings.database import is_postgres
from playground.processes import reserved_port
from tests.rigs import earlier, forked, postgres
from tests.rigs.scenario import ID
from tests.rigs.scenario.cloud import SEED, CloudWorld
from tests.rigs.scenario.commands import ProcessWorld
from tests.rigs.scenario.people import GENERAL
from tests.rigs.scenario.stage import inject_fault

SEEDED = {
    **SEED,
    "workspaces": [
        {"owner": "alice", "name": "notebook", "id": ID["notebook"], "start_seconds": 25},
        {"owner": "alice", "name": "training", "id": ID["training"], "start_seconds": 5},
        {"owner": "alice", "name": "report", "id": ID["report"], "status": "running"},
        {"owner": "alice", "name": "lab", "start_seconds": 1},
        {"owner": "alice", "name": "analysis", "start_seconds": 1},
        {"owner": "alice", "name": "gpu", "instance_type": "g4dnxlarge", "start_seconds": 1},
        {"owner": "bob", "name": "gpu", "instance_type": "g4dnxlarge", "status": "running"},
        {"owner": "bob", "name": "notebook", "start_seconds": 1},
    ],
    "jobs": [{"owner": "alice", "name": "nightly", "run_seconds": 90}],
}
#: Tasks about things that no longer exist. They only have to be finished.
TASKS = [
    NewTask(TaskKind.FAN_OUT, "g", {"what": "departed", "principal": "T1:U1", "stage": 0, "after": ""}),
    NewTask(TaskKind.REVOKE_CREDENTIAL, "nobody", {"tell": False}),
    *(
        NewTask(kind, "nobody")
        for kind in (TaskKind.RENEW_CREDENTIAL, TaskKind.LOOK_UP_USER, TaskKind.ASK_ACCOUNT_OWNERS)
    ),
]


class Upgraded(CloudWorld):
    """A world on either kind of database, which can be converted to an earlier release's."""

    def _is_postgres(self):
        return is_postgres(self.settings().database_url)

    async def _open_store(self, url, clock, ids):
        opened = postgres.open_store if is_postgres(url) else super()._open_store
        return await opened(url, clock, ids)

    def _new_engine(self, scripts=None):
        url = self.settings().database_url
        made = PostgresEngine if is_postgres(url) else SqliteEngine
        return made(url.removeprefix("sqlite:///"), SystemClock(), SystemIds(), scripts=scripts)

    async def _run(self, work, scripts=None):
        """Run a function on the database, after applying these migrations."""
        engine = self._new_engine(scripts)
        await engine.open()
        try:
            if scripts is not None:
                await engine.migrate()
            return await engine.write(lambda tx: work(tx, is_postgres=self._is_postgres()))
        finally:
            await engine.close()

    async def become(self, release, change=lambda rows: rows):
        """Convert the database to an earlier release, with its rows changed, and use that one from now on."""
        rows = earlier.as_of(release, change(await self._run(earlier.read_rows)))
        if self._is_postgres():
            self._options["settings"]["USHER_DATABASE_URL"] = postgres.new_database("usher_earlier")
        else:
            for path in self.folder.glob("usher.db*"):
                path.unlink()
        await self._run(
            lambda tx, **about: earlier.write_rows(tx, rows, **about), earlier.scripts_of(release)
        )

    async def count(self, rows):
        found = await self.bot.store.engine.read(lambda tx: tx.one(f"SELECT COUNT(*) AS count FROM {rows}"))
        return found["count"]


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def world(tmp_path, request):
    settings = {}
    if request.param == "postgres":
        settings["USHER_DATABASE_URL"] = await postgres.migrated()
    async with Upgraded(tmp_path, {"saturn_seed": SEEDED, "settings": settings}).running() as ready:
        await ready.alice.has_linked("alice")
        await ready.bob.has_linked("bob")
        yield ready


def count(person, kind, name):
    """Count a person's messages of a kind that name a workspace or a run."""
    return sum(f"*{name}*" in one.text for one in person.told(kind))


def calls(world, name, verb, owner="alice"):
    """Count the calls that start or stop a workspace."""
    return world.calls(f"POST /api/workspaces/{world.resource(name, owner).id}/{verb}$")


async def begin(world, release):
    """Start work of every kind, and leave it unfinished: sent, not yet sent, planned, or not yet reported."""
    alice, bob = world.alice, world.bob
    await alice.types("start notebook")
    await alice.types("stop report in 20 minutes")
    await alice.types("hours analysis every day 8:10-8:40")
    await alice.types("card notebook --title Biology --hours fri 9:00-9:30")
    await bob.presses(next(one for one in bob.sees(GENERAL) if one.kind == "class_card"), "Join")
    await alice.types("run saturn nightly", command="/job")
    await world.carol.types("link saturn carol")
    world.saturn.state.limits.gpus = 1
    await alice.types("queue gpu until 9:00")
    # From here on, Slack refuses all messages.
    world.slack_fails("chat.postMessage", status=503, times=1000)
    await alice.types("start lab")
    await world.pass_time(12)
    await world.bot.store.write(tasks.add_tasks, TASKS)
    await alice.types("start training", then_settle=False)
    await world.stop_bot()
    world.heal()


@pytest.mark.parametrize("release", ["0.3.1"], ids=str)
async def test_open_work_of_an_earlier_release_is_done_once(world, release):
    alice, bob = world.alice, world.bob
    await begin(world, release)
    await world.become(release)
    await world.start_bot()
    assert await world.count("operations WHERE outcome IS NULL") > 1
    assert await world.count("notices WHERE state <> 'sent'") > 0
    await world.pass_time(300)
    world.resource("gpu", "bob").force("stopped", world.clock.now())
    await world.pass_time(5700)
    started = ["notebook", "training", "lab", "analysis", "gpu"]
    assert {name: count(alice, "ready", name) for name in started} == dict.fromkeys(started, 1)
    assert count(alice, "job_ended", "nightly") == 1
    for name in ("report", "analysis"):
        assert (count(alice, "stop_warning", name), count(alice, "stopped", name)) == (1, 1)
    (warning,) = [one for one in bob.sees() if "*Biology* is over" in one.text]
    assert "*notebook* on Saturn Cloud was stopped" in warning.text
    # Each start was called once, and each planned stop was carried out with one call.
    assert {name: calls(world, name, "start") for name in started[:4]} == dict.fromkeys(started[:4], 1)
    assert [calls(world, name, "stop") for name in ("report", "analysis")] == [1, 1]
    assert [calls(world, "notebook", verb, "bob") for verb in ("start", "stop")] == [1, 1]
    assert sum(one.started_at is not None for one in world.job("nightly").runs) == 1
    assert await world.count("operations WHERE outcome IS NULL") == 0
    assert await world.count("runs WHERE outcome IS NULL") == 0
    assert await world.count("notices WHERE state <> 'sent'") == 0
    left = ", ".join(f"'{one.kind}'" for one in TASKS)
    assert await world.count(f"tasks WHERE kind IN ({left}) AND subject IN ('g', 'nobody')") == 0


async def test_open_forms_and_buttons_work_after_an_upgrade(world):
    """A button on a warning and an open form, both from before the upgrade, still work."""
    alice = world.alice
    await alice.types("stop report in 15 minutes")
    await world.pass_time(400)
    warning = alice.only("stop_warning")
    await world.slack.say(alice.id, GENERAL, "/workspace settings")
    await world.settle()
    await alice.types("notify notebook off")
    chosen = "workspaces WHERE notify_ready = 0 AND notify_stopped = 0"
    assert await world.count(chosen) == 1
    await world.stop_bot()
    await world.become("0.3.1")
    await world.start_bot()
    assert await world.count(chosen) == 1
    assert (await alice.submits(tell=["stopped"]))["ok"]
    assert await world.count("preferences WHERE ready = 0 AND stopped = 1") == 1
    await alice.presses(warning, "Keep running")
    assert await world.count("workspaces WHERE stop_at IS NOT NULL") == 0


#: The migrations that the next release adds.
NEXT = {"0101_next": "CREATE TABLE next (id TEXT PRIMARY KEY);"}
#: SQL that lets the leases of the stopped processes expire, as they would after a minute.
EXPIRED = """
UPDATE operations SET leased_until = 0, next_step_at = 0 WHERE outcome IS NULL;
UPDATE runs SET leased_until = 0, next_step_at = 0 WHERE outcome IS NULL;
UPDATE notices SET due_at = 0 WHERE state = 'leased';
UPDATE tasks SET due_at = 0 WHERE is_leased = 1;
DELETE FROM owners;
"""
ROLES = (Role.WEB, Role.WEB, Role.WORKER, Role.WORKER)
WAITS = {
    **SEED,
    "workspaces": [{"owner": "alice", "name": name, "start_seconds": 6} for name in ("notebook", "training")],
    "jobs": [{"owner": "alice", "name": "nightly", "run_seconds": 12}],
}


class Split(ProcessWorld):
    """Runs two web processes and two workers of this release. The next release runs in the tests' process."""

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.url = postgres.new_database("usher_split")
        self.children = []
        #: The address in links to pages leads to the first web.
        self.ports = [self.port, *(reserved_port() for _ in ROLES[1:])]

    def environment(self):
        return super().environment() | {"USHER_DATABASE_URL": self.url}

    async def start_bot(self):
        self.write_connections()
        for role, port in zip(ROLES, self.ports, strict=True):
            variables = self.variables() | {"PORT": str(port)}
            self.children.append(await forked.start([role], variables, self.folder))
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            for port in self.ports:
                while not await self._is_ready(session, port):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.05)
        self._install(f"http://127.0.0.1:{self.port}")

    async def migrate(self):
        """Migrate the database to the next release, and return its rows."""
        engine = await self._open_next()
        assert await engine.migrate() == list(NEXT)
        rows = await self.rows(engine)
        await engine.close()
        return rows

    async def rows(self, engine=None):
        """Return all rows, sorted."""
        opened = engine or await self._open_next()
        rows = await opened.read(lambda tx: earlier.read_rows(tx, is_postgres=True))
        if engine is None:
            await opened.close()
        return {name: sorted(map(str, found)) for name, found in rows.items()}

    async def ends(self):
        """Wait until each process has ended by itself.

        Return its exit status and the last line of its log.
        """
        async with asyncio.timeout(30):
            said = [(await child.communicate())[1].decode() for child in self.children]
        ended = []
        for child, log in zip(self.children, said, strict=True):
            await child.end()
            *lines, problem = log.splitlines(keepends=True)
            self.watch.log.writelines(lines)
            ended.append((child.returncode, problem.rstrip("\n")))
        return ended

    async def start_next(self):
        """Start the processes of the next release."""
        for role, port in zip(ROLES, self.ports, strict=True):
            settings = Settings(**self.environment() | {"PORT": str(port)})
            given = {"role": role, "outlets": self.outlets()}
            process = Process(settings, self.connections(), self._bot_stack, **given)
            await process.start()

    def outlets(self):
        async def open_store(_url, _clock, _ids):
            return Store(await self._open_next())

        return Outlets(store=open_store)

    async def _open_next(self):
        engine = PostgresEngine(self.url, SystemClock(), SystemIds(), scripts=read_migrations() | NEXT)
        await engine.open()
        return engine

    async def stop_bot(self):
        for child in self.children:
            await child.end()
        await self._bot_stack.aclose()

    def stored(self):
        return b""


@pytest_asyncio.fixture
async def split(tmp_path):
    options = {"live": True, "saturn_seed": WAITS | {"dialect": "2026"}}
    async with Split(tmp_path, options).running() as ready:
        await ready.alice.links("alice")
        yield ready


async def test_processes_stop_once_a_newer_release_has_migrated(split):
    """Two webs and two workers stop by themselves and write nothing more.

    The next ones continue their work.
    """
    alice = split.alice
    await alice.types("start notebook")
    await alice.types("run saturn nightly", command="/job")
    await alice.types("stop notebook in 10 minutes")
    # Delay the call that starts *training*, so that it is still in progress during the migration.
    inject_fault(
        split.saturn.harness, rf"/api/workspaces/{split.resource('training').id}/start$", delay_s=2.0
    )
    await alice.types("start training")
    rows = await split.migrate()
    ended = await split.ends()
    problem = (
        f"The database was migrated by a newer release of Usher (0101_next), and this is {RELEASE}: this "
        "process has stopped. Nothing that was asked for is lost: start the newer release."
    )
    assert ended == [(1, problem)] * len(ROLES)
    assert await split.rows() == rows
    with postgres.connected(split.url) as connection:
        connection.execute(EXPIRED)
    await split.start_next()
    for name in ("notebook", "training"):
        await alice.waits_for("ready", f"*{name}*")
    await alice.waits_for("job_ended", "nightly")
    assert [count(alice, "ready", name) for name in ("notebook", "training")] == [1, 1]
    assert [calls(split, name, "start") for name in ("notebook", "training")] == [1, 1]
    assert count(alice, "job_ended", "nightly") == 1


async def test_release_before_0_4_0_has_to_be_stopped_first(split):
    """Its processes don't check for newer releases. While one is running, the database isn't migrated."""
    with postgres.connected(split.url) as connection:
        connection.execute("UPDATE owners SET release = '0.3.1' WHERE starts_with(name, 'worker:')")
    with pytest.raises(StoreInUse, match="stop it first, then try again"):
        await split.migrate()
    assert [child.returncode for child in split.children] == [None] * len(ROLES)


async def read_sources(world):
    """Map each link's username to how its account id was learned, and whether it has one."""
    rows = await world.bot.store.engine.read(lambda tx: tx.all("SELECT * FROM accounts"))
    return {row["username"]: (row["remote_id_source"], bool(row["remote_id"])) for row in rows}


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def approving(tmp_path, request):
    settings = {}
    if request.param == "postgres":
        settings["USHER_DATABASE_URL"] = await postgres.migrated()
    seed, saturn = {**SEEDED, "dialect": "2026"}, {"linking": ["token", "admin"]}
    options = {"saturn_seed": seed, "settings": settings, "saturn": saturn}
    async with Upgraded(tmp_path, options).running() as ready:
        yield ready


async def test_old_links_learn_their_account_ids_and_are_compared_from_then_on(approving):
    """Account ids come from the person's token or the approval's e-mail address, or are the first seen."""
    world, state = approving, approving.saturn.state
    await world.alice.has_linked("alice")
    for person, name in ((world.bob, "bob"), (world.carol, "carol")):
        await world.approved(person, name)
    moved = "UPDATE approvals SET email = 'carol@elsewhere.example' WHERE username = 'carol'"
    await world.bot.store.engine.write(lambda tx: tx.run(moved))
    await world.stop_bot()
    await world.become("0.4.0")
    await world.start_bot()
    unknown = dict.fromkeys(("alice", "bob", "carol"), ("", False))
    assert await read_sources(world) == unknown
    for person in (world.alice, world.bob, world.carol):
        await world.pass_time(400)
        await person.types("list")
        await world.pass_time(5)
    learnt = {"alice": ("token", True), "bob": ("email", True), "carol": ("seen", True)}
    assert await read_sources(world) == learnt
    before = len(world.carol.sees())
    for name in ("bob", "carol"):
        state.remove_person(name)
        state.accounts.add_person(name)
    for person in (world.bob, world.carol):
        await world.pass_time(400)
        await person.types("list")
        await world.pass_time(5)
        assert person.only("link_resting")
    assert len(world.carol.sees()) == before + 1
    assert not world.alice.told("link_resting")
