"""Rollouts: two releases serve from one PostgreSQL, are killed, start again, and one goes back."""

import asyncio
import json
import signal
from datetime import UTC, datetime

import aiohttp
import pytest
import pytest_asyncio

from bot.support.release import RELEASE, STOP
from playground.processes import reserved_port
from tests.project.repository import ROOT
from tests.rigs import postgres, releases
from tests.rigs.scenario import ID, SEED
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.test_process import ProcessWorld

NAMES = ("notebook", "training", "report")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEEDED = {
    **SEED,
    "workspaces": [
        {"owner": "alice", "name": name, "id": ID[name], "start_seconds": 0.1, "stop_seconds": 0.1}
        for name in NAMES
    ],
}
#: A word of a release after both, in each queue; the others once this one serves alone.
UNKNOWN = """
INSERT INTO notices (id, subject, kind, occasion, principal, body, state, class, created_at, due_at)
VALUES ('n', 's', 'reported', '1', 'T1:U1', '{}', 'pending', 1, 0, 0);
INSERT INTO cards (id, subject, kind, principal, channel_id, message_ts, is_dirty, changed_at, updated_at)
VALUES ('n', 's', 'reported', 'T1:U1', 'D1', '1.1', 1, 0, 0);
INSERT INTO tasks (id, kind, subject, payload, created_at, due_at)
VALUES ('t', 'reconcile', 's', '{}', 0, 0);
"""
UNKNOWN_HERE = """
INSERT INTO operations (id, principal, workspace_id, connection, verb, created_at, next_step_at, reference)
VALUES ('o', 'T1:U1', 'w', 'saturn', 'archive', 0, 0, '');
INSERT INTO runs (id, principal, connection, name, spec, created_at, reference, state, start_call,
    next_step_at, is_watched)
VALUES ('r', 'T1:U1', 'saturn', 'r', '{}', 0, '', 'queued', 'reserved', 0, 0);
"""


class Rollout(ProcessWorld):
    """Run web and worker of earlier releases, and of this one, each as a process of its own."""

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.url = postgres.new_database("usher_rollout")
        self.old = options["old"]
        self.trees = {one: releases.earlier(one, folder / one) for one in releases.COMMITS} | {RELEASE: ROOT}
        self.processes: dict[tuple[str, str], asyncio.subprocess.Process] = {}
        self.webs: dict[str, str] = {}

    def environment(self):
        return super().environment() | {"USHER_DATABASE_URL": self.url}

    async def start_bot(self):
        self.write_connections()
        await self.start(self.old)
        self.sends_to(self.old)

    async def start(self, release):
        """Start web and worker of a release; return once both are ready."""
        for role in ("web", "worker"):
            port = reserved_port()
            env = self.variables() | {"PORT": str(port), "USHER_PUBLIC_URL": f"http://127.0.0.1:{port}"}
            self.processes[release, role] = await releases.started(
                self.trees[release], "-m", "bot", role, env=env, log=self.log(release, role)
            )
            await self._ready(release, role, port)
            if role == "web":
                self.webs[release] = f"http://127.0.0.1:{port}"

    async def _ready(self, release, role, port):
        process = self.processes[release, role]
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await self._is_ready(session, port):
                said = self.log(release, role).read_text()
                assert process.returncode is None, f"{release} {role} ended:\n{said}"
                await asyncio.sleep(0.05)

    def log(self, release, role):
        return self.folder / f"{release}-{role}.log"

    def sends_to(self, release):
        """Let Slack send what people do to the web of a release."""
        self._install(self.webs[release])

    async def kill(self, release, how=signal.SIGKILL):
        """End both at once, wherever they are."""
        for key in [key for key in self.processes if key[0] == release]:
            process = self.processes.pop(key)
            process.send_signal(how)
            await process.wait()

    async def migrate(self):
        """Bring the database up to date with this release, while the other one serves."""
        process = await releases.started(
            ROOT, "-m", "bot", "migrate", env=self.variables(), log=self.log(RELEASE, "migrate")
        )
        assert await process.wait() == 0, self.log(RELEASE, "migrate").read_text()

    def execute(self, statements):
        with postgres.connected(self.url) as connection:
            connection.execute(statements.encode())

    def states(self, table):
        with postgres.connected(self.url) as connection:
            found = connection.execute(f"SELECT * FROM {table}".encode())
            columns = [column[0] for column in found.description]
            return [dict(zip(columns, row, strict=True)) for row in found]

    async def stop_bot(self):
        for release in self.trees:
            await self.kill(release)
            for role in ("web", "worker"):
                if self.log(release, role).exists():
                    self.watch.log.write(self.log(release, role).read_text())

    def stored(self):
        tables = ("notices", "operations", "accounts", "tasks", "audit", "inbox")
        return json.dumps([self.states(table) for table in tables], default=str).encode()


