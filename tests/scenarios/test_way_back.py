"""The documentation's commands for backups, restoring, upgrades and going back, run exactly as written there.

Earlier releases are run, too, each from its own commit and on a database that it created itself.
"""

import asyncio
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from bot.store.schema import read_migrations
from playground.harness import Clock
from playground.processes import reserved_port
from tests.app.command_line import of_slack
from tests.playground.slack_help import CHEN, OLIVIA, slack
from tests.project.repository import ROOT
from tests.rigs import postgres, programs
from tests.rigs.earlier import LAST_MIGRATIONS
from tests.rigs.installation import Installation
from tests.rigs.pages import find_block, find_inline, read_blocks, read_inline_commands, read_section
from tests.rigs.releases import read_last_release, unpack_release
from tests.rigs.scenario.stage import inject_fault

#: The last migration that each release records. Those of 0.3.1 have been merged into a baseline since.
LAST_NAMED = {**LAST_MIGRATIONS, "0.3.1": "0056_over"}
LAST_RELEASE = read_last_release()
_NO_DOCKER = "there is no Docker; part of the installation"
_NO_CLUSTER = "there is no cluster; part of the installation"
_INDEX = "installs from the package index"
_FIRST_SETUP = "part of the installation"
#: Commands that aren't run, with the reasons. The tests below run all other commands on these pages.
NOT_RUN = {
    "git fetch --tags": "the repository has no other one to fetch from here",
    f"/opt/usher/bin/pip install --require-hashes -r usher_bot-{LAST_RELEASE}.requirements.txt": _INDEX,
    "rm -rf build": "nothing is built in the checkout: a release's tree takes its place",
    "/opt/usher/bin/pip install --require-hashes -r requirements/base.txt": _INDEX,
    "/opt/usher/bin/pip install --no-deps --no-build-isolation .": "installs into /opt",
    "createuser --pwprompt usher": "asks for a password at a terminal: the server here asks nobody for one",
    "USHER_DATABASE_URL='postgresql://usher:PASSWORD@db.example.org:5432/usher"
    "?sslmode=verify-full&sslrootcert=system'": "a setting, which the installation has with its own server",
    "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (db2, db3)';": "without a standby all commits wait",
    "SELECT pg_reload_conf();": "belongs to the line before",
    "sudo -u postgres": "how to be the server's administrator, which PGUSER says here",
    "sudo -iu postgres": "how to be the server's administrator, which PGUSER says here",
    "sudo -iu postgres crontab -e": "opens an editor",
    "podman build --format docker -f deploy/Containerfile -t usher .": "there is no Podman",
    "docker build -f Containerfile -t usher ..": _NO_DOCKER,
    "docker run --rm usher": _NO_DOCKER,
    "docker run --rm usher keys new": _NO_DOCKER,
    "docker run --rm usher keys new > secrets/encryption_keys": _NO_DOCKER,
    "docker compose run --rm worker doctor": _NO_DOCKER,
    "docker cp usher:/var/lib/usher/backups .": "there is no Docker",
    "umask 077; set -C # overwrites nothing": _FIRST_SETUP,
    "mkdir secrets": _FIRST_SETUP,
    "openssl rand -hex 24 > secrets/database_password": _FIRST_SETUP,
    "printf 'postgresql://usher:%s@database/usher' "
    '"$(cat secrets/database_password)" > secrets/database_url': _FIRST_SETUP,
    "printf %s 'xoxb-…' > secrets/slack_bot_token": _FIRST_SETUP,
    "printf %s 'xapp-…' > secrets/slack_app_token": _FIRST_SETUP,
    "cp ../connections.toml . && chmod 644 connections.toml": _FIRST_SETUP,
    r"printf 'USHER_PUBLIC_URL=https://usher.example.org\nUSHER_ADMINS=U0OLIVIA\n' > usher.env": _FIRST_SETUP,
    "sudo chown -R 10001 secrets": _FIRST_SETUP,
    'sudo chown -R "$USER" secrets': _FIRST_SETUP,
    "kubectl create secret generic usher --from-file=secrets": _NO_CLUSTER,
    "kubectl create configmap usher-connections --from-file=connections.toml": _NO_CLUSTER,
    r"kubectl create configmap usher --from-literal=USHER_PUBLIC_URL=https://usher.example.org \ "
    "--from-literal=USHER_ADMINS=U0OLIVIA": _NO_CLUSTER,
    "kubectl exec statefulset/usher -- usher doctor": _NO_CLUSTER,
    "kubectl wait --for=delete pod/usher-0": "there is no cluster: the stand-in for the stop waits itself",
    "kubectl wait --for=delete pod --selector=app=usher": "there is no cluster: as the one before",
    "kubectl rollout restart statefulset/usher": "there is no cluster; for changed settings",
    "kubectl cp usher-0:backups backups": "there is no cluster",
}
#: The pages and sections about backups, restoring, upgrades and going back.
SECTIONS = (
    ("docs/upgrade.md", ""),
    ("docs/operate.md", "PostgreSQL"),
    ("docs/operate.md", "Backups"),
    ("docs/containers.md", ""),
    ("docs/install.md", "Back up and restore"),
)
DUMP = find_block("docs/operate.md", "pg_dump")
RESTORE = find_block("docs/operate.md", "pg_restore")
RESTORED = find_block("docs/operate.md", "usher-run restored")
COMPOSE_DUMP = find_block("docs/containers.md", "pg_dump")
COMPOSE_RESTORE = find_block("docs/containers.md", "ALTER DATABASE")


