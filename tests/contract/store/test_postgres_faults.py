"""PostgreSQL under bad conditions: locked, cut off, lost in the middle of a commit. Nothing is half done."""

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from bot.reconciler import Numbers
from bot.slack.notifier import Timing
from bot.store import operations, schema, workspaces
from bot.store.database_thread import REQUEST_SECONDS
from bot.store.postgres_session import LOCK_ALONE, OUTCOME_SECONDS, PostgresSession
from bot.store.store import Store
from bot.store.tables import INBOX
from bot.store.transaction import Priority, request_began, share_request_patience
from bot.support.clock import SystemIds
from bot.support.errors import StoreBusy, StoreError, StoreUnavailable
from tests.contract.store.postgres_faults import cut
from tests.rigs import postgres
from tests.rigs.store import ALICE, accept_operation, first_sight, linked

#: For a store that isn't meant to give up: on a busy machine a new connection may take its time.


@pytest.fixture
async def url():
    return await postgres.migrated()


@pytest.fixture
async def open_(url, clock):
    """Open stores on the database, as processes would."""
    opened = []

    async def open_one(patience=postgres.PATIENT):
        engine = postgres.engine(url, clock, SystemIds(), patience=patience)
        await engine.open()
        opened.append(Store(engine))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_):
    return await open_()


@pytest.fixture
async def workspace(store):
    return (await linked(store)).workspaces[0]


@contextmanager
def locked(url):
    """Write in a transaction of somebody else's that does not end."""
    with postgres.connected(url) as other, other.transaction():
        other.execute(LOCK_ALONE)
        yield other


async def pid_of(store):
    """Return the server process of the connection that writes."""
    return await store.engine.write(lambda tx: tx.one("SELECT pg_backend_pid() AS pid")["pid"])


async def test_an_operation_that_is_not_committed_in_time_never_happens(open_, url, store, workspace):
    hasty = await open_(dict.fromkeys(Priority, 0.05))
    with locked(url):
        with pytest.raises(StoreBusy, match="nothing was done"):
            await accept_operation(hasty, workspace, interaction="i1")
        # People can still look.
        assert await store.read(workspaces.find_workspace, workspace.id) == workspace
    assert await first_sight(store, "i1")
    assert await store.read(operations.open_operations, ALICE) == []


