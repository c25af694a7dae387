"""Opening and migrating PostgreSQL databases: errors are described in words, and serving processes stop."""

import asyncio
import os
from urllib.parse import urlsplit

import psycopg
import pytest

from bot.store import counts, gates, open_store, operations, outages, owners, workspaces
from bot.store.postgres_errors import describe_url, make_open_error
from bot.store.schema import read_migrations
from bot.store.store import Store
from bot.store.transaction import Priority
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreAway, StoreInUse, StoreMigrated, StoreTooNew, StoreUnavailable
from bot.support.release import RELEASE
from tests.rigs import postgres
from tests.rigs.store import accept_operation, linked, want_read

IDS = SystemIds()
RELEASED = dict(read_migrations())
#: Made up for these tests: the migrations of a next release.
ADDED = RELEASED | {
    "0101_added": "CREATE TABLE added (id TEXT PRIMARY KEY); ALTER TABLE workspaces ADD COLUMN added TEXT;"
    "ALTER TABLE operations ADD COLUMN added BIGINT NOT NULL DEFAULT 0; UPDATE workspaces SET added = 'x';"
}
BROKEN = RELEASED | {"0101_broken": "CREATE TABLE added (id TEXT); DELETE FROM accounts; NONSENSE;"}


@pytest.fixture
def url():
    return postgres.new_database("usher_opening")


@pytest.fixture
async def open_(url, clock):
    """A function that opens stores of a release on the database, one for each simulated process."""
    opened = []

    async def open_one(scripts=None):
        engine = postgres.engine(url, clock, IDS, scripts=scripts)
        await engine.open()
        opened.append(Store(engine))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("PGSERVICE", "nowhere", '"nowhere" not found'), ("PGTARGETSESSIONATTRS", "standby", "hot standby")],
)
async def test_words_of_the_client_library_are_shown(url, monkeypatch, variable, value, said):
    monkeypatch.setenv(variable, value)
    with pytest.raises(StoreAway) as raised:
        await open_store(url, SystemClock(), IDS)
    assert said in str(raised.value)


async def test_its_time_is_the_databases(url):
    store = await open_store(url, SystemClock(), IDS)
    with postgres.connected(url) as connection:
        clock = "SELECT extract(epoch FROM clock_timestamp())::float8"
        before, now, after = connection.execute(clock), await store.now(), connection.execute(clock)
        assert before.fetchone()[0] - 0.1 <= now <= after.fetchone()[0] + 0.1
    await store.close()


class AnHourAhead(SystemClock):
    def now(self):
        return super().now() + 3600.0


async def test_a_machine_whose_clock_is_wrong_reads_nothing_early_and_takes_nothing_over(url):
    right, wrong = await open_store(url, SystemClock(), IDS), await open_store(url, AnHourAhead(), IDS)
    for store in (right, wrong):
        await store.begin_serving()
    workspace = (await linked(right)).workspaces[0]
    await accept_operation(right, workspace, interaction="i1")
    # Each process measures the database's time itself, and on a busy machine the results differ by
    # milliseconds.
    async with asyncio.timeout(10):
        while not await wrong.claim(operations.claim_operations, 10, 40.0):
            pass
    assert await right.claim(operations.claim_operations, 10, 40.0) == []
    await want_read(right, workspace.id)
    assert await right.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    await want_read(wrong, workspace.id)
    assert await wrong.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5) == []
    assert await wrong.write(owners.own, "wrong", ["thing"]) == ["thing"]
    assert await right.write(owners.own, "right", ["thing"]) == []
    # Times in its messages and rows are right as well.
    assert wrong.engine.clock.now() == pytest.approx(right.engine.clock.now(), abs=1.0)
    for store in (right, wrong):
        await store.close()


async def test_texts_are_compared_as_in_sqlite_whatever_the_databases_order():
    with postgres.connected(await postgres.migrated()) as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE data_type = 'text'"
            " AND table_schema = current_schema() AND collation_name IS DISTINCT FROM 'C'"
        )
        assert found.fetchall() == []


async def test_migrating_twice_at_once_runs_nothing_twice(open_):
    first, second = await open_(), await open_()
    ran = await asyncio.gather(first.migrate(), second.migrate(), first.migrate())
    assert sorted(ran) == [[], [], list(RELEASED)]


