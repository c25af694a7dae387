"""NOTIFY: a commit names the tables it wrote, even over a new connection; no names means all tables."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bot.domain.tasks import TaskKind
from bot.store import accounts, open_store, outages, refusals, tasks
from bot.store.tasks import NewTask
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import Refused
from tests.rigs import postgres
from tests.rigs.store import ALICE

LISTENERS = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
    "WHERE query = 'LISTEN usher' AND datname = current_database()"
)


@pytest.fixture
async def url():
    return await postgres.migrated()


@asynccontextmanager
async def opened(url):
    store = await open_store(url, SystemClock(), SystemIds())
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def listening(store, is_wanted=lambda: True):
    """Listen with a store; yield the queue of notifications."""
    told = asyncio.Queue()
    task = asyncio.create_task(store.engine.listen(told.put_nowait, is_wanted))
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def next_of(told):
    """Wait for the next notification, and check that it is the only one."""
    async with asyncio.timeout(30):
        tables = await told.get()
    assert told.empty()
    return tables


async def test_a_commit_tells_its_tables_and_so_does_a_connection_that_was_lost(url):
    async with opened(url) as web, opened(url) as worker, listening(worker) as told:
        # A new listener first checks everything that happened before.
        assert await next_of(told) is None
        await web.write(tasks.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
        assert await next_of(told) == ["tasks"]
        await web.write(outages.begin_outage, "", 1.0, [])
        assert await next_of(told) == ["outages"]
        # Nothing is sent for claims, for statements that write nothing or make nothing due, or for a worker's
        # own writes.
        await web.write(accounts.note_introduction, ALICE)
        await web.claim(tasks.claim_tasks, 9, 60.0)
        await web.write(refusals.end_outage, "another", [])
        await worker.write(refusals.end_outage, "", [])
        with postgres.connected(url) as connection:
            connection.execute(LISTENERS)
        assert await next_of(told) is None


async def test_what_is_rolled_back_tells_nothing(url):
    async with opened(url) as web, opened(url) as worker, listening(worker) as told:
        assert await next_of(told) is None
        own = []
        web.engine.report_to(own.append)

        def fails(tx):
            tx.run("silent", name="x", since=1.0, answered_at=None)
            tasks.add_tasks(tx, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
            raise Refused("policy.test", "no")

        with pytest.raises(Refused):
            await web.engine.write(fails)
        await web.write(outages.begin_outage, "", 1.0, [])
        assert await next_of(told) == ["outages"]
        assert [set(tables) for tables in own] == [{"outages"}]


async def test_who_is_not_to_listen_is_not_woken_until_it_is(url, monkeypatch):
    """Commits would wake every listening worker, though only the leader follows them."""
    monkeypatch.setattr("bot.store.postgres.RETRY_SECONDS", 0.05)
    leads = set()
    async with (
        opened(url) as web,
        opened(url) as first,
        opened(url) as second,
        listening(first, lambda: "first" in leads) as one,
        listening(second, lambda: "second" in leads) as other,
    ):
        for chosen, told, left in (("first", one, other), ("second", other, one)):
            leads.clear()
            leads.add(chosen)
            # A new listener first checks everything that happened before.
            assert await next_of(told) is None
            if chosen == "second":
                assert await next_of(left) is None
            await web.write(outages.begin_outage, chosen, 1.0, [])
            assert await next_of(told) == ["outages"]
            assert left.empty()
