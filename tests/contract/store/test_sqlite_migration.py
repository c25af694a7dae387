"""Migrations: each runs once, all of them or none; a database that isn't ours is refused untouched."""

import asyncio
import os
import re
import sqlite3
from contextlib import closing
from functools import partial

import pytest

from bot.domain.audit import AuditEntry
from bot.domain.usage import Known
from bot.store import audit, open_store, usage
from bot.store.schema import (
    find_missing_migrations,
    list_replaced_migrations,
    read_latest_schema,
    read_migrations,
)
from bot.store.sqlite import SqliteEngine
from bot.store.tables import TABLES
from bot.support.clock import SystemIds
from bot.support.errors import StoreTooNew, StoreTooOld, StoreUnavailable, StoreUnreleased
from bot.support.release import RELEASE
from tests.project.repository import ROOT
from tests.rigs import earlier
from tests.rigs.clock import FakeClock
from tests.rigs.store import ALICE, follow

HEADER = "-- What all migrations make of a new file, as test_new_database_equals_a_migrated_one writes it.\n"
LATEST = ROOT / "bot/store/migrations/latest/sqlite.sql"
FIRST = {"0001_schema": "CREATE TABLE cards (id TEXT PRIMARY KEY, body TEXT NOT NULL);"}
LATER = FIRST | {
    "0002_moments": "ALTER TABLE cards ADD COLUMN sent_at DOUBLE PRECISION;",
    "0003_sent": "UPDATE cards SET sent_at = 5.0 WHERE body <> '';",
}
BROKEN = FIRST | {
    "0002_good": "CREATE TABLE good (id TEXT); DELETE FROM cards;",
    "0003_bad": "CREATE TABLE bad (id TEXT); NONSENSE;",
}


@pytest.fixture
def path(tmp_path):
    """The path of a database as an earlier release left it."""
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


def list_schema(path):
    """Return the names and SQL of tables and indexes, in the order in which they affect plans."""
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        return database.execute(query).fetchall()


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
    assert sorted(ran) == [[], [], list(read_migrations())]
    await first.close()
    await second.close()


async def test_new_database_equals_a_migrated_one(tmp_path):
    """A new database is created in one step.

    After adding a migration, ``UPDATE_GOLDEN=1 pytest …`` rewrites its script.
    """
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    await migrated(old, dict(read_migrations()))
    expected = list_schema(old)
    if os.environ.get("UPDATE_GOLDEN"):
        made = [sql for name, sql in expected if name not in ("migrations", "schema_changes")]
        rows = [line for line in everything(old) if line.startswith('INSERT INTO "audit"')]
        lines = (f"{one.removesuffix(';')};\n" for one in (*made, *rows))
        LATEST.write_text("".join([HEADER, *lines]), encoding="utf-8")
        read_latest_schema.cache_clear()
    assert await migrated(new) == list(read_migrations())
    assert list_schema(new) == expected, "run this with UPDATE_GOLDEN=1"
    assert everything(new) == everything(old)


async def test_a_migration_that_fails_leaves_everything_as_it_was(path):
    before = everything(path)
    with pytest.raises(StoreUnavailable):
        await migrated(path, BROKEN)
    assert everything(path) == before
    assert await migrated(path, LATER) == ["0002_moments", "0003_sent"]


async def test_a_newer_database_is_refused_and_left_alone(path):
    await migrated(path, LATER)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE schema_changes SET oldest = '0.10.0' WHERE name = '0002_moments'")
        database.execute("UPDATE schema_changes SET oldest = '0.9.0' WHERE name = '0003_sent'")
        database.commit()
    before = everything(path)
    words = rf"\(0002_moments, 0003_sent\): it needs 0\.10\.0 or later, and this is {re.escape(RELEASE)}"
    with pytest.raises(StoreTooNew, match=words):
        await migrated(path, FIRST)
    assert everything(path) == before
    assert await migrated(path, LATER) == []


@pytest.mark.parametrize(
    "names",
    [
        ("0001_foundation",),
        # Known migrations under other numbers, and later ones before known ones.
        ("0001_schema", "0003_sent_at"),
        ("0001_schema", "0002_moments", "0003_renamed", "0004_sent"),
        ("0001_schema", "0002_between", "0002_moments", "0003_sent"),
    ],
)
async def test_a_database_of_before_the_first_release_is_refused_and_left_alone(tmp_path, names):
    path = tmp_path / "old.db"
    await migrated(path, {name: f"CREATE TABLE made_{name} (id TEXT);" for name in names})
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


