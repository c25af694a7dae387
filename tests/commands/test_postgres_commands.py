"""Tests of the commands with a PostgreSQL database: their output, which never contains its password."""

import os

import pytest

from bot.commands import store_checks
from bot.commands.postgres_checks import check_processes
from bot.store import name_of, open_store, owners
from bot.store.postgres import PostgresEngine
from bot.store.schema import read_migrations
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreError
from bot.support.settings import Settings
from bot.support.vault import Vault
from tests.app.command_line import environment, run
from tests.rigs import postgres

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


async def test_doctor_reports_user_who_may_not_create_tables(env):
    """The administrator created the database without making Usher's user its owner."""
    role, url = f"usher_weak_{os.getpid()}", env["USHER_DATABASE_URL"]
    if "host=" not in url or "@" not in url:
        pytest.skip("the server asks roles for passwords")
    with postgres.connected(url) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        try:
            settings = Settings(**env | {"USHER_DATABASE_URL": url.replace("postgres:@", f"{role}:@")})
            (check,) = await store_checks.check_store(settings)
        finally:
            connection.execute(f"DROP ROLE {role}".encode())
    assert (check.is_good, "may not create tables" in check.found) == (False, True)
    assert "owner" in check.advice


@pytest.mark.parametrize(
    "columns", ["id SERIAL, migration TEXT, batch INT", "id SERIAL, name TEXT, run_on INT"]
)
async def test_migrations_of_another_tool_are_not_taken_for_ushers(env, columns):
    """As Laravel and db-migrate create them."""
    with postgres.connected(env["USHER_DATABASE_URL"]) as connection:
        connection.execute(f"CREATE TABLE migrations ({columns})".encode())
        if "name" in columns:
            connection.execute(b"INSERT INTO migrations (name) VALUES ('20240101-users')")
    ended = await run("migrate", env=env)
    assert (ended.status, "give Usher a database of its own" in ended.err) == (1, True), ended.err
    (check,) = await store_checks.check_store(Settings(**env))
    assert (check.is_good, "give Usher a database of its own" in check.found) == (False, True)


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
    (check,) = await check_processes(store, Settings(**env))
    await store.close()
    assert (check.is_good, check.found, bool(check.advice)) == (is_good, found, not is_good)


async def test_doctor_says_where_processes_have_other_keys(env):
    """If the keys differ between processes, doctor reports it, and the operator has to repair it."""
    own = Vault(Settings(**env).keys()).fingerprints
    store = await open_store(env["USHER_DATABASE_URL"], SystemClock(), SystemIds())
    await store.migrate()
    for keys, is_good in ((own, True), (own | {"another"}, False), ({"another"}, False)):
        names = ["serve:a", *(f"key:{key}:a" for key in keys)]
        await store.write(owners.own, "a/1", names)
        checks = {one.name: one for one in await check_processes(store, Settings(**env))}
        assert checks["processes"].is_good
        assert ("keys of processes" not in checks) is is_good
        await store.write(owners.release_all, "a/1")
    await store.close()


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


async def test_restored_without_a_backup_in_the_database_is_refused(env):
    """On PostgreSQL, ``restored`` takes no file, and it doesn't accept an empty database as a backup."""
    refused = await run("restored", "usher.dump", env=env)
    assert (refused.status, refused.err[:13]) == (2, "On PostgreSQL")
    empty = await run("restored", env=env)
    assert (empty.status, empty.out) == (1, "")
    assert "is empty: restore the backup into it first" in empty.err
    with postgres.connected(env["USHER_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public'").rowcount == 0


async def test_restored_beside_a_process_that_serves_is_refused(env):
    store = await open_store(env["USHER_DATABASE_URL"], SystemClock(), SystemIds())
    await store.begin_serving()
    refused = await run("restored", env=env)
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.endswith("stop it first, then try again.\n")
    await store.close()
    assert (await run("restored", env=env)).status == 0


async def test_migrate_over_tables_of_a_newer_release_says_how_to_restore(env):
    """Restoring a backup over a newer database leaves the newer release's tables behind."""
    (newest, script) = list(read_migrations().items())[-1]
    older = {name: text for name, text in read_migrations().items() if name != newest}
    engine = PostgresEngine(env["USHER_DATABASE_URL"], SystemClock(), SystemIds(), scripts=older)
    await engine.open()
    await engine.migrate()
    await engine.close()
    newer = {**older, newest: f"{script}\nCREATE TABLE left_over (id TEXT PRIMARY KEY);"}
    with postgres.connected(env["USHER_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE left_over (id TEXT PRIMARY KEY)")
    engine = PostgresEngine(env["USHER_DATABASE_URL"], SystemClock(), SystemIds(), scripts=newer)
    await engine.open()
    with pytest.raises(StoreError, match=r'relation "left_over" already exists.* into an empty database'):
        await engine.migrate()
    await engine.close()