def written(url):
    """Return the rows that an old process would change."""
    with postgres.connected(url) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1".encode()).fetchall()
            for table in ("operations", "owners", "reached", "audit")
        ]


async def test_who_serves_writes_nothing_once_the_schema_is_newer(open_, url):
    """No connection writes, including those for claims and records, which may commit with one statement."""
    old, problems = await open_(), []
    await old.begin_serving()
    await old.write(owners.own, "old", ["worker:old"])
    old.engine.end_on_migration(problems.append)
    workspace = (await linked(old)).workspaces[0]
    # These statements are prepared before the tables change.
    for number in range(3):
        await accept_operation(old, workspace, interaction=f"i{number}")
    assert (await old.read(workspaces.find_workspace, workspace.id)).name == workspace.name
    await old.write(outages.note_answer, "slack", 1.0)
    assert await (await open_(ADDED)).migrate() == ["0101_added"]
    before = written(url)
    # Until the process has stopped, people can still read.
    assert (await old.read(workspaces.find_workspace, workspace.id)).name == workspace.name
    for work in (
        lambda: accept_operation(old, workspace, interaction="later"),
        lambda: old.claim(operations.claim_operations, 10, 60.0),
        lambda: old.write(owners.own, "old", ["thing"]),
        lambda: old.write(outages.note_answer, "slack", 2.0),
    ):
        with pytest.raises(
            StoreMigrated, match=rf"\(0101_added\), and this is {RELEASE}: this process has stopped"
        ):
            await work()
    assert [type(one) for one in problems] == [StoreMigrated] * 4
    assert written(url) == before
    await old.close()
    new = await open_(ADDED)
    assert await new.begin_serving() == []
    assert len(await new.claim(operations.claim_operations, 10, 60.0)) == 1


#: Inserts a newer migration at the moment a new connection compares its server with the stored one.
MIGRATES_MEANWHILE = """
CREATE FUNCTION migrate_meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO migrations VALUES ('0101_added', 0) ON CONFLICT DO NOTHING; RETURN NULL; END $$;
CREATE TRIGGER meanwhile AFTER INSERT ON database_timeline EXECUTE FUNCTION migrate_meanwhile();
"""


async def test_first_claim_of_a_connection_reads_the_schema_again(open_, url):
    """The server is compared in a transaction of its own, so a migration may come before the claim's."""
    old = await open_()
    await old.begin_serving()
    with postgres.connected(url) as connection:
        connection.execute(MIGRATES_MEANWHILE)
    with pytest.raises(StoreMigrated):
        await old.claim(operations.claim_operations, 10, 60.0)


@pytest.mark.parametrize("release", ["0.3.1", None])
async def test_who_does_not_stop_by_itself_has_to_be_stopped_first(open_, url, release):
    """The serving processes are of an old release or, with None, haven't announced their release yet."""
    old, new = await open_(), await open_(ADDED)
    await old.begin_serving()
    if release is not None:
        for name in ("old", "other"):
            await old.write(owners.own, name, [f"worker:{name}"])
        with postgres.connected(url) as connection:
            connection.execute(f"UPDATE owners SET release = '{release}' WHERE owner = 'other'")
    with pytest.raises(StoreInUse, match="stop it first") as refused:
        await new.migrate()
    assert describe_url(url) in str(refused.value)
    assert await old.write(owners.own, "old", ["thing"]) == ["thing"]
    await old.close()
    assert await new.migrate() == ["0101_added"]


async def test_processes_that_start_at_once_migrate_once(open_):
    """No process is refused because another is about to serve."""
    await (await open_()).migrate()
    ran = await asyncio.gather(*[(await open_(ADDED)).begin_serving() for _ in range(4)])
    assert sorted(ran) == [[], [], [], ["0101_added"]]


async def test_a_newer_database_is_refused_with_the_next_step(open_, url):
    await (await open_(ADDED)).migrate()
    with postgres.connected(url) as connection:
        connection.execute("UPDATE schema_changes SET oldest = '99.0.0' WHERE name = '0101_added'")
    words = rf"newer release of Usher \(0101_added\): it needs 99\.0\.0 or later, and this is {RELEASE}\. Run"
    with pytest.raises(StoreTooNew, match=words):
        await (await open_()).begin_serving()