async def test_one_job_that_fails_leaves_the_others(store):
    def broken(tx):
        INBOX.add_new(tx, key="broken", seen_at=tx.now(), result="")
        raise ZeroDivisionError

    def wrong(tx):
        INBOX.add_new(tx, key="wrong", seen_at=tx.now(), result="")
        INBOX.add_new(tx, key=None, seen_at=tx.now(), result="")

    results = await asyncio.gather(
        first_sight(store, "a"),
        store.engine.write(broken, Priority.URGENT),
        store.engine.write(wrong, Priority.URGENT),
        first_sight(store, "b"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [bool, ZeroDivisionError, StoreError, bool]
    assert await first_sight(store, "broken")
    assert await first_sight(store, "wrong")
    assert not await first_sight(store, "a")


async def test_an_error_tells_no_value_of_a_row(store):
    def twice(tx):
        for _ in range(2):
            tx.run("INSERT INTO inbox (key, seen_at) VALUES ('canary', 0)")

    with pytest.raises(StoreError, match="own rules") as failed:
        await store.engine.write(twice)
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize("when", ["idle", "in the middle"])
async def test_a_connection_that_is_lost_is_made_again_and_nothing_is_done_twice(store, url, workspace, when):
    cut_at_most_once = iter([await pid_of(store)])

    def accept(tx):
        INBOX.add_new(tx, key="i1", seen_at=tx.now(), result="")
        for pid in cut_at_most_once:
            cut(url, pid)
        return INBOX.add_new(tx, key="i2", seen_at=tx.now(), result="")

    if when == "idle":
        cut(url, next(cut_at_most_once))
    assert await store.engine.write(accept) == 1
    assert not await first_sight(store, "i1")
    assert await store.read(workspaces.find_workspace, workspace.id) == workspace


class Cut(PostgresSession):
    """Lose the connection just before or just after the server commits."""

    when = ""

    def _send(self, statement, params=()):
        if statement != b"COMMIT" or not self.when:
            return super()._send(statement, params)
        when, self.when = self.when, ""
        if when == "after":
            super()._send(statement, params)
            self._sync()
        cut(self._url, self._connection.info.backend_pid)
        return super()._send(b"SELECT 1")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_commit_without_an_answer_is_looked_up(url, clock, when):
    """Whoever asked gets the result: of that commit, or of another one if it didn't happen."""
    engine = postgres.engine(url, clock, SystemIds())
    session: Any = engine._session
    session.__class__ = Cut
    await engine.open()
    store = Store(engine)
    session.when = when
    assert await first_sight(store, "i1")
    assert not await first_sight(store, "i1")
    await store.close()


def test_outcome_is_looked_for_as_long_as_a_lease_lasts():
    """What was claimed in such a commit is whose claim it was, however late that is known."""
    assert max(Numbers().lease, Timing().lease) <= OUTCOME_SECONDS


class AlwaysCut(Cut):
    """Lose the connection before each commit."""

    @property
    def when(self):
        return "before"

    @when.setter
    def when(self, _):
        pass


async def test_commit_lost_again_and_again_ends_with_patience(url, clock):
    """It is run again for as long as its caller waits, who then hears that nothing was done."""
    engine = postgres.engine(url, clock, SystemIds(), patience=dict.fromkeys(Priority, 1.0))
    await engine.open()
    engine._session.__class__ = AlwaysCut
    store, ran = Store(engine), []

    def write(tx):
        ran.append(INBOX.add_new(tx, key="i1", seen_at=tx.now(), result=""))

    async with asyncio.timeout(30):
        with pytest.raises(StoreBusy, match="nothing was done"):
            await engine.write(write)
    assert len(ran) > 1
    engine._session.__class__ = PostgresSession
    assert await first_sight(store, "i1")
    await store.close()


async def is_served(store):
    """Return whether some other process serves from the database."""
    return not await store.engine.write(lambda _: store.engine._session.is_alone())


async def test_several_processes_serve_and_any_of_them_is_noticed(open_, store):
    await store.begin_serving()
    second, third = await open_(), await open_()
    assert await second.begin_serving() == []
    # What operators do meanwhile isn't serving.
    assert await third.migrate() == []
    await store.close()
    assert await is_served(third)
    await second.close()
    assert not await is_served(third)


async def test_who_comes_back_while_the_database_is_closed_to_all_writes_nothing(open_, url):
    patience = dict(postgres.PATIENT)
    first, second = await open_(patience), await open_()
    await first.begin_serving()
    pid = await pid_of(first)
    entered, leave = threading.Event(), threading.Event()

    def hold(tx):
        entered.set()
        assert leave.wait(10)

    waiting = asyncio.ensure_future(first.engine.write(hold))
    await asyncio.to_thread(entered.wait)
    patience.update(dict.fromkeys(Priority, 0.05))
    cut(url, pid)
    assert await second.engine.write(lambda _: second.engine._session.take_lock(alone=True))
    leave.set()
    with pytest.raises(StoreBusy):
        await waiting
    with pytest.raises(StoreBusy):
        await first_sight(first, "i1")
    assert await first_sight(second, "i1")


async def test_a_process_that_lost_its_connection_takes_its_place_again(open_, url, store):
    await store.begin_serving()
    cut(url, await pid_of(store))
    assert await first_sight(store, "i1")
    assert await is_served(await open_())


class Cancelled(PostgresSession):
    """The session whose first statements on a new connection are cancelled once."""

    cancels = False

    def _read_clock(self, statements):
        if self.cancels and statements.startswith("SET "):
            self.cancels = False
            statements = "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(10)"
        return super()._read_clock(statements)


async def test_a_connection_that_was_not_made_to_the_end_is_not_used(open_, url, store):
    await store.begin_serving()
    store.engine._session.__class__ = Cancelled
    cut(url, await pid_of(store))
    store.engine._session.cancels = True
    with suppress(StoreUnavailable):
        await first_sight(store, "i1")
    await first_sight(store, "i2")
    assert await is_served(await open_())


async def test_a_database_that_became_read_only_is_said(store, url, workspace):
    def forbid(tx):
        tx.run("SET default_transaction_read_only = on")
        tx.run("SET TRANSACTION READ ONLY")
        INBOX.add_new(tx, key="i1", seen_at=tx.now(), result="")

    with pytest.raises(StoreUnavailable, match="read-only"):
        await store.engine.write(forbid)
    assert await first_sight(store, "i1")


async def test_a_database_without_tables_says_so(clock):
    engine = postgres.engine(postgres.new_database("usher_bare"), clock, SystemIds())
    await engine.open()
    store = Store(engine)
    with pytest.raises(StoreUnavailable, match="usher migrate"):
        await store.perform(workspaces.read_workspaces, ALICE)
    with pytest.raises(StoreUnavailable, match="usher migrate"):
        await first_sight(store, "i1")
    await store.close()


async def test_many_callers_at_once_are_all_served_and_closing_finishes_what_is_queued(store):
    waiting = [asyncio.ensure_future(first_sight(store, f"i{number}")) for number in range(300)]
    looking = [asyncio.ensure_future(store.read(schema.list_migrations)) for _ in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert all(await asyncio.gather(*waiting))
    assert all(await asyncio.gather(*looking))
    with pytest.raises(StoreUnavailable, match="closed"):
        await first_sight(store, "late")


async def test_all_that_a_request_waits_for_has_one_patience_together(open_, url, workspace):
    hasty = await open_(dict.fromkeys(Priority, 1.0))
    loop = asyncio.get_running_loop()

    async def refused():
        began = loop.time()
        with pytest.raises(StoreBusy):
            await first_sight(hasty, "i1")
        return loop.time() - began

    with locked(url):
        with share_request_patience():
            took = [await refused() for _ in range(5)]
        # The first one took it all, and nobody asks the others to wait as long again.
        assert sum(took) < 3.0
        # Work of its own doesn't share it, nor does what a request has begun and its answer doesn't wait for.
        with share_request_patience():
            request_began.set(request_began.get() - REQUEST_SECONDS)
            assert await refused() > 0.9
        assert await refused() > 0.9
    with share_request_patience():
        request_began.set(request_began.get() - 2.0)
        assert await first_sight(hasty, "i1"), "a database that answers at once is asked to the end"
