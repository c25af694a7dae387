"""Tests of copying an installation from SQLite to PostgreSQL: all or nothing, while nobody serves."""

import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from bot.commands import store_checks
from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.services.restored_backups import pause_restored
from bot.store import audit, gates, maintenance, notices, open_store, operations
from bot.store.postgres import _read_tables, copy_store
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import StoreError, StoreInUse, StoreOutdated
from tests.app.command_line import run
from tests.rigs import earlier, postgres
from tests.rigs.store import ALICE, BOB, accept_operation, linked, name_workspace

#: Characters that a copy through a text format could get wrong.
ODD = "tab\tline\nback\\slash \\N 'quote' \"double\" – ÄÖ 🦉 \\."
CANARY = "canary-1"
NOWHERE = f"postgresql://u:{CANARY}@127.0.0.1:1/d"


@pytest.fixture
def url():
    return postgres.new_database("usher_copy")


@pytest.fixture
async def path(tmp_path):
    """A SQLite file that already contains data."""
    path = tmp_path / "usher.db"
    async with opened(f"sqlite:///{path}") as store:
        await store.begin_serving()
        await linked(store, BOB, names=["a", "b"])
        for workspace in (await linked(store, ALICE, names=["a", "b"])).workspaces:
            await accept_operation(store, workspace, interaction=workspace.id)
        await store.write(
            notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE, {"text": ODD})]
        )
        await name_workspace(store, workspace.id, ODD)
        await store.claim(gates.claim_reads, "saturn", 1, 10.0, 0.5)
        await store.write(
            audit.append_audit, [AuditEntry("T1:UALICE", f"act {n}", ODD, "ok") for n in range(30)]
        )
    return path


@asynccontextmanager
async def opened(url):
    store = await open_store(url, SystemClock(), SystemIds())
    try:
        yield store
    finally:
        await store.close()