async def test_a_migration_may_take_longer_than_people_wait(url, clock):
    slow = {"0001_slow": "SELECT pg_sleep(0.3); CREATE TABLE slow (id TEXT);"}
    engine = postgres.engine(url, clock, IDS, scripts=slow, patience=dict.fromkeys(Priority, 0.1))
    engine._session.limit_seconds = 0.2
    await engine.open()
    assert await engine.migrate() == ["0001_slow"]
    await engine.close()


async def test_a_migration_that_fails_leaves_everything_as_it_was(open_):
    store = await open_()
    await store.migrate()
    await linked(store)
    with pytest.raises(StoreUnavailable):
        await (await open_(BROKEN)).migrate()
    assert (await store.perform(counts.count_rows))["accounts"] == 1
    assert await (await open_(ADDED)).migrate() == ["0101_added"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path": "/nothing_there"}, "no such database: create it first"),
        ({"query": "user=nobody&host={host}"}, "no such user"),
        (
            {"netloc": "u:canary-1@127.0.0.1:1", "query": ""},
            r"//127.0.0.1:1/usher_opening.* no server answers",
        ),
        ({"netloc": "u:canary-1%zz@127.0.0.1:1", "query": ""}, "USHER_DATABASE_URL .* not understood"),
    ],
)
async def test_what_cannot_be_opened_says_why(url, change, words):
    parts = urlsplit(url)
    host = parts.query.partition("host=")[2]
    given = {name: value.format(host=host) for name, value in change.items()}
    if "host=" not in parts.query and "user=" in given.get("query", ""):
        pytest.skip("the server is reached by TCP: its users are in the URL itself")
    with pytest.raises(StoreUnavailable, match=words) as refused:
        await open_store(parts._replace(**given).geturl(), SystemClock(), IDS)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  password authentication failed for user "u"', "user or the password in it is wrong"),
        ("fe_sendauth: no password supplied", "user or the password in it is wrong"),
        ('FATAL:  permission denied for database "d"', "may not connect"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.7"', "pg_hba.conf"),
        ("failed to resolve host 'db'", "no such host"),
        ("connection timeout expired", "no server answers there in time"),
        ("FATAL:  sorry, too many clients already", "no free connection"),
        ('FATAL:  too many connections for role "usher"', 'it says: too many connections for role "usher"'),
        ("FATAL:  the database system is starting up", "starting or stopping"),
        ("FATAL:  the database system is in recovery mode", "starting or stopping"),
        ("FATAL:  the database system is not yet accepting connections", "starting or stopping"),
        ("FATAL:  terminating connection due to administrator command", "starting or stopping"),
        ("could not receive data from server: Connection reset by peer", "starting or stopping"),
        ("server does not support SSL, but SSL was required", "sslmode"),
        ("FATAL:  something else", "log of the PostgreSQL server"),
    ],
)
def test_what_the_server_says_is_told_with_the_next_step(said, words):
    given = "postgresql://u:canary-1@db:5433/usher"
    error = psycopg.OperationalError(f'connection to server at "db" failed: {said}')
    text = str(make_open_error(given, error))
    assert text.startswith("postgresql://db:5433/usher can't be opened: ")
    assert words in text
    assert "canary" not in text


async def test_a_database_that_cannot_hold_every_text_is_refused():
    postgres.needs_version(15, "older databases have no LOCALE_PROVIDER")
    ascii_only = postgres.new_database("usher_ascii", "ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc")
    with pytest.raises(StoreUnavailable, match="ENCODING 'UTF8'"):
        await open_store(ascii_only, SystemClock(), IDS)


async def test_a_user_without_rights_is_told_so(open_, url):
    role = f"usher_stranger_{os.getpid()}"
    with postgres.connected(url) as connection:
        connection.execute(f"CREATE ROLE {role}".encode())
        # Before PostgreSQL 15, everybody may create tables.
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    store = await open_()

    def create(tx):
        tx.run(f"SET LOCAL ROLE {role}")
        tx.run("CREATE TABLE t (i int)")

    with pytest.raises(StoreUnavailable, match="owner of the database"):
        await store.engine.write(create)
    with postgres.connected(url) as connection:
        connection.execute(f"DROP ROLE {role}".encode())