@dataclass(frozen=True)
class Platform:
    """The commands that back up, upgrade and roll back one kind of deployment.

    ``pods`` names the file in ``deploy/kubernetes`` and the kind of the object in it that runs Usher.
    ``role`` holds the attributes with which the PostgreSQL role ``usher`` is created.
    """

    database: str
    backup: Sequence[str]
    upgrade: Sequence[str]
    back: Sequence[str]
    pods: tuple[str, str] | None = None
    role: str = "LOGIN"


def insert(commands: Sequence[str], after: int, more: Sequence[str]) -> list[str]:
    return [*commands[:after], *more, *commands[after:]]


SERVER_BACK, SERVER_RESTORED = read_blocks(read_section("docs/upgrade.md", "Going back"))
DOCKER_UPGRADE = find_block("docs/containers.md", "docker exec")
DOCKER_RUN = find_block("docs/containers.md", "docker run --detach")
#: The page's block has: stop, two lines of pip, migrate, start. For a checkout, other lines replace those of
#: pip.
SERVER_UPGRADE = find_block("docs/upgrade.md", "usher-run migrate")
CHECKOUT_UPGRADE = [SERVER_UPGRADE[0], *find_block("docs/upgrade.md", "git fetch"), *SERVER_UPGRADE[3:]]
COPY_DUMP = find_inline("docs/upgrade.md", "before.dump")
KUBERNETES_APPLY = [
    one for one in find_block("docs/containers.md", "kubectl apply -f deploy") if "apply" in one
]
KUBERNETES_STOP = find_block("docs/containers.md", "scale deployment", "wait --for=delete")
PLATFORMS = {
    "server, file": Platform(
        "sqlite",
        find_block("docs/upgrade.md", "store backup"),
        SERVER_UPGRADE,
        [*SERVER_BACK, *SERVER_RESTORED],
    ),
    "server, PostgreSQL": Platform(
        "postgres",
        [*DUMP, *COPY_DUMP],
        CHECKOUT_UPGRADE,
        [*SERVER_BACK, *RESTORE, *RESTORED],
    ),
    "Docker": Platform(
        "sqlite",
        DOCKER_UPGRADE[:1],
        [*DOCKER_UPGRADE[1:], *DOCKER_RUN],
        [*find_block("docs/containers.md", "docker rm usher", "restored"), *DOCKER_RUN],
    ),
    "Compose": Platform(
        "postgres",
        [*COMPOSE_DUMP, *find_inline("docs/containers.md", "before.dump")],
        find_block("docs/containers.md", "worker migrate"),
        [*find_inline("docs/containers.md", "docker compose build"), *COMPOSE_RESTORE],
        # POSTGRES_USER of the image.
        role="LOGIN SUPERUSER",
    ),
    "Kubernetes, file": Platform(
        "sqlite",
        find_block("docs/containers.md", "kubectl exec usher-0"),
        KUBERNETES_APPLY,
        insert(
            find_block("docs/containers.md", "get statefulset/usher"),
            2,
            find_inline("docs/containers.md", "set image statefulset"),
        ),
        ("one-process.yaml", "StatefulSet"),
    ),
    "Kubernetes, PostgreSQL": Platform(
        "postgres",
        [*DUMP, *COPY_DUMP],
        KUBERNETES_APPLY,
        [
            *KUBERNETES_STOP,
            *find_block("docs/containers.md", "set image deployment"),
            *RESTORE,
            *find_block("docs/containers.md", "get deployment/usher-worker"),
        ],
        ("processes.yaml", "Deployment"),
    ),
}
#: Commands that restore a nightly copy, whose name is the one on the page, with the release that made it.
FILE_RESTORES = {
    "server": find_block("docs/install.md", "usher-run restored"),
    "Docker": find_block("docs/containers.md", "docker start usher"),
    "a shell": find_inline("docs/install.md", "usher restored"),
    "Kubernetes": find_block("docs/containers.md", "get statefulset/usher"),
}
#: Commands that make another copy, named as on the page.
COPIES = {
    "server": find_inline("docs/install.md", "usher-run store backup"),
    "a shell": find_inline("docs/install.md", "usher store backup"),
}
CREATE = find_block("docs/operate.md", "createuser")[1:]
MOVE = find_block("docs/operate.md", "store copy")
RUN = {
    command
    for commands in (
        *(part for one in PLATFORMS.values() for part in (one.backup, one.upgrade, one.back)),
        *FILE_RESTORES.values(),
        *COPIES.values(),
        CREATE,
        MOVE,
    )
    for command in commands
}