def rows_of(execute, tables):
    written_anew = {"database_timeline", "migrations", "schema_changes"}
    names = [name for (name,) in execute(tables).fetchall() if name not in written_anew]
    return {name: sorted(execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


def in_file(path):
    with closing(sqlite3.connect(path)) as database:
        return rows_of(database.execute, "SELECT name FROM sqlite_master WHERE type = 'table'")


def list_columns(path):
    with closing(sqlite3.connect(path)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [column for _, column, *_ in database.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
        }


def on_server(url):
    with postgres.connected(url) as connection:
        return rows_of(connection.execute, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


async def test_all_of_it_is_copied_and_the_copy_goes_on(path, url):
    ended = await run("store", "copy", f"sqlite:///{path}", url)
    before = in_file(path)
    # Only the source is marked as moved.
    assert [work for work, *_ in before["upkeep"]] == ["away", "moved"]
    del before["upkeep"][1]
    rows = sum(len(table) for table in before.values())
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"Copied {rows} rows of {len(before)} tables; nothing differs.",
        f"Now set USHER_DATABASE_URL to the new database, and don't start Usher on {path} again.",
    ]
    assert on_server(url) == before
    async with opened(url) as store:
        await store.begin_serving()
        assert await store.perform(audit.verify_audit) is None
        assert len(await store.read(operations.open_operations, ALICE)) == 2
        await store.write(audit.append_audit, [AuditEntry("T1:UALICE", "later", "", "ok")])
        assert await store.perform(audit.verify_audit) is None


async def test_a_file_of_an_earlier_release_is_left_as_it_is(path, url):
    await earlier.turn_back(path, "0.3.1")
    before = list_columns(path)
    ended = await run("store", "copy", f"sqlite:///{path}", url)
    assert (ended.status, ended.err.startswith(f"{path} is of an earlier release. Make a backup, ")) == (
        1,
        True,
    )
    assert list_columns(path) == before


async def test_the_file_that_was_left_is_not_served_from_until_somebody_goes_back_to_it(path, url):
    await copy_store(path, url)
    async with opened(f"sqlite:///{path}") as store:
        with pytest.raises(StoreOutdated, match=r"was copied to another one on .* USHER_DATABASE_URL to it"):
            await store.begin_serving()
        (check,) = await store_checks.check_age(store, path)
        assert (check.is_good, "was copied to another one" in check.found) == (False, True)
        await pause_restored(store)
        await store.begin_serving()


async def test_what_was_left_can_be_copied_again_and_a_copy_of_a_backup_stays_one(path, url):
    await copy_store(path, url)
    other = postgres.new_database("usher_other")
    await copy_store(path, other)
    async with opened(other) as store:
        await store.begin_serving()
    async with opened(f"sqlite:///{path}") as store:
        await store.write(maintenance.mark, "copied")
    last = postgres.new_database("usher_last")
    await copy_store(path, last)
    async with opened(last) as store:
        with pytest.raises(StoreOutdated, match="is a backup made on"):
            await store.begin_serving()


async def test_a_file_of_any_name_is_copied_without_what_is_sqlites_own(path, url):
    odd = path.with_name("usher #1 100%25?.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute("ANALYZE")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.rename(odd)
    before = {name: rows for name, rows in in_file(odd).items() if not name.startswith("sqlite_")}
    await copy_store(odd, url)
    assert on_server(url) == before
    assert {one.name for one in path.parent.iterdir()} <= {odd.name, f"{path.name}.lock", f"{odd.name}.lock"}


async def test_a_database_that_holds_anything_is_left_alone(path, url):
    await copy_store(path, url)
    before = on_server(url)
    ended = await run("store", "copy", f"sqlite:///{path}", url)
    assert ended.status == 1
    assert "isn't empty: create a new database" in ended.err
    assert on_server(url) == before


async def test_a_copy_that_breaks_off_leaves_nothing_and_can_be_begun_again(path, url):
    def breaks_off():
        for number, table in enumerate(_read_tables(str(path), list_columns(path), set())):
            if number == 12:
                raise StoreError("the disk failed")
            yield table

    engine = postgres.engine(url, SystemClock(), SystemIds())
    await engine.open()
    await engine.migrate()
    with pytest.raises(StoreError, match="the disk failed"):
        await engine.fill(breaks_off)
    await engine.close()
    left = on_server(url)
    assert left.pop("audit") == [(0, 0.0, "", "", "", "", "0", "", "")]
    assert not any(left.values())
    before = in_file(path)
    copied = await copy_store(path, url)
    assert copied.counts["workspaces"] == 4
    assert on_server(url) == before


async def test_a_connection_that_is_lost_in_the_middle_begins_the_copy_again(path, url):
    engine = postgres.engine(url, SystemClock(), SystemIds())
    await engine.open()
    await engine.migrate()
    tries = iter([12])

    def cut_once():
        at = next(tries, None)
        for number, table in enumerate(_read_tables(str(path), list_columns(path), set())):
            if number == at:
                with postgres.connected(url) as other:
                    pid = engine._session._connection.info.backend_pid
                    other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
            yield table

    await engine.fill(cut_once)
    await engine.close()
    assert on_server(url) == in_file(path)


@pytest.mark.parametrize("which", ["source", "target"])
async def test_nobody_serves_from_either_meanwhile(path, url, which):
    async with opened(f"sqlite:///{path}" if which == "source" else url) as store:
        await store.begin_serving()
        with pytest.raises(StoreInUse, match="stop it, then copy" if which == "source" else "stop it first"):
            await copy_store(path, url)


async def test_tables_of_other_tools_are_named_and_left(path, url):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
        database.execute("CREATE TABLE lost_and_found (rootpgno INTEGER, c0)")
        database.execute("INSERT INTO lost_and_found VALUES (1, 'x')")
        database.execute("CREATE VIRTUAL TABLE found USING fts5(body)")
        database.execute("ALTER TABLE workspaces ADD COLUMN mine TEXT")
    ended = await run("store", "copy", f"sqlite:///{path}", url)
    assert ended.status == 0
    assert "Not copied, as it isn't Usher's: _litestream_seq, found, " in ended.out
    assert ", lost_and_found, workspaces.mine." in ended.out


@pytest.mark.parametrize("text", ["61ff62", "610062", "eda080"], ids=["no text", "zero", "surrogate"])
async def test_text_that_the_target_cant_hold_is_mended(path, url, text):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE workspaces SET detail = CAST(x'{text}' AS TEXT)")
    await copy_store(path, url)
    with postgres.connected(url) as connection:
        (detail,) = connection.execute("SELECT DISTINCT detail FROM workspaces").fetchone()
    assert detail == bytes.fromhex(text).decode(errors="replace").replace("\0", "")


async def test_what_the_target_doesnt_take_is_named(path, url):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE workspaces SET stop_at = 'soon'")
    ended = await run("store", "copy", f"sqlite:///{path}", url)
    assert ended.status == 1
    assert "doesn't take what workspaces has: invalid input syntax for type double precision" in ended.err


async def test_a_record_that_was_edited_before_is_said(path, url):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE audit SET actor = 'T1:UMALLORY' WHERE seq = 7")
    ended = await run("store", "copy", f"sqlite:///{path}", url)
    assert (ended.status, ended.err) == (
        0,
        "The audit record was already broken at row 7, and so is its copy.\n",
    )


@pytest.mark.parametrize(
    ("source", "target", "status", "words"),
    [
        ("postgresql://a/b", "postgresql://a/c", 2, "from sqlite:///PATH to postgresql://"),
        ("sqlite:///{path}", "sqlite:///other.db", 2, "from sqlite:///PATH to postgresql://"),
        (
            "sqlite:///{path}",
            "file:/nowhere/url",
            2,
            "The target names the file /nowhere/url, which",
        ),
        (
            "sqlite:////nowhere/usher.db",
            NOWHERE,
            1,
            "no database in /nowhere",
        ),
        ("sqlite:///{path}", NOWHERE, 1, "no server answers there"),
    ],
)
async def test_what_cannot_be_copied_is_a_sentence(path, source, target, status, words):
    ended = await run("store", "copy", source.format(path=path), target)
    assert (ended.status, ended.out) == (status, "")
    assert words in ended.err
    assert CANARY not in ended.err
    assert "Traceback" not in ended.err
