"""A SQLite file and the process serving from it: its schema stays, and what it can't write is no write."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from bot.support.errors import StoreInUse, StoreUnavailable


async def test_the_schema_is_not_changed_under_a_process_that_serves(database):
    await database.open(serves=True)
    path = database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM migrations WHERE name = (SELECT MAX(name) FROM migrations)")
    with pytest.raises(StoreInUse, match="stop it first"):
        await database.open()


async def pragma(store, text):
    await store.engine.read(lambda tx: tx._connection.execute(f"PRAGMA {text}").fetchall())


async def test_the_newest_write_is_known_and_looking_is_none(database, clock):
    store = await database.open(serves=True)
    clock.advance(40)
    await store.claim_notices(10, 60.0)
    await store.statistics()
    assert store.seconds_since_write() == pytest.approx(40)
    await pragma(store, "query_only = ON")
    with pytest.raises(StoreUnavailable):
        await store.beat()
    assert store.seconds_since_write() == pytest.approx(40)
    await pragma(store, "query_only = OFF")
    await store.beat()
    assert store.seconds_since_write() == 0.0
