"""A read transaction on PostgreSQL sees a single moment, no matter who writes in the meantime."""

from bot.support.clock import SystemIds
from tests.rigs import postgres
from tests.rigs.clock import FakeClock


async def test_a_read_sees_no_row_that_is_committed_meanwhile():
    url = await postgres.migrated()
    store = await postgres.open_store(url, FakeClock(), SystemIds())

    def read_twice(tx):
        before = tx.all("SELECT name FROM connections")
        with postgres.connected(url) as other:
            other.execute("INSERT INTO connections (name, title) VALUES ('hub', 'Hub')")
        return before, tx.all("SELECT name FROM connections")

    try:
        assert await store.engine.read(read_twice) == ([], [])
        assert await store.engine.read(lambda tx: tx.all("SELECT name FROM connections")) == [{"name": "hub"}]
    finally:
        await store.close()
