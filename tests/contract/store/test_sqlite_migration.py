"""Migrations: each runs once, all of them or none, and what is not ours to change is refused untouched."""

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest

from bot.domain.audit import AuditEntry
from bot.store import open_store
from bot.store.schema import in_place_of, migrations, missing, records
from bot.store.sqlite import SqliteEngine
from bot.support.clock import SystemIds
from bot.support.errors import StoreTooNew, StoreTooOld, StoreUnavailable, StoreUnreleased
from bot.support.release import RELEASE, STOP
from tests.rigs import releases
from tests.rigs.clock import FakeClock

#: How a migration begins that every release can bear.
BORNE = "-- oldest release that may serve: 0.1.0\n"
FIRST = {"0001_schema": BORNE + "CREATE TABLE cards (id TEXT PRIMARY KEY, body TEXT NOT NULL);"}
LATER = FIRST | {
    "0002_moments": BORNE + "ALTER TABLE cards ADD COLUMN sent_at DOUBLE PRECISION;",
    "0003_sent": BORNE + "UPDATE cards SET sent_at = 5.0 WHERE body <> '';",
}
BROKEN = FIRST | {
    "0002_good": BORNE + "CREATE TABLE good (id TEXT); DELETE FROM cards;",
    "0003_bad": BORNE + "CREATE TABLE bad (id TEXT); NONSENSE;",
}


@pytest.fixture
def path(tmp_path):
    """Return a database as an earlier release left it."""
    path = tmp_path / "usher.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
        )
        for name, script in FIRST.items():
            database.executescript(script)
            database.execute("INSERT INTO migrations VALUES (?, 0)", [name])
        database.execute("INSERT INTO cards VALUES ('c1', 'notebook is ready'), ('c2', '')")
        database.commit()
    return path


async def opened(path, scripts=None):
    engine = SqliteEngine(str(path), FakeClock(), SystemIds(), scripts=scripts)
    await engine.open()
    return engine


def everything(path):
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


async def migrated(path, scripts=None):
    engine = await opened(path, scripts)
    try:
        return await engine.migrate()
    finally:
        await engine.close()


async def test_what_is_new_runs_in_its_order_and_all_rows_are_kept(path):
    assert await migrated(path, LATER) == ["0002_moments", "0003_sent"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT * FROM cards ORDER BY id").fetchall() == [
            ("c1", "notebook is ready", 5.0),
            ("c2", "", None),
        ]


async def test_migrating_twice_runs_nothing_twice(tmp_path):
    path = tmp_path / "new.db"
    first, second = await opened(path), await opened(path)
    ran = await asyncio.gather(first.migrate(), second.migrate(), first.migrate())
    assert sorted(ran) == [[], [], list(migrations())]
    await first.close()
    await second.close()


async def test_a_migration_that_fails_leaves_everything_as_it_was(path):
    before = everything(path)
    with pytest.raises(StoreUnavailable):
        await migrated(path, BROKEN)
    assert everything(path) == before
    assert await migrated(path, LATER) == ["0002_moments", "0003_sent"]


async def test_a_newer_database_is_served_by_whom_its_migrations_name(path):
    await migrated(path, LATER)
    before = everything(path)
    assert await migrated(path, FIRST) == []
    assert await migrated(path, LATER) == []
    assert everything(path) == before


async def test_a_database_that_needs_a_newer_release_is_refused_and_left_alone(path):
    newer = "-- oldest release that may serve: {}\nCREATE TABLE more_{} (id TEXT);".format
    later = LATER | {"0004_more": newer("0.10.0", "a"), "0005_less": newer("0.9.0", "b")}
    await migrated(path, later)
    before = everything(path)
    words = rf"\(0004_more, 0005_less\): it needs 0\.10\.0 or later, and this is {re.escape(RELEASE)}"
    with pytest.raises(StoreTooNew, match=words):
        await migrated(path, FIRST)
    assert everything(path) == before


async def test_a_migration_that_names_no_release_does_not_run(path):
    before = everything(path)
    with pytest.raises(ValueError, match="0002_silent"):
        await migrated(path, FIRST | {"0002_silent": "CREATE TABLE silent (id TEXT);"})
    assert [line for line in everything(path) if "silent" in line] == []
    assert set(before) <= set(everything(path))


@pytest.mark.parametrize(
    "names",
    [
        ("0001_foundation",),
        # Known ones under other numbers, and later ones before known ones.
        ("0001_schema", "0003_sent_at"),
        ("0001_schema", "0002_moments", "0003_renamed", "0004_sent"),
        ("0001_schema", "0002_between", "0002_moments", "0003_sent"),
    ],
)
async def test_a_database_of_before_the_first_release_is_refused_and_left_alone(tmp_path, names):
    path = tmp_path / "old.db"
    await migrated(path, {name: f"{BORNE}CREATE TABLE made_{name} (id TEXT);" for name in names})
    before = everything(path)
    with pytest.raises(
        StoreUnreleased, match=r"old\.db was made by a development version of Usher, .* a new one"
    ):
        await migrated(path, LATER)
    assert everything(path) == before


