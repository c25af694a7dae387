"""Tests of salvaging a damaged SQLite file: intact rows are saved and counted, and the result can be used."""

import os
import random
import re
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import pytest

from bot.domain.audit import AuditEntry
from bot.store import audit, open_store
from bot.store.copies import save_readable_rows
from bot.store.sqlite import PAGE_BYTES, ServingLock
from bot.store.transaction import StoreTime
from bot.support.errors import StoreUnavailable
from tests.app.command_line import environment, of_slack, run, running
from tests.playground.slack_help import slack
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.store import linked

ROWS = 2_000
#: The first byte of a page that holds rows, and of one that points to other pages.
LEAF, INTERIOR = 0x0D, 0x05


async def fill(path, *, links=True):
    """Create a database with a long audit log, all of which is in the main file."""
    store = await open_store(f"sqlite:///{path}", FakeClock(), CountingIds())
    await store.migrate()
    if links:
        await linked(store)
    for first in range(0, ROWS, 100):
        entries = [
            AuditEntry("usher", "account.link", f"account-{first + number}", "ok", {"note": "x" * 60})
            for number in range(100)
        ]
        await store.write(audit.append_audit, entries)
    await store.close()
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = DELETE").fetchall()
        return made.execute("SELECT count(*) FROM audit").fetchone()[0]


def list_pages(path, kind, having=b"account-"):
    """Return the offset and the number of cells of each page of a kind that contains a string."""
    data, pages = path.read_bytes(), []
    for offset in range(PAGE_BYTES, len(data), PAGE_BYTES):
        page = data[offset : offset + PAGE_BYTES]
        if page[0] == kind and (having in page or kind == INTERIOR):
            pages.append((offset, int.from_bytes(page[3:5], "big")))
    return pages


def spoil(path, offsets, content=bytes(PAGE_BYTES)):
    path.touch()
    with path.open("r+b") as file:
        for offset in offsets:
            file.seek(offset)
            file.write(content)


def save(path, target):
    return save_readable_rows(path, target, lambda _: None, StoreTime(FakeClock()), CountingIds())[0]


def read(path, query):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize(
    "choose",
    [
        lambda pages: pages[5:6],
        lambda pages: pages[5:9],
        lambda pages: [pages[2], pages[7], pages[20]],
        lambda pages: pages[:1],
        lambda pages: pages[-1:],
    ],
    ids=["one", "several in a row", "several apart", "first", "last"],
)
@pytest.mark.parametrize(
    "content",
    [bytes(PAGE_BYTES), b"\xff" * PAGE_BYTES, random.Random(7).randbytes(PAGE_BYTES)],
    ids=["zeros", "ones", "noise"],
)
async def test_each_row_outside_the_damaged_pages_is_saved(tmp_path, choose, content):
    path, target = tmp_path / "usher.db", tmp_path / "saved.db"
    total = await fill(path)
    pages = [page for page in list_pages(path, LEAF) if page[1] > 1]
    pages.sort(key=lambda page: int(re.search(rb"account-(\d+)", path.read_bytes()[page[0] :])[1]))
    bad = choose(pages)
    spoil(path, [offset for offset, _ in bad], content)
    saved = save(path, target)
    lost = sum(cells for _, cells in bad)
    assert (saved["audit"].rows, saved["audit"].is_damaged) == (total - lost, True)
    assert (saved["accounts"].rows, saved["accounts"].is_damaged) == (1, False)
    assert read(target, "SELECT count(*) FROM audit") == [(total - lost,)]
    assert read(target, "PRAGMA integrity_check") == [("ok",)]
    assert target.stat().st_mode & 0o777 == 0o600


async def test_a_sound_file_is_saved_whole(tmp_path):
    path, target = tmp_path / "usher.db", tmp_path / "saved.db"
    await fill(path)
    saved = save(path, target)
    assert not any(table.is_damaged for table in saved.values())
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(target)) as other:
        assert sorted(one.iterdump()) == sorted(other.iterdump())


@pytest.mark.parametrize(
    ("at", "content"),
    [
        (0, bytes(100)),
        (0, b"\xff" * 100),
        (16, b"\x10\x00"),
        (18, b"\x09\x09"),
        (28, b"\x00\x00\x00\x01"),
        (44, b"\x00\x00\x00\x63"),
        (56, b"\x00\x00\x00\x02"),
    ],
    ids=["zeros", "ones", "page size", "version", "pages", "schema", "encoding"],
)
async def test_all_is_saved_where_the_header_is_damaged(tmp_path, at, content):
    """The header describes the layout of the file, and SQLite can't read anything without it."""
    path, target = tmp_path / "usher.db", tmp_path / "saved.db"
    total = await fill(path)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)
    saved = save(path, target)
    assert (saved["audit"].rows, saved["accounts"].rows) == (total, 1)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("saved")] == ["saved.db"]