def is_run(command: str) -> bool:
    return re.sub(r"\s+", " ", command) not in NOT_RUN


def runnable(commands: Sequence[str]) -> list[str]:
    return [one for one in commands if is_run(one)]


def read_commands(page: str, heading: str) -> set[str]:
    section = read_section(page, heading)
    return {command for block in read_blocks(section) for command in block} | {*read_inline_commands(section)}


@pytest.mark.parametrize(("page", "heading"), SECTIONS, ids=lambda part: part or "all")
def test_each_command_of_the_pages_is_run_or_has_a_reason(page, heading):
    commands = read_commands(page, heading)
    assert commands
    assert [one for one in sorted(commands - RUN) if is_run(one)] == []


def test_each_reason_is_about_a_command_of_the_pages():
    commands = {re.sub(r"\s+", " ", one) for section in SECTIONS for one in read_commands(*section)}
    assert NOT_RUN.keys() - commands == set()


def test_no_other_file_has_commands_for_dumps():
    named = re.compile(rf"\b(?:{'|'.join(set(postgres.PROGRAMS) - {'psql'})})\b [-<>]")
    files = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "deploy").rglob("*.*")]
    pages = {ROOT / page for page, _ in SECTIONS}
    assert [one for one in files if one not in pages and named.search(one.read_text(encoding="utf-8"))] == []
    inside = "".join(read_section(*section) for section in SECTIONS)
    written = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    assert [line for line in written if named.search(line) and line not in inside] == []


