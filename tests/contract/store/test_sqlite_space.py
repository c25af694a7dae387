"""The file gives back the space of deleted rows, in small steps while there is nothing else to do."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from bot.store import open_store
from bot.store.sqlite import SqliteEngine
from bot.store.transaction import Priority
from bot.support.clock import SystemIds
from tests.rigs.store import first_sight


@pytest.fixture
def path(tmp_path):
    return tmp_path / "usher.db"


@pytest.fixture
async def open_(path, clock):
    """A function that opens stores on the file, one for each simulated process."""
    opened = []

    async def open_one():
        opened.append(await open_store(f"sqlite:///{path}", clock, SystemIds()))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


def asked(path, pragma):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"PRAGMA {pragma}").fetchone()[0]


def wasteful(path, rows=9000):
    """Leave most of the file's pages unused."""
    with closing(sqlite3.connect(path)) as database:
        keys = [(f"{number}{'x' * 3000}",) for number in range(rows)]
        database.executemany("INSERT INTO inbox (key, seen_at) VALUES (?, 0)", keys)
        database.execute("DELETE FROM inbox")
        database.commit()


async def test_while_space_is_given_back_everybody_is_served(open_, path):
    store = await open_()
    await store.migrate()
    wasteful(path)
    before, served = asked(path, "page_count"), 0
    tidying = asyncio.ensure_future(store.engine.tidy())
    while not tidying.done():
        assert await first_sight(store, f"i{served}")
        served += 1
    await tidying
    assert served > 10
    assert asked(path, "page_count") < before / 5
    assert asked(path, "freelist_count") < asked(path, "page_count") / 4


async def test_space_that_others_leave_no_time_for_is_given_back_another_night(path, clock):
    engine = SqliteEngine(str(path), clock, SystemIds(), patience=dict.fromkeys(Priority, 0.05))
    await engine.open()
    await engine.migrate()
    wasteful(path)
    unused = asked(path, "freelist_count")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await engine.tidy()
    assert asked(path, "freelist_count") == unused
    await engine.close()


async def test_file_that_cannot_shrink_is_left_as_it_is(path, clock):
    """``lay_out`` had no space to rewrite the file of an earlier release, or of another tool."""
    store = await open_store(f"sqlite:///{path}", clock, SystemIds())
    await store.migrate()
    await store.close()
    with closing(sqlite3.connect(path)) as database:
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA auto_vacuum = 0", "VACUUM"):
            database.execute(statement)
    wasteful(path)
    engine = SqliteEngine(str(path), clock, SystemIds())
    await engine.open()
    unused = asked(path, "freelist_count")
    async with asyncio.timeout(10):
        await engine.tidy()
    assert asked(path, "freelist_count") == unused > asked(path, "page_count") / 4
    await engine.close()


# -- pages ---------------------------------------------------------------------------------------------------


async def a_file_of_0_4(open_, path):
    """Make a file with the larger pages of earlier releases, and with some rows."""
    store = await open_()
    await store.migrate()
    for number in range(200):
        await first_sight(store, f"i{number}")
    await store.close()
    with closing(sqlite3.connect(path)) as database:
        for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 4096", "VACUUM"):
            database.execute(statement)
        database.execute("PRAGMA journal_mode = WAL")
    assert asked(path, "page_size") == 4096


async def test_who_serves_a_file_of_earlier_releases_gives_it_small_pages(open_, path):
    await a_file_of_0_4(open_, path)
    only_looks = await open_()
    await only_looks.migrate()
    await only_looks.close()
    assert asked(path, "page_size") == 4096
    store = await open_()
    await store.begin_serving()
    # The rewritten file still uses the write-ahead log.
    assert [asked(path, one) for one in ("page_size", "auto_vacuum", "journal_mode")] == [1024, 2, "wal"]
    assert asked(path, "integrity_check") == "ok"
    assert await first_sight(store, "new")
    assert not await first_sight(store, "i7")
    assert path.with_name("usher.db-wal").stat().st_size > 0


async def test_large_pages_stay_until_nobody_else_reads_the_file(open_, path):
    await a_file_of_0_4(open_, path)
    with closing(sqlite3.connect(path)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM inbox").fetchall()
        store = await open_()
        await store.begin_serving()
        assert await first_sight(store, "new")
    assert [asked(path, one) for one in ("page_size", "journal_mode")] == [4096, "wal"]
    await store.close()
    store = await open_()
    await store.begin_serving()
    assert asked(path, "page_size") == 1024
    assert not await first_sight(store, "new")