@pytest_asyncio.fixture
async def rollout(tmp_path, request):
    options = {"live": True, "saturn_seed": SEEDED, "old": request.param}
    async with Rollout(tmp_path, options).running() as ready:
        await ready.alice.links("alice")
        yield ready


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("rollout", releases.COMMITS, indirect=True)
async def test_both_serve_are_killed_and_start_again_and_one_goes_back(rollout):
    alice, old = rollout.alice, rollout.old
    # The old one serves while the new one changes the schema, and starts again on it.
    await rollout.migrate()
    await rollout.start(RELEASE)
    rollout.execute(UNKNOWN)
    before = rollout.states("tasks WHERE id = 't'"), rollout.states("notices WHERE id = 'n'")
    for release, name in ((old, "notebook"), (RELEASE, "training")):
        rollout.sends_to(release)
        await alice.types(f"start {name}")
        # One of the workers is at it.
        await alice.waits_for("ready", name)
    for release in (old, RELEASE):
        await rollout.kill(release)
    for release in (old, RELEASE):
        await rollout.start(release)
    for name in ("notebook", "training"):
        await alice.waits_for("ready", name)
    # It goes back: the earlier one does it alone.
    await rollout.kill(RELEASE)
    rollout.sends_to(old)
    await alice.types("start report")
    await alice.waits_for("ready", "report")
    assert (rollout.states("tasks WHERE id = 't'"), rollout.states("notices WHERE id = 'n'")) == before
    # It goes forward: this release does it alone, whatever lies beside it.
    await rollout.kill(old)
    rollout.execute(UNKNOWN_HERE)
    await rollout.start(RELEASE)
    rollout.sends_to(RELEASE)
    await alice.types("stop training")

    def is_down():
        (row,) = rollout.states("workspaces WHERE name = 'training'")
        return row["state"] == "stopped"

    # Its card says so, which its worker does.
    assert await rollout.slack.state.wait_for(is_down, 60)
    assert [len([one for one in alice.told("ready") if name in one.text]) for name in NAMES] == [1, 1, 1]
    assert [row["state"] for row in rollout.states("notices") if row["kind"] != "reply"].count("dead") == 0
    left = {"operations": "o", "runs": "r", "notices": "n", "tasks": "t"}
    for table, row_id in left.items():
        (row,) = rollout.states(f"{table} WHERE id = '{row_id}'")
        assert (row["attempts"], row.get("claims", 0)) == (0, 0)
    said = "".join(path.read_text() for path in rollout.folder.glob("*.log"))
    assert "Traceback" not in said, said


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("rollout", [STOP], indirect=True)
async def test_a_course_that_somebody_joins_at_either_release_is_a_course(rollout):
    alice, day = rollout.alice, DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    course = f"card notebook --title Biology --hours {day} 8:00-9:30"
    await rollout.migrate()
    await rollout.start(RELEASE)
    rollout.sends_to(RELEASE)
    assert "I'm posting the card for *Biology*" in (await alice.types(course)).text

    def cards():
        return [one for one in alice.sees(GENERAL) if one.kind == "class_card"]

    assert await rollout.slack.state.wait_for(lambda: len(cards()) == 1, 60)

    async def joins():
        (answer,) = [one for one in await alice.presses(cards()[0], "Join") if one.kind != "class_card"]
        return answer.text

    for release in (STOP, RELEASE):
        rollout.sends_to(release)
        assert "You've joined *Biology*" in await joins()
        (rule,) = rollout.states("rules")
        assert rule["days"] == day