#: A program that writes unfinished work of two people into a database. It runs with the modules of any of
#: these releases.
OPEN_WORK = """
import asyncio, sys
from contextlib import suppress
from importlib import import_module
from bot.domain import stops
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.store import open_store
from bot.store.notices import add_notices
from bot.support.clock import SystemClock, SystemIds
from bot.support.settings import Settings
from bot.support.vault import Vault, row_key
for name in ("bot.features.feature", "handlers.loading"):
    with suppress(ImportError):
        import_module(name).load()
        break
from tests.rigs.store import accept_operation, link_account, linked, set_timer

PlannedStop = getattr(stops, "PlannedStop", None) or stops.End

async def main():
    settings = Settings()
    store = await open_store(settings.database_url, SystemClock(), SystemIds())
    await store.begin_serving()
    vault = Vault(settings.keys())
    for user in sys.argv[1:]:
        person = Principal(None, "T0ACME", user)
        found = await linked(store, person, names=["notebook", "training"])
        secret = vault.seal(row_key(person.key, "saturn"), {"token": "x"})
        await link_account(store, person, secret=secret, account_id=found.account.id)
        await accept_operation(store, found.workspaces[0], interaction=user, deadline_seconds=36000.0)
        await set_timer(store, found.workspaces[1], PlannedStop(await store.now() + 36000, "stop"))
        notice = NewNotice(user, NoticeKind.MESSAGE, "1", person, {"text": "later"})
        await store.carry_out(lambda tx: add_notices(tx, [notice]))
    await store.close()

asyncio.run(main())
"""
#: Queries that count the unfinished work.
COUNTS = {
    "links": "SELECT COUNT(*) FROM accounts WHERE state = 'active'",
    "operations": "SELECT COUNT(*) FROM operations WHERE outcome IS NULL",
    "messages": "SELECT COUNT(*) FROM notices WHERE state <> 'sent' AND body LIKE '%later%'",
    "planned stops": "SELECT COUNT(*) FROM workspaces WHERE stop_at IS NOT NULL",
}
ALL_OPEN = dict.fromkeys(COUNTS, 2)
#: ``restored`` puts operations and planned stops on hold and asks about them, so they no longer count. The
#: rest does.
AFTER_RESTORED = ALL_OPEN | {"operations": 0, "planned stops": 0}


class Installed:
    """An installation on one of the databases, with a Slack, and with a provider that is down."""

    def __init__(self, folder, variables, server):
        self._server = server
        programs = [postgres.find_programs()] if server else []
        self.machine = Installation(folder, variables, programs)
        self.folder = folder

    @property
    def url(self):
        return self._server.get_uri(database="usher")

    def query(self, text):
        if self._server:
            with postgres.connected(self.url) as connection:
                return connection.execute(text).fetchall()
        with closing(sqlite3.connect(self.folder / "usher.db")) as database:
            return database.execute(text).fetchall()

    def count(self):
        return {name: self.query(text)[0][0] for name, text in COUNTS.items()}

    def last_migration(self):
        return self.query("SELECT MAX(name) FROM migrations")[0][0]

    def write_open_work(self):
        self.machine.run_code(OPEN_WORK, OLIVIA, CHEN)

    def create_role(self, may):
        with postgres.connected(self._server.get_uri()) as connection:
            connection.execute(f"CREATE ROLE usher {may}")

    def list_owners(self):
        if not self._server:
            return set()
        return {
            owner for (owner,) in self.query("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'")
        }

    def newest_copy(self):
        return max(self.folder.glob("backups/before-*.db"), key=lambda path: path.stat().st_mtime)

    async def go_back(self, commands):
        """Run the commands with the copy or dump from before the upgrade. Return their output."""
        if self._server:
            named = [one.replace("< usher.dump", "< before.dump") for one in commands]
            named = [one.replace("usher_restored usher.dump", "usher_restored before.dump") for one in named]
        else:
            copy = f"backups/{self.newest_copy().name}"
            named = [re.sub(r"backups/(?:before|usher)-[\d-]+\.db", copy, one) for one in commands]
        return await self.machine.follow(runnable(named))


def make_settings(folder, local, server):
    connections = folder / "connections.toml"
    connections.write_text('[connections.saturn]\nprovider = "saturn"\nbase_url = "http://127.0.0.1:9"\n')
    connections.chmod(0o600)
    host = re.search(r"host=(.*)", server.get_uri())[1] if server else ""
    return {
        **of_slack(local),
        "USHER_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "USHER_CONNECTIONS": str(connections),
        "USHER_DATABASE_URL": f"postgresql:///usher?user=usher&host={host}"
        if server
        else "sqlite:///usher.db",
        "USHER_PUBLIC_URL": "https://usher.example",
        "USHER_ADMINS": OLIVIA,
        "PORT": str(reserved_port()),
        # The server's address and administrator, which the pages' commands don't mention.
        "PGHOST": host,
        "PGUSER": "postgres",
    }


