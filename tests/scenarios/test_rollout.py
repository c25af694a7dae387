"""Rollouts: two releases serve from one PostgreSQL, are killed, start again, and one goes back."""

import asyncio
import json
import shutil
import signal
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import pytest_asyncio

from bot.support.release import RELEASE, STOP
from playground.processes import reserved_port
from tests.project.repository import ROOT
from tests.rigs import postgres, releases
from tests.rigs.scenario import ID, SEED
from tests.rigs.scenario.cloud import ADMIN_TOKEN, AMIR
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.process_world import ProcessWorld

NAMES = ("notebook", "training", "report")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
QUICK = {"start_seconds": 0.1, "stop_seconds": 0.1}
SEEDED = {
    **SEED,
    "dialect": "2026",
    "users": [*SEED["users"], {"name": "admin", "admin": True, "token": ADMIN_TOKEN}],
    "workspaces": [
        *({"owner": "alice", "name": name, "id": ID[name], **QUICK} for name in NAMES),
        *({"owner": one, "name": "gpu", "instance_type": "g4dnxlarge", **QUICK} for one in ("alice", "bob")),
        {"owner": "bob", "name": "notebook"},
    ],
    "jobs": [
        {"owner": "alice", "name": "nightly", "run_seconds": 1200},
        {"owner": "alice", "name": "weekly", "run_seconds": 5100},
    ],
}
CONNECTION = {"linking": ["token", "admin"], "admin_token": ADMIN_TOKEN}
#: Lets the database's time be moved, by which all who serve from it go.
MOVABLE = """
CREATE TABLE moved (seconds DOUBLE PRECISION NOT NULL);
INSERT INTO moved VALUES (0);
CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    'SELECT pg_catalog.clock_timestamp() + make_interval(secs => seconds) FROM public.moved';
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
END $$;
"""
#: Lets so many seconds go by. The gate of a read that is on its way goes along: it may only come after that.
JUMP = """
LOCK TABLE gates IN EXCLUSIVE MODE;
UPDATE gates SET next_check_at = next_check_at + {seconds}, due_at = due_at + {seconds}
WHERE claimed_at > extract(epoch FROM clock_timestamp()) - 1;
UPDATE moved SET seconds = seconds + {seconds};
"""
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
#: The kinds of tasks that 0.2.1 leaves to this release. Of some there is nothing to do but to end them.
LEFT_TO_THIS = "kind IN ('ask_whose', 'find_user', 'go_on', 'renew', 'revoke_secret')"
ASKED_OF_THIS = """
INSERT INTO tasks (id, kind, subject, payload, created_at, due_at) VALUES
    ('g', 'go_on', 'g', '{"what": "left", "principal": "T1:U1", "stage": 0, "after": ""}', 0, 0),
    ('r', 'renew', 'nobody', '{}', 0, 0),
    ('s', 'revoke_secret', 'nobody', '{"tell": false}', 0, 0);
"""
#: What a release after this one does to the database, and what those before it say then.
NEXT_MIGRATION = f"-- oldest release that may serve: {releases.NEXT}\nCREATE TABLE next (id TEXT);\n"
TOO_NEW = (
    "The database was migrated by a newer release of Usher (0101_next): it needs {next} or later, and this "
    "is {release}. Run that release, or restore the backup made before it."
)
TOO_OLD = (
    "was last served by a release before {stop}, from which {release} can't go on. Install {stop} and start "
    "it once, or run its usher migrate; then install {release} again."
)


