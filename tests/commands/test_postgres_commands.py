"""The commands on a PostgreSQL database: what they say, and that they never say its password."""

import asyncio
import re
import shlex
import subprocess

import pytest

from bot.commands import store_checks
from bot.commands.postgres_checks import check_processes
from bot.domain.stops import PlannedStop
from bot.store import name_of, open_store, owners, workspaces
from bot.store.schema import read_migrations
from bot.support.clock import SystemClock, SystemIds
from bot.support.settings import Settings
from tests.app.command_line import environment, run
from tests.project.repository import ROOT
from tests.rigs import postgres
from tests.rigs.store import ALICE, linked, set_timer, unlink

CANARY = "canary-1"
#: Nobody answers there.
NOWHERE = f"postgresql://usher:{CANARY}@127.0.0.1:1/usher"


@pytest.fixture
def env(tmp_path):
    return environment(tmp_path, USHER_DATABASE_URL=postgres.new_database("usher_commands"))


async def test_the_schema_is_made_once_and_doctor_says_so_before(env):
    (check,) = await store_checks.check_store(Settings(**env))
    assert (check.is_good, check.found) == (
        True,
        f"{name_of(env['USHER_DATABASE_URL'])} is empty: the first start creates the tables",
    )
    first = await run("migrate", env=env)
    assert (first.status, first.out.splitlines()) == (0, list(read_migrations()))
    again = await run("migrate", env=env)
    assert (again.status, again.out) == (0, "The database is up to date.\n")
    assert all(check.is_good for check in await store_checks.check_store(Settings(**env)))


async def test_a_schema_of_which_a_table_is_missing_is_not_empty(env):
    await run("migrate", env=env)
    with postgres.connected(env["USHER_DATABASE_URL"]) as connection:
        connection.execute("DROP TABLE owners")
        connection.execute("DROP TABLE outages")
        connection.execute("ALTER TABLE notices RENAME TO elsewhere")
    (check,) = await store_checks.check_store(Settings(**env))
    assert (check.is_good, "usher migrate" in check.found) == (False, True)


@pytest.mark.parametrize(
    ("running", "is_good", "found"),
    [
        ([], True, "none is running"),
        (["serve:m1/7_a"], True, "1 serve on m1"),
        (["web:m2/7_a", "web:m1/8_b", "worker:m1/9_c", "output:r1"], True, "2 web on m1, m2, 1 worker on m1"),
        (["web:m1/7_a"], False, "1 web on m1, but no worker, so nothing is done or sent"),
        (["worker:m1/7_a"], False, "1 worker on m1, but no web, so Slack's requests aren't answered"),
    ],
)
async def test_doctor_says_which_processes_serve(env, running, is_good, found):
    store = await open_store(env["USHER_DATABASE_URL"], SystemClock(), SystemIds())
    await store.migrate()
    for name in running:
        await store.write(owners.own, name.partition(":")[2], [name])
    (check,) = await check_processes(store, Settings(**env), None)
    await store.close()
    assert (check.is_good, check.found, bool(check.advice)) == (is_good, found, not is_good)


@pytest.mark.parametrize("command", [("migrate",), ("audit", "verify"), ("doctor", "--json")])
async def test_without_a_server_there_is_a_sentence_and_no_password(tmp_path, command):
    ended = await run(*command, env=environment(tmp_path, USHER_DATABASE_URL=NOWHERE))
    said = ended.out + ended.err
    assert ended.status == 1
    assert "postgresql://127.0.0.1:1/usher can't be opened: no server answers there" in said
    assert CANARY not in said
    assert "Traceback" not in said


def test_the_url_may_be_in_a_file(tmp_path):
    file = tmp_path / "database"
    file.write_text(f"{NOWHERE}\n")
    file.chmod(0o600)
    assert Settings(**environment(tmp_path, USHER_DATABASE_URL=f"file:{file}")).database_url == NOWHERE


def as_written(program, url):
    """Return a command of docs/containers.md as words, for another database than that of Compose."""
    page = (ROOT / "docs/containers.md").read_text(encoding="utf-8")
    _, *words = shlex.split(re.search(rf"{program} [^<>\n]*(?= [<>])", page)[0])
    kept = [one for one in words if not one.endswith(("=usher", "usher"))]
    return [postgres.program(program), f"--dbname={url}", *kept]


async def test_a_dump_is_restored_as_the_page_says(env):
    """Of what was dumped nothing is done before its person was asked; ``restored`` takes no file here."""
    url = env["USHER_DATABASE_URL"]
    store = await open_store(url, SystemClock(), SystemIds())
    await store.migrate()
    workspace = (await linked(store)).workspaces[0]
    await set_timer(store, workspace, PlannedStop(await store.now() + 3600, "stop"))
    dumped, restored = (as_written(program, url) for program in ("pg_dump", "pg_restore"))
    made = await asyncio.to_thread(subprocess.run, dumped, check=True, capture_output=True, timeout=60)
    await unlink(store, ALICE, revocable=[], notify=False)
    await store.close()
    await asyncio.to_thread(subprocess.run, restored, check=True, input=made.stdout, timeout=60)
    refused = await run("restored", "usher.dump", env=env)
    assert (refused.status, refused.err[:13]) == (2, "On PostgreSQL")
    ended = await run("restored", env=env)
    assert (ended.status, "asked: stops: 1." in ended.out) == (0, True)
    store = await open_store(url, SystemClock(), SystemIds())
    assert (await store.read(workspaces.find_workspace, workspace.id)).stop_at is None
    await store.close()