@pytest_asyncio.fixture
async def install(tmp_path):
    """Return a function that creates an installation on a kind of database.

    PostgreSQL gets its own server.
    """
    async with slack(clock=Clock()) as (local, _client), AsyncExitStack() as stack:
        # Messages can't be sent, so they stay unfinished all the time.
        inject_fault(local.harness, "/api/(?:chat|conversations)", status=503, times=1_000_000)

        def new(kind):
            server = stack.enter_context(postgres.own_server()) if kind == "postgres" else None
            installed = Installed(tmp_path, make_settings(tmp_path, local, server), server)
            stack.push_async_callback(asyncio.to_thread, installed.machine.run, "stop-usher")
            return installed

        yield new


#: `make test` tests only one release for each way of running containers.
PLAYED = {
    "Docker": "0.4.0",
    "Compose": "0.3.1",
    "Kubernetes, file": "0.4.0",
    "Kubernetes, PostgreSQL": "0.3.1",
}
STORIES = [
    pytest.param(name, release, marks=() if PLAYED.get(name, release) == release else pytest.mark.thorough)
    for name in PLATFORMS
    for release in [*LAST_NAMED]
]


async def begin(install, platform, tree):
    """Install a release, and write its unfinished work."""
    installed = install(platform.database)
    installed.machine.install(tree)
    if platform.pods:
        installed.machine.describe_pods(*platform.pods)
    if platform.database == "postgres":
        installed.create_role(platform.role)
        await installed.machine.follow(CREATE)
    installed.write_open_work()
    return installed


@pytest.mark.parametrize(("name", "release"), STORIES, ids=str)
async def test_upgrade_and_way_back_bring_open_work_along(install, name, release):
    platform, earlier = PLATFORMS[name], unpack_release(release)
    if platform.pods:
        programs.require("jq")
    installed = await begin(install, platform, earlier)
    machine = installed.machine
    await machine.follow(["start-usher", *platform.backup])
    machine.choose(ROOT)
    await machine.follow(runnable(platform.upgrade))
    assert installed.last_migration() == max(read_migrations())
    assert installed.count() == ALL_OPEN
    machine.choose(earlier)
    written = await installed.go_back(platform.back)
    assert "requests: 2, stops: 2" in written
    assert "Told that a link may be back: 2." in written
    # The process is already serving, because starting it waits until it is ready.
    assert installed.last_migration() == LAST_NAMED[release]
    assert installed.count() == AFTER_RESTORED
    assert installed.list_owners() <= {"usher"}
    machine.choose(ROOT)
    await machine.follow([*platform.backup, *runnable(platform.upgrade)])
    assert installed.last_migration() == max(read_migrations())
    assert installed.count() == AFTER_RESTORED


@pytest.mark.parametrize("name", FILE_RESTORES, ids=str)
async def test_nightly_copy_is_restored_by_its_release(install, name, tmp_path):
    """The copy has the name used in the pages, so the commands run unchanged."""
    if name == "Kubernetes":
        programs.require("jq")
    installed = await begin(install, PLATFORMS["Kubernetes, file"], ROOT)
    machine = installed.machine
    await machine.follow([*COPIES.get(name, ()), "usher store backup backups/usher-2026-11-14-0317.db"])
    assert {one.stat().st_mode & 0o777 for one in installed.folder.glob("backups/*.db")} == {0o600}
    # A WAL file left behind by a killed process belongs only to the database before the restore.
    database = sqlite3.connect(installed.folder / "usher.db")
    database.execute("DELETE FROM accounts")
    database.commit()
    for ending in ("-wal", "-shm"):
        shutil.copy(installed.folder / f"usher.db{ending}", tmp_path / f"kept{ending}")
    database.close()
    for ending in ("-wal", "-shm"):
        shutil.copy(tmp_path / f"kept{ending}", installed.folder / f"usher.db{ending}")
    written = await machine.follow(runnable(FILE_RESTORES[name]))
    assert "requests: 2, stops: 2" in written
    assert installed.count() == AFTER_RESTORED