OF_THE_STOP = list_replaced_migrations(read_migrations()["0056_until_0_3_1"])


@pytest.mark.parametrize("count", [1, 2, len(OF_THE_STOP) - 1])
def test_what_a_release_before_the_stop_left_is_refused_with_the_next_step(count):
    with pytest.raises(StoreTooOld, match=r"before 0\.3\.1, from which .* Install 0\.4\.1"):
        find_missing_migrations(dict.fromkeys(OF_THE_STOP[:count], "0.1.0"), read_migrations(), "usher.db")


def test_what_the_stop_left_goes_on_from_there_and_an_empty_one_is_made_in_one_piece():
    every = list(read_migrations())
    assert every[0] == "0056_until_0_3_1"
    assert (
        find_missing_migrations(dict.fromkeys(OF_THE_STOP, "0.1.0"), read_migrations(), "usher.db")
        == every[1:]
    )
    assert find_missing_migrations({}, read_migrations(), "usher.db") == every
    made = dict.fromkeys(list_replaced_migrations(read_migrations()[every[0]]), RELEASE)
    assert find_missing_migrations(made, read_migrations(), "usher.db") == every[1:]


@pytest.mark.parametrize("release", earlier.LAST_MIGRATIONS, ids=str)
async def test_an_upgraded_schema_is_that_of_a_new_file(tmp_path, release):
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    await migrated(old, earlier.scripts_of(release))
    await migrated(new)
    assert (shape(old) == shape(new)) is (earlier.scripts_of(release) == read_migrations())
    await migrated(old)
    assert shape(new) == shape(old)


#: Rows of 0.3.1, which had two tables of tasks. One task is in both, and one was being worked on.
BESIDE = """
INSERT INTO tasks (id, kind, subject, payload, created_at, due_at) VALUES
    ('t1', 'revoke_secret', 'a1', '{}', 0, 5), ('t2', 'discover', 'a1', '{}', 0, 5);
INSERT INTO later_tasks (id, kind, subject, payload, created_at, due_at, attempts, is_leased) VALUES
    ('t3', 'revocation', 'a1', '{}', 0, 6, 0, 0), ('t4', 'follow', 'a1', '{}', 0, 70, 3, 1),
    ('t5', 'look_up_user', 'a1', '{}', 0, 6, 0, 0);
INSERT INTO cards (id, subject, kind, principal, message_ts, later_ts, updated_at) VALUES
    ('c1', 's', 'ready', 'T1:U1', '1.1', NULL, 0), ('c2', 's', 'needed', 'T1:U1', NULL, '2.2', 0),
    ('c3', 's', 'needed', 'T1:U1', NULL, '', 0);
INSERT INTO notices (id, subject, kind, occasion, principal, body, state, class, created_at, due_at) VALUES
    ('n1', 's', 'summary', '1', 'T1:U1', '{}', 'pending', 13, 0, 0),
    ('n2', 's', 'ready', '1', 'T1:U1', '{}', 'sent', 1, 0, 0),
    ('n3', 's', 'message', '1', 'T1:U1', '{}', 'retry', 11, 0, 0);
"""


