"""The file gives back the space of deleted rows: in pieces, when there is nothing else to do."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from bot.store import open_store
from bot.store.sqlite import SqliteEngine
from bot.store.transaction import Priority
from bot.support.clock import SystemIds

#: As SQLite numbers whether a file gives back space.
NEVER, IN_PIECES = 0, 2


@pytest.fixture
def path(tmp_path):
    return tmp_path / "usher.db"


@pytest.fixture
async def open_(path, clock):
    """Open stores on the file, as processes would."""
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


def wasteful(path, rows=3000):
    """Make most of the file's pages unused."""
    with closing(sqlite3.connect(path)) as database:
        keys = [(f"{number}{'x' * 3000}",) for number in range(rows)]
        database.executemany("INSERT INTO inbox (key, seen_at) VALUES (?, 0)", keys)
        database.execute("DELETE FROM inbox")
        database.commit()


def made_before(path):
    """Let the file be as releases made it that gave back no space."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute(f"PRAGMA auto_vacuum = {NEVER}")
        database.execute("VACUUM")
    assert asked(path, "auto_vacuum") == NEVER


async def test_while_space_is_given_back_everybody_is_served(open_, path):
    store = await open_()
    await store.migrate()
    wasteful(path)
    before, served = asked(path, "page_count"), 0
    tidying = asyncio.ensure_future(store.engine.tidy())
    while not tidying.done():
        assert await store.first_sight(f"i{served}")
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


async def test_a_small_file_of_an_earlier_release_learns_it_in_its_first_night(open_, path):
    store = await open_()
    await store.migrate()
    await store.close()
    made_before(path)
    store = await open_()
    await store.begin_serving()
    wasteful(path)
    await store.sweep()
    assert asked(path, "auto_vacuum") == IN_PIECES
    assert asked(path, "freelist_count") < asked(path, "page_count") / 4


async def test_a_large_one_learns_it_from_migrate_while_nobody_serves(open_, path, monkeypatch):
    monkeypatch.setattr("bot.store.sqlite.AT_ONCE", 0)
    store = await open_()
    await store.migrate()
    await store.close()
    made_before(path)
    serving = await open_()
    await serving.begin_serving()
    wasteful(path)
    before = asked(path, "page_count")
    await serving.sweep()
    await (await open_()).migrate()
    assert (asked(path, "auto_vacuum"), asked(path, "page_count")) == (NEVER, before)
    await serving.close()
    await (await open_()).migrate()
    assert asked(path, "auto_vacuum") == IN_PIECES
    assert asked(path, "page_count") < before / 5