async def test_the_schema_has_no_reference_to_what_is_not_there(tmp_path):
    path = tmp_path / "new.db"
    await migrated(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


OF_THE_STOP = in_place_of(migrations()["0034_until_0_2_1"])


@pytest.mark.parametrize("count", [1, 2, len(OF_THE_STOP) - 1])
def test_what_a_release_before_the_stop_left_is_refused_with_the_next_step(count):
    with pytest.raises(StoreTooOld, match=r"before 0\.2\.1, from which .* Install 0\.2\.1"):
        missing(dict.fromkeys(OF_THE_STOP[:count], "0.1.0"), migrations(), "usher.db")


def test_what_the_stop_left_goes_on_from_there_and_an_empty_one_is_made_in_one_piece():
    every = list(migrations())
    assert every[0] == "0034_until_0_2_1"
    assert missing(dict.fromkeys(OF_THE_STOP, "0.1.0"), migrations(), "usher.db") == every[1:]
    assert missing({}, migrations(), "usher.db") == every
    made = {row[0]: row[2] for table, row in records(every[0], migrations()[every[0]], 1.0) if len(row) > 2}
    assert missing(made, migrations(), "usher.db") == every[1:]


async def test_a_file_of_the_stop_opens_with_what_was_in_it(tmp_path):
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    await releases.asked(releases.earlier(STOP, tmp_path / STOP), FILLS, url=f"sqlite:///{old}")
    for path in (new, old):
        await migrated(path, migrations())
    assert shape(new) == shape(old)
    with closing(sqlite3.connect(old)) as database:
        (row,) = database.execute("SELECT kind, class, state FROM notices").fetchall()
        assert row == ("summary", 3, "pending")
        assert database.execute("SELECT kind, subject FROM tasks").fetchall() == [("revoke_secret", "a1")]


FILLS = """
import asyncio, json, sys
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.store import open_store
from bot.store.tasks import NewTask, TaskKind
from bot.support.clock import SystemClock, SystemIds
async def fill(url):
    store = await open_store(url, SystemClock(), SystemIds())
    await store.begin_serving()
    await store.add_notices([NewNotice("n", NoticeKind.HELD, "1", Principal(None, "T1", "U1"))])
    await store.add_tasks([NewTask(kind, "a1") for kind in (TaskKind.REVOKE, TaskKind.RENEWAL)])
    await store.close()
    print("null")
asyncio.run(fill(json.load(sys.stdin)["url"]))
"""


def shape(path):
    """Return the columns of each table, and the indexes."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        about = "SELECT name, type, [notnull], dflt_value FROM pragma_table_info(?)"
        found = {name: sorted(database.execute(about, [name]), key=str) for name in tables}
        indexes = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
        return found, database.execute(indexes).fetchall()


async def test_place_of_an_installation_is_taken_over(tmp_path):
    """From 0.3.0, which kept it with the installation."""
    path, every = tmp_path / "usher.db", migrations()
    await migrated(path, {name: script for name, script in every.items() if name < "0041"})
    row = {"id": "T1", "enterprise_id": "E1", "team_id": "T1", "team_name": "", "bot_name": "", "scopes": ""}
    row |= {"secret": "", "installed_by": "", "renewing_until": 0.0, "installed_at": 5.0}
    with closing(sqlite3.connect(path)) as database:
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO installations ({names}) VALUES ({marks})", list(row.values()))
        database.commit()
    await migrated(path, every)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT * FROM places").fetchall() == [("T1", "E1", 5.0)]
        assert database.execute("SELECT organisation_id FROM installations").fetchall() == [("E1",)]


async def test_rows_of_an_archived_audit_stay_intact(tmp_path):
    """From 0.3.1, whose ``audit archive`` moved the first rows into a file."""
    path, every = tmp_path / "usher.db", migrations()
    await migrated(path, {name: script for name, script in every.items() if name < "0058"})
    store = await open_store(f"sqlite:///{path}", FakeClock(), SystemIds())
    archived = AuditEntry("operator", "audit.archive", "a.jsonl", "ok", {"through": 2})
    await store.append_audit([*(AuditEntry("a", "act", f"{number}", "ok") for number in range(4)), archived])
    _, last, *kept = await store.audit_entries()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM audit WHERE seq <= 2")
        database.execute("UPDATE audit_head SET archived = 2, archived_hash = ?", [last["hash"]])
    assert await store.migrate() == [name for name in every if name >= "0058"]
    assert await store.audit_entries() == kept
    assert await store.verify_audit() is None
    await store.append_audit([AuditEntry("a", "act", "later", "ok")])
    assert await store.verify_audit() is None
    await store.close()