def shape(path):
    """Return the columns of each table, and the indexes."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        about = "SELECT name, type, [notnull], dflt_value FROM pragma_table_info(?)"
        found = {name: sorted(database.execute(about, [name]), key=str) for name in tables}
        indexes = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
        return found, database.execute(indexes).fetchall()


async def test_rows_that_0_3_1_kept_beside_are_kept(tmp_path):
    """Each task is kept once, under its current name, and each message in its place and order."""
    path = tmp_path / "old.db"
    await migrated(path, earlier.scripts_of("0.3.1"))
    with closing(sqlite3.connect(path)) as database:
        database.executescript(BESIDE)
    await migrated(path)
    with closing(sqlite3.connect(path)) as database:
        tasks = database.execute("SELECT id, kind, due_at, attempts, is_leased FROM tasks ORDER BY id")
        assert tasks.fetchall() == [
            ("t1", "revoke_credential", 5.0, 0, 0),
            ("t2", "discover", 5.0, 0, 0),
            ("t4", "fan_out", 70.0, 3, 0),
            ("t5", "look_up_user", 6.0, 0, 0),
        ]
        cards = database.execute("SELECT id, message_ts FROM cards ORDER BY id").fetchall()
        assert cards == [("c1", "1.1"), ("c2", "2.2"), ("c3", None)]
        notices = database.execute("SELECT id, kind, urgency, state FROM notices ORDER BY id").fetchall()
        assert notices == [
            ("n1", "summary", 3, "pending"),
            ("n2", "ready", 1, "sent"),
            ("n3", "message", 1, "retry"),
        ]


async def test_rows_of_an_archived_audit_stay_intact(tmp_path):
    """The rows are from 0.3.1, whose ``audit archive`` moved the first rows into a file."""
    path, every = tmp_path / "usher.db", read_migrations()
    await migrated(path, {name: script for name, script in every.items() if name < "0058"})
    store = await open_store(f"sqlite:///{path}", FakeClock(), SystemIds())
    rows, last = [], ""
    for seq, action in enumerate(["act"] * 4 + ["audit.archive"], 1):
        row = {"seq": seq, "at": 1.0, "actor": "a", "action": action, "target": "", "result": "ok"}
        row |= {"detail": '{"through":2}', "previous_hash": last}
        rows.append({**row, "hash": (last := audit.hash_of(row))})
    kept = rows[2:]
    with closing(sqlite3.connect(path)) as database, database:
        for row in kept:
            database.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [*row.values()])
        head = "UPDATE audit_head SET count = 5, hash = ?, archived = 2, archived_hash = ?"
        database.execute(head, [last, rows[1]["hash"]])
    assert await store.migrate() == [name for name in every if name >= "0058"]
    assert await store.read(audit.read_audit) == kept
    assert await store.perform(audit.verify_audit) is None
    await store.write(audit.append_audit, [AuditEntry("a", "act", "later", "ok")])
    assert await store.perform(audit.verify_audit) is None
    await store.close()


#: Columns for a row of each renamed kind. Any of the messages may have been sent.
OF_0_3_1 = {
    "notices": {"occasion": "1", "principal": ":T1:U1", "body": "{}", "state": "retry", "class": 1}
    | {"created_at": 0.0, "due_at": 0.0, "leased_at": 1.0},
    "cards": {"principal": ":T1:U1", "updated_at": 0.0},
    "tasks": {"payload": "{}", "created_at": 0.0, "due_at": 0.0},
}


async def test_every_kind_of_0_3_1_is_read_and_keeps_its_key(tmp_path):
    """Each row gets a kind that the code knows; Slack is searched by the key in the message's metadata."""
    path = tmp_path / "old.db"
    await migrated(path, earlier.scripts_of("0.3.1"))
    kinds = earlier.list_renamed_kinds("0.3.1")
    # Messages of removed kinds are deleted; any that weren't sent are reported in another message.
    gone = {
        "limit_answer",
        "course_changed",
        "course_teacher",
        "course_without_teacher",
        "hours_moved",
        "hours_unused",
        "limit_request",
        "scheduled",
    }
    renamed = {key: kind for key, kind in kinds.items() if key[0] in OF_0_3_1 and kind not in gone}
    with closing(sqlite3.connect(path)) as database:
        kept = [("notices", kind) for kind in gone.difference(kinds.values())]
        for table, old in (*kept, *(key for key in kinds if key[0] in OF_0_3_1)):
            row = {"id": old, "subject": f"of {old}", "kind": old} | OF_0_3_1[table]
            values = ", ".join(f":{name}" for name in row)
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", row)
        database.commit()
    await migrated(path)
    engine = await opened(path)
    found = {
        name: await engine.read(lambda tx, name=name: TABLES[name].query(tx, f"SELECT * FROM {name}"))
        for name in OF_0_3_1
    }
    losses = await engine.read(lambda tx: {row["what"] for row in tx.all("SELECT what FROM upgrade_losses")})
    await engine.close()
    # A request's loss is reported by what it was made for, which isn't in this database.
    assert losses == gone - {"limit_request"}
    assert {(name, row.id): row.kind for name, rows in found.items() for row in rows} == renamed
    assert all(notice.key == f"of {notice.id}/{notice.id}/1" for notice in found["notices"])