async def test_installation_moves_to_postgres_and_back_to_its_file(install):
    installed = await begin(install, PLATFORMS["server, file"], ROOT)
    machine = installed.machine
    moved = install("postgres")
    moved.create_role("LOGIN")
    url = moved.machine.variables["USHER_DATABASE_URL"]
    (installed.folder / "secret_database_url").write_text(url)
    (installed.folder / "secret_database_url").chmod(0o600)
    await moved.machine.follow(CREATE)
    machine.variables["CREDENTIALS_DIRECTORY"] = str(installed.folder)
    assert "nothing differs" in await machine.follow(MOVE)
    assert moved.count() == ALL_OPEN
    assert "This database was copied to another one" in machine.run("usher serve").output
    await machine.follow(["usher restored", "start-usher"])
    assert installed.count() == AFTER_RESTORED


def rows(installed):
    names = installed.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return {name: sorted(map(str, installed.query(f"SELECT * FROM {name}"))) for (name,) in names}


async def dumped(install, name):
    """Return an installation on PostgreSQL that has made a dump."""
    installed = await begin(install, PLATFORMS[name], ROOT)
    await installed.machine.follow(PLATFORMS[name].backup)
    return installed


NIGHTLY = {"server, PostgreSQL": DUMP, "Compose": COMPOSE_DUMP}


@pytest.mark.parametrize("name", NIGHTLY, ids=str)
async def test_failed_dump_leaves_the_one_of_the_night_before(install, name):
    """A dump fails if the server is down or newer than ``pg_dump``, or if the disk is full."""
    installed = await dumped(install, name)
    (command,), machine = NIGHTLY[name], installed.machine
    file = installed.folder / "usher.dump"
    assert file.stat().st_mode & 0o777 == 0o600
    before, inode = file.read_bytes(), file.stat().st_ino
    newer = {"PATH": f"{postgres.older_programs()}:{machine.variables['PATH']}"}
    full = f"trap '' XFSZ; ulimit -f 8; {command}"
    for tried, changes in ((command, {"PGHOST": "/nowhere"}), (command, newer), (full, {})):
        ended = await asyncio.to_thread(machine.run, tried, **changes)
        assert ended.status != 0, ended.output
        assert file.read_bytes() == before
    # Files that they left behind don't prevent a later dump.
    await machine.follow([command])
    assert file.stat().st_ino != inode
    assert not (installed.folder / "usher.dump.new").exists()


@pytest.mark.parametrize("name", NIGHTLY, ids=str)
async def test_failed_restore_leaves_the_database_of_before(install, name):
    """The dump is damaged, older programs can't read it, or a process is still serving.

    Then the restore works.
    """
    installed = await dumped(install, name)
    machine, file = installed.machine, installed.folder / "usher.dump"
    *_, restores = (one for one in PLATFORMS[name].back if "pg_restore" in one)
    with postgres.connected(installed.url) as connection:
        connection.execute("CREATE TABLE newer (id TEXT PRIMARY KEY)")
        connection.execute("ALTER TABLE workspaces ADD COLUMN newer TEXT REFERENCES newer (id)")
    before, good = rows(installed), file.read_bytes()
    older = {
        "PATH": f"{machine.variables['PATH'].partition(':')[0]}:{postgres.older_programs()}:/usr/bin:/bin"
    }
    file.write_bytes(good[: len(good) // 2])
    assert (await asyncio.to_thread(machine.run, restores)).status != 0
    assert rows(installed) == before
    file.write_bytes(good)
    assert (await asyncio.to_thread(machine.run, restores, **older)).status != 0
    assert rows(installed) == before
    with postgres.connected(installed.url):
        ended = await asyncio.to_thread(machine.run, restores)
    assert "is being accessed by other users" in ended.output
    assert rows(installed) == before
    await machine.follow([restores])
    assert "newer" not in rows(installed)
    assert installed.count()["links"] == 2
    assert installed.list_owners() == {"usher"}