async def test_what_isnt_ushers_is_named_and_hinders_nothing(tmp_path):
    path, target = tmp_path / "usher.db", tmp_path / "saved.db"
    await fill(path)
    others = {
        "found": "CREATE VIRTUAL TABLE found USING fts5(body)",
        'o"dd': 'CREATE TABLE "o""dd" (rowid TEXT)',
        "flat": "CREATE TABLE flat (a TEXT PRIMARY KEY) WITHOUT ROWID",
        "twice": "CREATE TABLE twice (a INTEGER, b AS (a * 2) STORED)",
        "noted": "CREATE TRIGGER noted AFTER INSERT ON accounts BEGIN INSERT INTO flat VALUES (1); END",
        "seen": "CREATE VIEW seen AS SELECT * FROM audit",
    }
    with closing(sqlite3.connect(path)) as database, database:
        for statement in others.values():
            database.execute(statement)
        database.execute("INSERT INTO \"o\"\"dd\" VALUES ('z'), ('a')")
    saved, left = save_readable_rows(path, target, lambda _: None, StoreTime(FakeClock()), CountingIds())
    assert others.keys() <= set(left)
    assert not any(table.is_damaged for table in saved.values())
    assert saved["accounts"].rows == 1


@contextmanager
def made_read_only(disk):
    for mount in (["--bind", disk, disk], ["-o", "remount,ro,bind", disk]):
        if subprocess.run(["mount", *mount], check=False, capture_output=True).returncode:
            pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk read-only")
@pytest.mark.parametrize("is_served", [False, True], ids=["never served", "served before"])
async def test_read_only_disk_is_saved_and_backed_up(tmp_path, is_served):
    """A kernel remounts a failing disk as read-only."""
    path, disk = tmp_path / "disk" / "usher.db", tmp_path / "disk"
    disk.mkdir()
    total = await fill(path)
    if is_served:
        lock = ServingLock(str(path))
        lock.take()
        lock.release()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL").fetchall()
    with made_read_only(disk):
        assert save(path, tmp_path / "saved.db")["audit"].rows == total
        env = environment(tmp_path, USHER_DATABASE_URL=f"sqlite:///{path}")
        ended = await run("store", "backup", str(tmp_path / "backup.db"), env=env)
        assert ended.status == 0, ended.err


@pytest.mark.parametrize("target", [".", "disk", "connections.toml/backup.db", "nowhere/deep/backup.db"])
@pytest.mark.parametrize("words", ["backup", "save"])
async def test_place_that_takes_no_file_is_named(tmp_path, words, target):
    (tmp_path / "disk").mkdir()
    env = environment(tmp_path)
    await fill(tmp_path / "usher.db")
    ended = await run("store", words, target, env=env, cwd=tmp_path)
    assert (ended.status, "Traceback" in ended.err, ended.err[:1]) == (1, False, "/")
    assert str(tmp_path / target) in ended.err


async def test_where_nothing_can_be_read_no_file_is_left(tmp_path):
    path, target = tmp_path / "usher.db", tmp_path / "saved.db"
    await fill(path)
    spoil(path, [0], b"\xff" * PAGE_BYTES)
    with pytest.raises(StoreUnavailable, match="nothing in it can be read"):
        save(path, target)
    assert [*tmp_path.glob("saved*")] == []


async def test_tables_before_the_damage_of_the_schema_are_saved(tmp_path):
    path, target = tmp_path / "usher.db", tmp_path / "saved.db"
    await fill(path)
    [(last,)] = read(path, "SELECT name FROM sqlite_master WHERE sql <> '' ORDER BY rowid DESC LIMIT 1")
    (page,) = [one for one, _ in list_pages(path, LEAF, last.encode())]
    spoil(path, [page])
    saved = save(path, target)
    assert saved["accounts"].rows == 1


async def test_nothing_is_written_over_a_file(tmp_path):
    path, target = tmp_path / "usher.db", tmp_path / "saved.db"
    await fill(path)
    target.write_text("mine")
    with pytest.raises(StoreUnavailable, match="File exists"):
        save(path, target)
    assert target.read_text() == "mine"


async def test_command_says_what_it_saved_and_restored_puts_it_in_place(tmp_path):
    async with slack() as (local, _client):
        env = environment(tmp_path, **of_slack(local))
        path, target = tmp_path / "usher.db", tmp_path / "saved.db"
        total = await fill(path, links=False)
        pages = list_pages(path, LEAF)
        spoil(path, [pages[3][0]])
        ended = await run("store", "save", str(target), env=env)
        assert ended.status == 0
        assert f"audit: {total - pages[3][1]} rows, and some that can't be read\n" in ended.out
        restored = await run("restored", str(target), env=env)
        assert restored.status == 0, restored.err
        async with running("serve", env=env) as usher:
            await usher.line_with("ready")
            refused = await run("store", "save", str(tmp_path / "again.db"), env=env)
            assert (refused.status, "stop it first" in refused.err) == (1, True)


async def test_command_names_what_it_cant_save(tmp_path):
    env = environment(tmp_path)
    path = tmp_path / "usher.db"
    assert (await run("store", "save", str(tmp_path / "saved.db"), env=env)).status == 1
    spoil(path, [0], b"no database at all" * 1000)
    ended = await run("store", "save", str(tmp_path / "saved.db"), env=env)
    assert (ended.status, "nothing in it can be read" in ended.err) == (1, True)
    elsewhere = environment(tmp_path, USHER_DATABASE_URL="postgresql://u@db.example/usher")
    assert (await run("store", "save", str(tmp_path / "saved.db"), env=elsewhere)).status == 2