@pytest.mark.parametrize(
    ("columns", "because", "warns"),
    [({}, "own", False), ({"stop_rule": "r1"}, "hours", True), ({"stop_card": "c1"}, "class", True)],
    ids=["own", "hours", "class"],
)
async def test_timer_of_0_2_1_is_kept(tmp_path, columns, because, warns):
    """0.2.1 stored a timer only in columns of its workspace."""
    path, every = tmp_path / "old.db", read_migrations()
    await migrated(path, {name: script for name, script in every.items() if name < "0087"})
    row = {"id": "w1", "principal": ":T1:U1", "connection": "saturn", "remote_id": "r", "gate_key": "g"}
    row |= {"name": "notebook", "state": "running", "origin": "discovered", "hidden": 0, "created_at": 0.0}
    row |= {"stop_at": 1_800_000_000.25, "stop_mode": "suspend"} | columns
    with closing(sqlite3.connect(path)) as database, database:
        values = ", ".join(f":{name}" for name in row)
        database.execute(f"INSERT INTO workspaces ({', '.join(row)}) VALUES ({values})", row)
    await migrated(path)
    engine = await opened(path)
    kept = await engine.read(lambda tx: TABLES["workspaces"].one(tx, id="w1"))
    await engine.close()
    timer, source = kept.planned_stops.counts, (*columns.values(), "")[0]
    assert (kept.stop_at, kept.stop_mode, kept.planned_stops.rows) == (row["stop_at"], "suspend", (timer,))
    assert (timer.at, timer.because, timer.warns, timer.source) == (row["stop_at"], because, warns, source)


async def test_past_lives_come_after_the_upgrade_and_what_runs_is_one(tmp_path):
    path, every = tmp_path / "usher.db", read_migrations()
    await migrated(path, {name: script for name, script in every.items() if name < "0074"})
    url, clock = f"sqlite:///{path}", FakeClock()
    now = clock.now()
    entries = [
        ("call.start", "accepted", "ws_gone", now - 90_000.0),
        ("operation.start", "fulfilled", "ws_gone", now - 89_990.0),
        ("call.stop", "accepted", "ws_gone", now - 86_400.0),
        ("operation.stop", "fulfilled", "ws_gone", now - 86_390.0),
        ("call.start", "accepted", "ws_up", now - 7200.0),
        ("operation.start", "fulfilled", "ws_up", now - 7100.0),
    ]
    with closing(sqlite3.connect(path)) as database, database:
        for seq, (action, result, target, at) in enumerate(entries, 1):
            detail = '{"connection":"hub","operation":"op"}'
            row = (seq, at, ALICE.key, action, target, result, detail, "", f"hash {seq}")
            database.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.execute("UPDATE audit SET detail = ? WHERE seq = 0", [str(len(entries))])
        gate = "INSERT INTO gates (gate_key, connection, remote_id) VALUES ('g', 'hub', 'lab')"
        workspace = (
            "INSERT INTO workspaces (id, principal, connection, remote_id, gate_key, name, state, origin,"
            " hidden, created_at, observed_at, up_at, running_since)"
            " VALUES ('ws_up', ?, 'hub', 'lab', 'g', 'lab', 'running', 'discovered', 0, 1.0, ?, ?, ?)"
        )
        database.execute(gate)
        database.execute(workspace, [ALICE.key, now - 60.0, now - 60.0, now - 7110.0])
    store = await open_store(url, clock, SystemIds())
    await store.migrate()
    read = partial(usage.read_lives_of_person, principal=ALICE, since=0.0, until=now)
    (running,) = await store.read(read)
    assert (running.began.known, running.runs_from, running.ended is None) == (
        Known.UNKNOWN,
        now - 7110.0,
        True,
    )
    assert await follow(store) == 1
    past, running = await store.read(read)
    assert (past.workspace_id, past.hours.best) == ("ws_gone", 1.0)
    assert (running.workspace_id, running.began.known, running.ended is None) == ("ws_up", Known.ASKED, True)
    assert running.hours.best == pytest.approx((7200.0 - 60.0) / 3600.0)
    assert await follow(store) == 0
    await store.close()