class Rollout(ProcessWorld):
    """Run web and worker of earlier releases, and of this one, each as a process of its own."""

    def __init__(self, folder, options):
        super().__init__(folder, options)
        self.url = postgres.new_database("usher_rollout")
        self.execute(MOVABLE)
        # Slack's time isn't moved with the database's, by which its limits are kept.
        self.slack.budgets.on = False
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
        await asyncio.gather(*(self._start(release, role) for role in ("web", "worker")))

    async def _start(self, release, role):
        port = reserved_port()
        env = self.variables() | {"PORT": str(port), "USHER_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        process = self.processes[release, role] = await releases.started(
            self.trees[release], "-m", "bot", role, env=env, log=self.log(release, role)
        )
        if role == "web":
            self.webs[release] = f"http://127.0.0.1:{port}"
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

    async def kill(self, release, *roles):
        """Kill both, or one, wherever they are."""
        for role in roles or ("web", "worker"):
            if process := self.processes.pop((release, role), None):
                process.send_signal(signal.SIGKILL)
                await process.wait()

    async def run(self, release, command, **env):
        """Run a command of a release to its end; return its status, and what it said."""
        log = self.log(release, f"{command}-once")
        self.write_connections()
        env = self.variables() | env
        process = await releases.started(self.trees[release], "-m", "bot", command, env=env, log=log)
        return await process.wait(), log.read_text()

    async def run_all(self, commands, **env):
        """Run commands of releases beside each other."""
        return await asyncio.gather(*(self.run(*one, **env) for one in commands))

    def passes(self, seconds):
        """Let time go by for whoever serves and for Saturn Cloud; Slack goes on in its own."""
        with postgres.connected(self.url) as connection, connection.transaction():
            connection.execute(JUMP.format(seconds=seconds).encode())
            self.saturn.harness.clock.advance(seconds)

    async def passes_until(self, holds, step=11.0):
        """Let time go by until something holds, in steps that open poll gates."""
        end = self.clock.monotonic() + 100.0
        while not holds():
            left = [self.states(f"{rows} WHERE outcome IS NULL") for rows in ("operations", "runs")]
            seen = [(one.kind, one.text) for one in self.alice.sees()]
            assert self.clock.monotonic() < end, (seen, left, self.states("notices WHERE state <> 'sent'"))
            self.passes(step)
            await self.slack.state.wait_for(holds, 0.5)

    async def comes(self, holds, seconds=60):
        """Wait until something holds in the database or at Saturn Cloud."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - they tell nobody
                await asyncio.sleep(0.05)

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
    options = {"live": True, "saturn_seed": SEEDED, "saturn_connection": CONNECTION, "old": request.param}
    async with Rollout(tmp_path, options).running() as ready:
        await ready.alice.links("alice")
        yield ready


class Story:
    """What alice has, wants, and is told, and what lies in the database for whom."""

    def __init__(self, rollout):
        self.rollout, self.alice = rollout, rollout.alice
        self.clock = rollout.saturn.harness.clock
        zone = ZoneInfo(rollout.slack.state.person(self.alice.id).tz)
        now = datetime.fromtimestamp(self.clock.now(), zone).replace(second=0, microsecond=0)
        #: When the first hours begin.
        self.begin = now + timedelta(minutes=20)
        #: When the course's first lesson does, after all the rest.
        self.lesson = (self.begin + timedelta(days=3)).replace(hour=8, minute=0)
        self.gpus = {one.owner: one for one in self.everything() if one.name == "gpu"}

    def everything(self):
        return self.rollout.saturn.state.resources.values()

    def at(self, minutes):
        """Return a time of day, so many minutes after the first hours begin."""
        return f"{self.begin + timedelta(minutes=minutes):%H:%M}"

    async def until(self, minutes):
        """Let time go by until so many minutes after the first hours begin."""
        await self.goes_to(self.begin + timedelta(minutes=minutes))

    async def goes_to(self, then):
        """Let time go by until then, once all is told: what is told late comes in a summary."""
        await self.rollout.passes_until(self.is_told, 1.0)
        self.rollout.passes(max(0.0, then.timestamp() - self.clock.now()))

    async def hears(self, kind, name):
        """Let time go by until alice is told something of a kind about a workspace or a run."""
        await self.rollout.passes_until(lambda: self.count(kind, name))

    async def is_warned(self, name):
        """Let time go by until alice is warned of a stop and its workspace was read: else she is again."""
        await self.hears("timer_ending", name)
        since = self.clock.now()
        read = f"workspaces WHERE name = '{name}' AND observed_at >= {since}"
        await self.rollout.passes_until(lambda: self.rollout.states(read), 31.0)

    def is_told(self):
        """Return whether nothing waits to be told."""
        return not self.rollout.states("notices WHERE state NOT IN ('sent', 'dead') AND id <> 'n'")

    def cards(self):
        return [one for one in self.alice.sees(GENERAL) if one.kind == "class_card"]

    def count(self, kind, name):
        return sum(f"*{name}*" in one.text for one in self.alice.told(kind))

    async def says(self, person, words, answer, command="/workspace"):
        """Let somebody type a command, and wait for its answer."""
        await person.types(words, command=command)
        await self.reads(person, answer)

    async def reads(self, person, answer):
        def is_read():
            return any(answer in one.text for one in person.sees(GENERAL))

        assert await self.rollout.slack.state.wait_for(is_read, 60), [
            one.text for one in person.sees(GENERAL)
        ]

    async def runs(self, name):
        """Let alice have a job run, and wait until it does."""
        await self.alice.types(f"run saturn {name}", command="/job")
        launched = f"runs WHERE name = '{name}' AND start_call = 'accepted'"
        await self.rollout.comes(lambda: self.rollout.states(launched))

    def left(self):
        """Return what 0.2.1 leaves alone, as it lies in the database."""
        ours = ("waits", f"tasks WHERE {LEFT_TO_THIS} ORDER BY id")
        return [
            self.rollout.states(rows) for rows in (*ours, "tasks WHERE id = 't'", "notices WHERE id = 'n'")
        ]

    def is_idle(self):
        """Return whether no operation is under way."""
        return not self.rollout.states("operations WHERE outcome IS NULL")

    def tries(self):
        """Return whether it's alice's turn in line, and her start is under way."""
        (wait,) = self.rollout.states("waits")
        return wait["state"] == "trying"


async def both_serve(story):
    """Let the earlier one serve alone, then while this one changes the schema, then beside it."""
    rollout, alice, bob, old = story.rollout, story.alice, story.rollout.bob, story.rollout.old
    rollout.saturn.state.limits.gpus = 1
    story.gpus["bob"].force("running", story.clock.now())
    await story.says(alice, f"hours notebook every day {story.at(0)}-{story.at(60)}", "has hours now")
    await story.runs("nightly")
    status, said = await rollout.run(RELEASE, "migrate")
    assert status == 0, said
    await rollout.start(RELEASE)
    _, said = await rollout.run(RELEASE, "doctor")
    assert f"of the releases {old} and {RELEASE}" in said
    rollout.execute(UNKNOWN)
    rollout.sends_to(RELEASE)
    await bob.links("bob")
    await story.says(alice, f"hours training every day {story.at(65)}-{story.at(100)}", "has hours now")
    await story.runs("weekly")
    day = DAYS[story.lesson.weekday()]
    await story.says(alice, f"card notebook --title Biology --hours {day} 8:00-9:30", "posting the card")
    assert await rollout.slack.state.wait_for(story.cards, 60)
    for release, person in ((old, alice), (RELEASE, bob)):
        rollout.sends_to(release)
        await person.presses(story.cards()[0], "Join")
        await story.reads(person, "You've joined *Biology*")
    assert [row["days"] for row in rollout.states("rules WHERE card IS NOT NULL")] == [day] * 2


async def all_are_killed(story):
    """Kill all while there is work under way, which the earlier one ends before this one is there again."""
    rollout, alice, old = story.rollout, story.alice, story.rollout.old
    await story.says(alice, f"queue gpu until {story.at(180)}", "aiting for room on")
    await rollout.comes(story.tries)
    rollout.sends_to(old)
    await alice.types("start report")
    for release in (old, RELEASE):
        await rollout.kill(release)
    await rollout.start(old)
    await rollout.passes_until(story.is_idle)
    await rollout.start(RELEASE)
    await rollout.kill(old)


async def this_one_alone(story):
    """Let this one go on until it is killed when it's alice's turn in line."""
    rollout, carol = story.rollout, story.rollout.carol
    rollout.sends_to(RELEASE)
    await story.until(0)
    await story.hears("ready", "notebook")
    await story.hears("job_ended", "nightly")
    await story.until(50.1)
    await story.is_warned("notebook")
    await rollout.passes_until(story.tries, 31.0)
    await rollout.kill(RELEASE, "worker")
    # What follows from these is for a worker of this release.
    await story.says(carol, "link saturn carol", "I've asked the Usher admins to link you")
    rollout.execute(ASKED_OF_THIS)
    await rollout.kill(RELEASE)


async def it_goes_back(story):
    """Let the earlier one do what it knows, and leave the rest as it is: of 0.2.1 that is more."""
    rollout, old, left = story.rollout, story.rollout.old, story.left()
    assert [row["kind"] for row in left[1]] == ["go_on", "renew", "revoke_secret", "find_user"]
    await rollout.start(old)
    rollout.sends_to(old)
    await rollout.passes_until(story.is_idle)
    await story.until(60.1)
    await story.hears("stopped", "notebook")
    await story.until(65.1)
    await story.hears("ready", "training")
    await story.hears("job_ended", "weekly")
    await story.until(90.1)
    await story.is_warned("training")
    unknown = 2
    if old == STOP:
        unknown += len(left[1])
        assert story.left() == left
    _, said = await rollout.run(old, "doctor")
    assert f"{unknown} left to later releases" in said


async def it_goes_forward(story):
    """Let this one do it all, whatever lies beside it."""
    rollout, old = story.rollout, story.rollout.old
    await rollout.kill(old)
    rollout.execute(UNKNOWN_HERE)
    await rollout.start(RELEASE)
    rollout.sends_to(RELEASE)
    await rollout.comes(lambda: not rollout.states(f"tasks WHERE {LEFT_TO_THIS}"))
    story.gpus["bob"].force("stopped", story.clock.now())
    await story.until(100.1)
    await story.hears("stopped", "training")
    await rollout.passes_until(lambda: story.count("ready", "gpu"), 61.0)


def each_is_told_once(story):
    """Check that alice was told everything once, and that everything of hers began once."""
    told = [("ready", (*NAMES, "gpu")), ("job_ended", ("nightly", "weekly"))]
    told += [(kind, ("notebook", "training")) for kind in ("timer_ending", "stopped")]
    times = {(kind, name): story.count(kind, name) for kind, names in told for name in names}
    assert times == dict.fromkeys(times, 1)
    # Of the starts for which there was no room, 0.2.1 has told of those that it was at.
    failed = story.rollout.states("operations WHERE outcome = 'failed'")
    assert story.count("failed", "gpu") == len(story.alice.told("failed")) <= len(failed)
    began = {
        one.name: sum(run.started_at is not None for run in one.runs)
        for one in story.everything()
        if one.owner == "alice"
    }
    assert began == dict.fromkeys(began, 1)
    (wait,) = story.rollout.states("waits")
    assert wait["state"] == "got"


async def the_lesson_is_played(story):
    """Let the course be what both have joined, each at another release."""
    rollout, alice, bob = story.rollout, story.alice, story.rollout.bob
    for name in ("notebook", "training"):
        await story.says(alice, f"hours {name} off", f"*{name}* on Saturn Cloud has no hours")
    await story.goes_to(story.lesson - timedelta(minutes=10))
    begins = "*Biology* is starting, and your workspace is ready."

    def heard():
        return [sum(begins in one.text for one in person.sees()) for person in (alice, bob)]

    await rollout.passes_until(lambda: any("2 of 2 are ready" in one.text for one in story.cards()))
    await rollout.passes_until(lambda: all(heard()))
    assert heard() == [1, 1]


@pytest.mark.thorough
@pytest.mark.timeout(400)
@pytest.mark.parametrize("rollout", releases.COMMITS, indirect=True)
async def test_nothing_is_lost_or_doubled_while_both_serve_are_killed_and_one_goes_back(rollout):
    story = Story(rollout)
    for part in (both_serve, all_are_killed, this_one_alone, it_goes_back, it_goes_forward):
        await part(story)
    each_is_told_once(story)
    await the_lesson_is_played(story)
    assert len(rollout.person(AMIR).told("approval_asked")) == 1
    assert [row["state"] for row in rollout.states("notices") if row["kind"] != "reply"].count("dead") == 0
    for table, row_id in {"operations": "o", "runs": "r", "notices": "n", "tasks": "t"}.items():
        (row,) = rollout.states(f"{table} WHERE id = '{row_id}'")
        assert (row["attempts"], row.get("claims", 0)) == (0, 0)
    said = "".join(path.read_text() for path in rollout.folder.glob("*.log"))
    assert "Traceback" not in said, said


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_release_that_may_not_serve_ends_with_the_next_step(tmp_path):
    rollout = Rollout(tmp_path, {"old": STOP})
    rollout.saturn_url = rollout.slack.state.base_url = "http://127.0.0.1:9"
    # From before the stop to this release.
    rollout.trees["before"] = shutil.copytree(rollout.trees[STOP], tmp_path / "before")
    (tmp_path / "before/bot/store/migrations/0034_answers.sql").unlink()
    file = {"USHER_DATABASE_URL": f"sqlite:///{tmp_path / 'old.db'}"}
    assert (await rollout.run("before", "migrate", **file))[0] == 0
    too_old = TOO_OLD.format(stop=STOP, release=RELEASE)
    for status, said in await rollout.run_all([(RELEASE, "migrate"), (RELEASE, "serve")], **file):
        assert (status, said.endswith(f"{too_old}\n")) == (2, True), said
    for release in (STOP, RELEASE):
        assert (await rollout.run(release, "migrate", **file))[0] == 0
    # From a release that comes next back to these.
    rollout.trees[releases.NEXT] = releases.after(tmp_path / releases.NEXT)
    (tmp_path / releases.NEXT / "bot/store/migrations/0101_next.sql").write_text(NEXT_MIGRATION)
    assert (await rollout.run(releases.NEXT, "migrate"))[0] == 0
    ends = [(release, command) for release in (STOP, RELEASE) for command in ("migrate", "worker")]
    for (release, _), (status, said) in zip(ends, await rollout.run_all(ends), strict=True):
        too_new = TOO_NEW.format(next=releases.NEXT, release=release)
        assert (status, said.splitlines()[-1]) == (2, too_new)
