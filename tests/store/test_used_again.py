"""Tests that a store in memory and a PostgreSQL connection are like new when they are reused."""

import sqlite3
from contextlib import closing
from typing import Any

from bot.support.clock import SystemIds
from tests.rigs import postgres
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.engine import EngineWithoutThread, migrated
from tests.rigs.store import accept_operation, launched, linked, memory_store


def dumped(contents):
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(contents)
        return list(database.iterdump())


async def begun():
    """Open a store, and return its connection and everything in it."""
    engine = EngineWithoutThread(":memory:", FakeClock(), CountingIds())
    await engine.open()
    found = engine._session.connection, dumped(engine.serialized())
    await engine.close()
    return found


async def test_a_store_in_memory_holds_nothing_of_the_one_before():
    async with memory_store() as store:
        (workspace,) = (await linked(store)).workspaces
        await accept_operation(store, workspace)
        await launched(store)
        used = store.engine._session.connection
    assert await begun() == (used, dumped(migrated()))


async def test_one_whose_tables_or_limits_were_changed_is_used_no_more():
    for change in (
        "CREATE TABLE left_over (id TEXT)",
        "PRAGMA max_page_count = 500",
        "PRAGMA query_only = ON",
    ):
        async with memory_store() as store:
            changed = store.engine._session.connection
            changed.execute(change)
        connection, found = await begun()
        assert connection is not changed
        assert found == dumped(migrated())


async def test_a_connection_to_postgresql_keeps_neither_settings_nor_locks():
    url, pids = await postgres.migrated(), []
    for _ in range(2):
        store = await postgres.open_store(url, FakeClock(), SystemIds())
        engine: Any = store.engine
        found, serving = set(), set()
        for session in (*engine._writing, *engine._reading):
            (row,) = session._cursor().execute(
                "SELECT current_setting('work_mem') = '77MB' AS is_set, (SELECT COUNT(*) FROM pg_locks "
                "WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks, pg_backend_pid() AS pid"
            )
            found.add((row["is_set"], row["locks"]))
            serving.add(row["pid"])
            session._cursor().execute("SET work_mem = '77MB'")
            session._cursor().execute("SELECT pg_advisory_lock_shared(77)")
        pids.append(serving)
        await store.close()
        assert found == {(False, 0)}
    assert pids[0] == pids[1]
