"""NOTIFY: a hint of one process wakes the others, also over a new connection; many at a time are few."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bot.services.hints import Hints
from bot.store import open_store
from bot.support.clock import SystemClock, SystemIds
from tests.rigs import postgres

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


async def test_a_hint_wakes_who_listens_and_so_does_a_connection_that_was_lost(url):
    woken = asyncio.Semaphore(0)

    async def wakes():
        """Wait for one call, and see that it was the only one."""
        async with asyncio.timeout(30):
            await woken.acquire()
        assert woken.locked()

    async with opened(url) as web, opened(url) as worker:
        listening = asyncio.create_task(worker.engine.listen(woken.release))
        # Whoever begins to listen looks at what came before.
        await wakes()
        await web.engine.hint()
        await wakes()
        with postgres.connected(url) as connection:
            connection.execute(LISTENERS)
        await wakes()
        await web.engine.hint()
        await wakes()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_hints_that_come_together_are_sent_together():
    class Engine:
        sent = 0
        took = asyncio.Event()

        async def hint(self):
            self.sent += 1
            self.took.set()

    class Store:
        engine = Engine()

    hints = Hints(Store())
    for _ in range(100):
        hints.wake()
    await asyncio.wait_for(Engine.took.wait(), 30)
    assert Store.engine.sent == 1
    hints.wake()
    Engine.took.clear()
    await asyncio.wait_for(Engine.took.wait(), 30)
    assert Store.engine.sent == 2
    await hints.close()
